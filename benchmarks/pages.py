"""How heavy the book's pages are, and how soon they are complete, for two builds in one run.

    python benchmarks/pages.py BEFORE/_build/html _build/html [--pages NAME ...]

A page is complete when it and its fonts are loaded, a script that sets formulas (MathJax) has
finished, and a frame has been drawn. The slower processor is Chromium's own emulation. Every page
is opened in a new browser context, so that nothing is cached.
"""

import argparse
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import results
from playwright.sync_api import Error, sync_playwright

COLUMNS = ["page", "build", "kilobytes", "requests", "nodes", "seconds", "seconds at 1/4 speed"]
COMPLETE = """async () => {
  if (document.readyState !== "complete")
    await new Promise((done) => addEventListener("load", done));
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return [performance.now() / 1000, document.querySelectorAll("*").length];
}"""


def measure(browser, file, slowdown, limit):
    """Open a page; return its kilobytes, requests, nodes and seconds until it is complete."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.set_default_timeout(1000 * limit)
    asked = []
    page.on("request", lambda request: asked.append(Path(unquote(urlsplit(request.url).path))))
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    try:
        page.goto(file.as_uri(), wait_until="commit")
        page.wait_for_function(f"({COMPLETE})().then((found) => (window.found = found))")
        seconds, nodes = page.evaluate("window.found")
    except Error:
        seconds, nodes = f"over {limit}", ""
    context.close()
    kilobytes = sum(one.stat().st_size for one in asked if one.is_file()) / 1000
    return round(kilobytes), len(asked), nodes, seconds


def main():
    """Measure the pages of both builds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--pages", nargs="*", help="names of pages; all if not given")
    parser.add_argument("--limit", type=int, default=60, help="seconds to wait for a page")
    parser.add_argument("--name", default="pages", help="of the table of results")
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ["chromium", "google-chrome"])))
    names = [path.relative_to(options.after) for path in (options.after / "book").rglob("*.html")]
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in sorted(names):
            if options.pages and name.stem not in options.pages:
                continue
            for build in ("before", "after"):
                file = (getattr(options, build) / name).resolve()
                if file.exists():
                    *size, usual = measure(browser, file, 1, options.limit)
                    *_, slow = measure(browser, file, 4, options.limit)
                    rows.append([name.stem, build, *size, usual, slow])
                    print(*rows[-1], sep="\t", flush=True)
        browser.close()
    results.write(options.name, COLUMNS, rows)


if __name__ == "__main__":
    main()
