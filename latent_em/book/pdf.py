"""Print the built book to one PDF: ``python -m latent_em.book.pdf _build/html book.pdf``.

The pages become one document first, so that the browser itself turns headings into bookmarks and
links between pages into links inside the file. Ids get the name of their page in front, since two
pages may use the same one. The solutions of the exercises move to an appendix.
"""

import argparse
import re
import shutil
import sys
import tempfile
from copy import copy
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

from latent_em.book.notebooks import BOOK

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
STYLE = """
@page { size: A4; margin: 22mm 24mm; @bottom-center { content: counter(page); font: 9pt serif } }
@page :first { @bottom-center { content: none } }
body { display: block; }
.title { padding-top: 30%; text-align: center; }
.contents, .bd-article { break-before: page; padding: 0 !important; }
.contents p { display: flex; justify-content: space-between; margin: .2rem 0 .2rem 1.5rem; }
.contents p.part { font-weight: bold; margin: .8rem 0 .2rem; }
.part-title { break-before: page; break-after: avoid; }
.part-title + .bd-article { break-before: avoid; }
.bd-article h1 { font-size: 18pt; } /* in one line: the bookmark would lose the space between two */
"""
# Formulas and tables wider than the paper become smaller, else its edge would cut them off.
SHRINK = """
for (const box of document.querySelectorAll("math, table")) {
  const block = "div, p, li, td, th, dd, dt, figcaption, section, article, main";
  const parent = box.parentElement;
  const width = Math.max(box.getBoundingClientRect().width, box.scrollWidth, parent.scrollWidth);
  const ratio = parent.closest(block).clientWidth / width;
  if (ratio < 1) box.style.zoom = 0.98 * ratio;
}
"""
PAPER_WIDTH = 612  # A4 without its margins, in CSS pixels


def parts(toc: dict) -> list[tuple[str | None, list[str]]]:
    """List the parts of the book.

    Parameters
    ----------
    toc : dict
        What ``_toc.yml`` holds.

    Returns
    -------
    list of (str or None, list of str)
        The caption of each part, and the names of its pages. The root is a part without caption.
    """
    rest = [(part.get("caption"), [p["file"] for p in part["chapters"]]) for part in toc["parts"]]
    return [(None, [toc["root"]]), *rest]


class Document:
    """The pages of the book in one HTML document.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the book was built into.
    names : list of str
        Its pages in their order, without ``.html``.
    """

    def __init__(self, root, names):
        self.root, self.names = Path(root).resolve(), names
        self.soup = BeautifulSoup("", "html.parser")
        self.solutions = {}
        pages = {name: self.page(name).read_text(encoding="utf-8") for name in names}
        whole = {name: BeautifulSoup(text, "html.parser") for name, text in pages.items()}
        self.styles = [
            urljoin(self.page(names[0]).as_uri(), link["href"])
            for link in whole[names[0]].select("link[rel=stylesheet]")
        ]
        self.articles = {
            name: soup.select_one("article.bd-article") for name, soup in whole.items()
        }
        self.ids = {f"{n}:{t['id']}" for n, a in self.articles.items() for t in a.find_all(id=True)}
        for name, article in self.articles.items():
            self.move(name, article)

    def page(self, name):
        """Return the file of a page."""
        return self.root / f"{name}.html"

    def heading(self, name):
        """Return the text of a page's first heading."""
        title = copy(self.articles[name].h1)
        for link in title.select(".headerlink"):
            link.decompose()
        return " ".join(title.get_text().split())

    def target(self, name, url):
        """Return where a link of a page leads in the document, or None out of the book."""
        parts = urlsplit(urljoin(self.page(name).as_uri(), url))
        if parts.scheme != "file":
            return url
        path = Path(unquote(parts.path)).with_suffix("")
        page = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else ""
        if page not in self.names:
            return None
        place = f"{page}:{unquote(parts.fragment)}"
        return f"#{place if place in self.ids else page}"

    def move(self, name, article):
        """Make a page part of the document: its ids, links, pictures, headings and solutions."""
        for tag in article.find_all(id=True):
            if not tag.find_parent("svg"):  # a picture refers to its own parts
                tag["id"] = f"{name}:{tag['id']}"
        for link in article.select(".headerlink"):
            link.decompose()
        for link in article.find_all("a", href=True):
            link["href"] = self.target(name, link["href"])
            if link["href"] is None:
                del link["href"]
        for image in article.find_all("img"):
            image["src"] = urljoin(self.page(name).as_uri(), image["src"])
        self.solutions[name] = article.select(".solution")
        for solution in self.solutions[name]:
            link = self.soup.new_tag("a", href=f"#{solution['id']}")
            link.string = "Solution in the appendix"
            solution.replace_with(link)
        article["id"] = name

    def html(self, parts, title, author, numbers):
        """Return the document, with the numbers of pages in its table of contents.

        Parameters
        ----------
        parts : list of (str or None, list of str)
            From `parts`.
        title, author : str
        numbers : dict of str to int
            The page that each name begins on.

        Returns
        -------
        str
        """
        contents, body = [], []
        for caption, names in parts:
            if caption:
                contents.append(f'<p class="part">{caption}</p>')
                body.append(f'<h1 class="part-title">{caption}</h1>')
            for name in names:
                line = f'<a href="#{name}">{self.heading(name)}</a>'
                contents.append(f"<p>{line}<span>{numbers.get(name, '')}</span></p>")
                body.append(
                    lower(str(self.articles[name])) if caption else str(self.articles[name])
                )
        solved = "".join(
            f"<h2>{self.heading(name)}</h2>{''.join(map(str, found))}"
            for name, found in self.solutions.items()
            if found
        )
        if solved:
            line = '<a href="#solutions">Solutions of the exercises</a>'
            contents.append(f"<p>{line}<span>{numbers.get('solutions', '')}</span></p>")
            solved = f"<h1>Solutions of the exercises</h1>{solved}"
            solved = f'<article class="bd-article" id="solutions">{lower(solved)}</article>'
        styles = "".join(f'<link rel="stylesheet" href="{style}">' for style in self.styles)
        return (
            f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head>'
            f'<meta charset="utf-8"><title>{title}</title>{styles}<style>{STYLE}</style></head>'
            f'<body><main class="bd-content"><div class="title"><p class="display-4">{title}</p>'
            f"<p>{author}</p><p>The printed pages of an executable book: its notebooks run, and "
            f"every labelled equation is checked when they do.</p></div>"
            f'<div class="contents"><h1>Contents</h1>{"".join(contents)}</div>'
            f"{''.join(body)}{solved}</main></body></html>"
        )


