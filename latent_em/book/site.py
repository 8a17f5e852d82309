"""Check the built pages: ``python -m latent_em.book.site _build/html``.

The strict build catches broken references in the sources. This looks at what came out: links and
anchors that lead nowhere, images that say nothing to those who do not see them, anything a page
would load from another host, large scripts, a book that is too heavy, markup that was not rendered,
and graded solutions.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

from latent_em.book.notebooks import BOOK
from latent_em.grading import release

# What a browser loads by itself. A link (<a>) is followed by the reader, and may lead anywhere.
LOADING = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "link": ["href"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["src", "poster"],
}
CSS_LOAD = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
FILE_NAME = re.compile(r"\S+\.(png|jpe?g|gif|svg|webp)", re.IGNORECASE)
# `{eq}` before a backtick or <code>, ":::{note}", a fence, a target "(label)=".
RAW_MARKUP = re.compile(r"\{[a-z][\w:.+-]*\}(`|$)|^\s*(:::|```)|^\([\w-]+\)=$", re.MULTILINE)
TEXT_SUFFIXES = {".html", ".ipynb", ".js", ".md", ".txt"}
LARGEST_SCRIPT = 300_000
LARGEST_BOOK = 12_000_000  # without what is there for download
DOWNLOADS = "_sources"
NOT_PROSE = ["code", "pre", "script", "style", "textarea"]


def problems(root: Path) -> Iterator[tuple[Path, str]]:
    """Look at every page and style sheet.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the book was built into.

    Yields
    ------
    page : pathlib.Path
        Relative to ``root``.
    problem : str
    """
    root = Path(root).resolve()

    @cache
    def soup(page):
        return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")

    @cache
    def anchors(page):
        named = soup(page).find_all(["a", "map"], attrs={"name": True})
        return {tag["id"] for tag in soup(page).find_all(id=True)} | {a["name"] for a in named}

    def dead(page, url):
        """Say what is wrong with a link inside the book, if anything."""
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            return None
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if target.is_dir():
            target /= "index.html"
        if not target.is_relative_to(root):
            return f"leads out of the book: {url}"
        if not target.is_file():
            return f"no such file: {url}"
        anchor = unquote(parts.fragment)
        if target.suffix == ".html" and anchor and anchor not in anchors(target):
            return f"no such anchor: {url}"
        return None

    pages = [page for page in sorted(root.rglob("*.html")) if root / "_static" not in page.parents]
    if not pages:
        raise FileNotFoundError(f"root: got {root}, must be a folder with .html pages in it")
    for page in pages:
        found = [
            *(dead(page, url) for url in _links(soup(page))),
            *(dead(page, url) or _foreign(url) for url in _loads(soup(page))),
            *_images(soup(page)),
            *_unrendered(soup(page)),
        ]
        for problem in dict.fromkeys(filter(None, found)):
            yield page.relative_to(root), problem
    for sheet in sorted(root.rglob("*.css")):
        for url in _css_loads(sheet.read_text(encoding="utf-8")):
            if problem := dead(sheet, url) or _foreign(url):
                yield sheet.relative_to(root), problem
    for script in sorted(root.rglob("*.js")):
        if script.stat().st_size > LARGEST_SCRIPT:
            yield script.relative_to(root), f"a script of more than {LARGEST_SCRIPT // 1000} kB"
    weight = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
    weight -= sum(file.stat().st_size for file in (root / DOWNLOADS).rglob("*") if file.is_file())
    if weight > LARGEST_BOOK:
        largest, size = (f"{bytes_ / 1e6:.1f} MB" for bytes_ in (LARGEST_BOOK, weight))
        yield Path("."), f"the book weighs {size} without its downloads, must be under {largest}"
    for file in sorted(file for file in root.rglob("*") if file.suffix in TEXT_SUFFIXES):
        if "### BEGIN SOLUTION" in file.read_text(encoding="utf-8"):
            yield file.relative_to(root), "the solution of an exercise"
    for file, leak in release.leaks(root, release.graded_fragments(BOOK)):
        yield file, f"shows a solution: {leak}"


def _links(soup) -> Iterator[str]:
    """Yield where the links of a page lead."""
    yield from (tag["href"] for tag in soup.find_all(["a", "area"], href=True) if tag["href"])
    for tag in soup.find_all("meta", attrs={"http-equiv": re.compile("refresh", re.IGNORECASE)}):
        yield tag["content"].partition("url=")[2]


def _loads(soup) -> Iterator[str]:
    """Yield what a page loads by itself."""
    for name, attributes in LOADING.items():
        for tag in soup.find_all(name, rel=lambda rel: rel != "canonical"):
            for attribute in attributes:
                value = tag.get(attribute, "")
                for candidate in value.split(",") if attribute == "srcset" else [value]:
                    yield from candidate.split()[:1]
    for style in soup.find_all("style"):
        yield from _css_loads(style.get_text())
    for tag in soup.find_all(style=True):
        yield from _css_loads(tag["style"])


def _css_loads(css: str) -> Iterator[str]:
    """Yield what a style sheet loads."""
    return (url or imported for url, imported in CSS_LOAD.findall(css))


def _foreign(url: str) -> str | None:
    """Say so if an address is on another host."""
    parts = urlsplit(url)
    if parts.netloc or parts.scheme not in {"", "data"}:
        return f"loads from another host: {url}"
    return None


def _images(soup) -> Iterator[str]:
    """Yield what images leave unsaid. An empty alt says that there is nothing to say."""
    for image in soup.find_all("img"):
        alt = image.get("alt")
        where = image.get("src", "")[:80]
        if alt is None:
            yield f"no alt text: {where}"
        elif FILE_NAME.fullmatch(alt.strip()):
            yield f"the alt text is a file name: {alt}"
        elif not alt.strip() and image.find_parent("article"):
            yield f"empty alt text: {where}"


def _unrendered(soup) -> Iterator[str]:
    """Yield markup that the build left as it was."""
    for tag in soup.select(".problematic, .system-message"):
        yield f"the build's own complaint: {tag.get_text(' ', strip=True)[:80]}"
    for text in soup.find_all(string=RAW_MARKUP):
        if not text.find_parent([*NOT_PROSE, lambda tag: "math" in tag.get("class", [])]):
            yield f"markup left unrendered: {text.strip()[:80]}"


def main(argv: list[str] | None = None) -> int:
    """Print every problem; return 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path, help="the folder that the book was built into")
    found = list(problems(parser.parse_args(argv).root))
    for page, problem in found:
        print(f"{page}: {problem}")
    print(f"The built pages have {len(found)} problems" if found else "The built pages are sound")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
