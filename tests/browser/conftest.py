"""A browser, and the built book in it.

Any installed Chromium or Chrome will do. Without one, or without a built book, these tests are
skipped; where CI is set they fail instead.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "_build" / "html"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_generate_tests(metafunc):
    """Run a test that asks for ``page_name`` on every page of the table of contents."""
    if "page_name" in metafunc.fixturenames:
        toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
        names = [f"{name}.html" for name in re.findall(r"(?:root|file): (\S+)", toc)]
        metafunc.parametrize("page_name", [*names, "search.html?q=EM"])


def need(thing, advice):
    """Skip a test that lacks something; in CI nothing may be lacking."""
    if thing:
        return
    if os.environ.get("CI"):
        pytest.fail(advice)
    pytest.skip(advice)


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    need(executable, "needs Chromium: apt-get install chromium")
    need((BOOK / "index.html").exists(), "needs the built book: make book")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Reader:
    """A page of the browser that is off the network and writes down what goes wrong."""

    def __init__(self, browser, width=1280, scheme="light", **options):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            offline=True,
            **options,
        )
        self.page = self.context.new_page()
        self.problems = []
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("requestfailed", lambda one: self.problems.append(f"not loaded: {one.url}"))
        self.page.on("request", self.asked)

    def heard(self, message):
        """Write down warnings and errors of the console."""
        if message.type in {"error", "warning"}:
            self.problems.append(f"console: {message.text}")

    def asked(self, request):
        """Write down what would come from elsewhere."""
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.problems.append(f"from elsewhere: {request.url}")

    def open(self, name):
        """Go to a page of the book; return the browser's page."""
        self.page.goto(f"{BOOK.as_uri()}/{name}")
        return self.page


@pytest.fixture
def reader(browser):
    """Return a function that opens the book for a reader with some width and colours."""
    readers = []

    def new(**options):
        readers.append(Reader(browser, **options))
        return readers[-1]

    yield new
    for one in readers:
        one.context.close()