def lower(html):
    """Put headings one level down in the outline, looking as before: a part is above them."""
    return re.sub(r"<h([1-5])\b", lambda h: f'{h[0]} aria-level="{int(h[1]) + 1}"', html)


def find_browser():
    """Return the path of an installed Chromium.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise FileNotFoundError("the PDF needs Chromium: apt-get install chromium")
    return found


def write_pdf(root: Path, out: Path, parts: list, title: str, author: str) -> None:
    """Print pages of the built book to one file.

    Parameters
    ----------
    root : pathlib.Path
        The folder that the book was built into.
    out : pathlib.Path
        The PDF.
    parts : list of (str or None, list of str)
        From `parts`.
    title, author : str

    Raises
    ------
    FileNotFoundError
        If there is no browser, or a page lacks something that it loads.
    """
    executable = find_browser()
    document = Document(root, [name for _, names in parts for name in names])
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(
            color_scheme="light",
            offline=True,
            viewport={"width": PAPER_WIDTH, "height": 940},
        )
        page.emulate_media(media="print")
        missing = []
        page.on("requestfailed", lambda request: missing.append(request.url))
        source, numbers = Path(folder) / "book.html", {}
        for _ in range(2):  # the second time with the numbers that the first one found
            source.write_text(document.html(parts, title, author, numbers), encoding="utf-8")
            page.goto(source.as_uri())
            page.evaluate(SHRINK)
            page.pdf(path=out, outline=True, tagged=True, prefer_css_page_size=True)
            if missing:
                raise FileNotFoundError(f"the pages load what is not there: {missing}")
            reader = PdfReader(out)
            numbers = {
                name.removeprefix("/"): reader.get_destination_page_number(place) + 1
                for name, place in reader.named_destinations.items()
            }
        browser.close()


def main(argv: list[str] | None = None) -> int:
    """Print the whole book.

    Parameters
    ----------
    argv : list of str, optional
        The command line; by default that of the process.

    Returns
    -------
    int
        The exit code.
    """
    parser = argparse.ArgumentParser(description="Print the built book to one PDF.")
    parser.add_argument("root", type=Path, help="the folder that the book was built into")
    parser.add_argument("out", type=Path, help="the PDF")
    args = parser.parse_args(argv)
    config, toc = (
        yaml.safe_load((BOOK.parent / name).read_text(encoding="utf-8"))
        for name in ("_config.yml", "_toc.yml")
    )
    try:
        write_pdf(args.root, args.out, parts(toc), config["title"], config["author"])
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
