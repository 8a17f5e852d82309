"""Sphinx extension: what a page says of itself and of the ledger.

- Where a page has the comment for them, the totals of the ledger are written: the page needs no
  change when an equation is added.
- The first paragraph of a page, in short, is its description for search engines.
"""

import html
import re
import textwrap

from docutils import nodes

from latent_em.book import ledger

TOTALS_MARK = "<!-- the totals of the ledger -->"
LENGTH = 160  # characters of a description


def totals(found: list[ledger.Entry]) -> str:
    """Say in one sentence how many equations there are, and what was shown of them."""
    counted = ledger.words(found)
    proved, special, definitions = (
        counted.pop(word, 0) for word in ("proved", "proved in a special case", "definition")
    )
    others = {"in a special case": special, "in a weaker sense": sum(counted.values())}
    return (
        f"Of {proved + sum(others.values()) + definitions} equations {proved} are proved for all "
        "values and sizes"
        + "".join(f", {number} {how}" for how, number in others.items() if number)
        + f"; {definitions} are definitions."
    )


def write_totals(app, docname, source):
    """Put the totals of the pages in the table of contents where a page has the comment."""
    if TOTALS_MARK in source[0]:
        listed = set(ledger.contents())
        pages = [page for page in ledger.read_book() if page.name in listed]
        source[0] = source[0].replace(TOTALS_MARK, totals(ledger.entries(pages)))


def description(doctree: nodes.document) -> str:
    """Return the first paragraph without a formula, cut between words."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not any(paragraph.findall(nodes.math)):
            text = re.sub(r"\s+", " ", paragraph.astext()).strip()
            return textwrap.shorten(text, LENGTH, placeholder=" …")
    return ""


def add_description(app, pagename, templatename, context, doctree):
    """Add the description to the head of a page."""
    if doctree is not None and (text := description(doctree)):
        tag = f'<meta name="description" content="{html.escape(text)}">'
        context["metatags"] = context.get("metatags", "") + tag


def setup(app):
    """Connect the extension to Sphinx."""
    app.connect("source-read", write_totals)
    app.connect("html-page-context", add_description)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
