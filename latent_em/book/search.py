"""Search by section, over the prose of the book, with readable excerpts.

Every section of every page, and every function of the library, is an entry: where it is, its
heading, the words in bold, which are the terms that it introduces, and its prose. Code, outputs and
display formulas are left out. The entries stand in the search page itself, so that searching works
from a folder too; ``search.js`` ranks them.
"""

import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

from latent_em.book import mathml

SCRIPT = "search.js"
# What the theme's search page loads, in place of which ours stands.
SPHINX = re.compile(
    r'\s*<script src="(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>'
)
NOT_PROSE = (nodes.literal_block, nodes.math_block, nodes.raw, nodes.comment)
PARAGRAPH = (nodes.paragraph, nodes.caption, nodes.term)


def collect(app, doctree, docname):
    """Keep the entries of a page for the search page."""
    if app.builder.format == "html":
        if not hasattr(app, "search_entries"):
            app.search_entries = {}
        app.search_entries[docname] = list(entries(doctree, app.builder.get_target_uri(docname)))


def entries(doctree, page):
    """Entries of a page.

    Parameters
    ----------
    doctree : docutils.nodes.document
    page : str
        Its address.

    Yields
    ------
    entry : dict
        ``url``, ``title``, ``terms`` and ``text``; ``kind`` is "page", "section" or "code".
    """
    top = True
    for part in doctree.findall(is_entry):
        if isinstance(part, nodes.section):
            kind, anchor, title = ("page" if top else "section"), part["ids"][0], words(part[0])
            top = False
        else:
            signature = part[0]
            if not signature["ids"]:
                continue
            kind, anchor, title = "code", signature["ids"][0], signature["ids"][0]
        prose = [node for node in own(part) if isinstance(node, PARAGRAPH)]
        bold = [strong for node in prose for strong in node.findall(nodes.strong)]
        yield {
            "url": page if kind == "page" else f"{page}#{anchor}",
            "kind": kind,
            "title": title,
            "terms": [words(term).strip(".,:?") for term in bold],
            "text": " ".join(map(words, prose)),
        }


def is_entry(node):
    """Tell whether a node is an entry: an object of the library, or a section with a heading."""
    return isinstance(node, addnodes.desc) or (
        isinstance(node, nodes.section) and bool(node) and isinstance(node[0], nodes.title)
    )


def own(part):
    """Descendants of a section that belong to no smaller one and are prose."""
    for node in part.children:
        if is_entry(node) or isinstance(node, (addnodes.desc_signature, *NOT_PROSE)):
            continue
        if isinstance(node, nodes.container) and "cell" in node["classes"]:
            yield from node.findall(nodes.caption)
            continue
        yield node
        if not isinstance(node, PARAGRAPH):
            yield from own(node)


def words(node):
    """Text of a node, with formulas as they are read."""
    if isinstance(node, nodes.math):
        try:
            return html.unescape(mathml.TAG.sub("", mathml.convert(node.astext())))
        except mathml.LatexError:  # the writer of the page will say so
            return node.astext()
    if isinstance(node, nodes.Text):
        return " ".join(re.split(r"\s+", node.astext()))
    return "".join(map(words, node.children)).strip()


def write(app, error):
    """Put the entries into the search page."""
    if error or app.builder.format != "html":
        return
    page = Path(app.outdir, "search.html")
    order = dict.fromkeys([app.config.root_doc, *app.env.collect_relations()])  # as one reads
    found = [entry for doc in order for entry in app.search_entries.get(doc, [])]
    data = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("</", r"<\/")
    ours = (
        f'<script type="application/json" id="search-entries">{data}</script>'
        f'<script src="_static/{SCRIPT}"></script>'
    )
    text = SPHINX.sub("", page.read_text(encoding="utf-8"))
    page.write_text(text.replace("</body>", f"{ours}</body>"), encoding="utf-8")
    Path(app.outdir, "searchindex.js").unlink(missing_ok=True)


def setup(app):
    """Collect while pages are written; write when all are."""
    app.connect("doctree-resolved", collect)
    app.connect("build-finished", write, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
