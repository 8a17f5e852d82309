"""Mathematics that is in the page when it arrives: LaTeX becomes MathML Core at build time."""

import html
import re

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

# SymPy prints the limits of a double sum one below the other.
MACROS = {"substack": r"\begin{subarray}{c}#1\end{subarray}"}
CONVERTER = LatexToMathML(fancy_error=False, macros=MACROS)
# What touches a formula and must not be alone at the end or at the beginning of a line.
OPENING = re.compile(r"[(\[“‘]+$")
CLOSING = re.compile(r"^[.,:;!?…)\]”’]+")
COMMAND = re.compile(r"\\[a-zA-Z]+")
TAG = re.compile(r"<[^>]+>")


def convert(latex, display=False):
    """Convert a formula.

    Parameters
    ----------
    latex : str
    display : bool
        Whether it stands on lines of its own.

    Returns
    -------
    mathml : str
        One ``<math>`` element.

    Raises
    ------
    math_core.LatexError
        What is not understood, and where.
    """
    mathml = CONVERTER.convert_with_local_state(latex, displaystyle=display)
    return mathml.replace("<mo>′</mo>", '<mo class="prime">′</mo>')


def _converted(node, display):
    """Convert the formula of a node; one that is not understood fails a strict build."""
    try:
        return convert(node.astext(), display)
    except LatexError as error:
        logger.warning("not understood: %s: %s", error, node.astext(), location=node)
        return f"<code>{html.escape(node.astext())}</code>"


def visit_inline(writer, node):
    """Write a formula within a line."""
    writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate"))
    writer.body.append(_converted(node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_display(writer, node):
    """Write a formula on lines of its own, in a box that can scroll, and its number."""
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate"))
    writer.body.append(f'<div class="formula">{_converted(node, display=True)}</div>')
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


class GluePunctuation(SphinxPostTransform):
    """Keep a formula on one line with the brackets and stops that touch it."""

    default_priority = 900
    formats = ("html",)

    def run(self):
        """Look at every formula within a line."""
        for formula in list(self.document.findall(nodes.math)):
            glued = nodes.inline(classes=["glue"])
            parent, at = formula.parent, formula.parent.index(formula)
            before, after = parent[at - 1 : at], parent[at + 1 : at + 2]
            parent[at] = glued
            glued += [*self.cut(before, OPENING), formula, *self.cut(after, CLOSING)]
            if len(glued) == 1:
                parent[at] = formula

    @staticmethod
    def cut(siblings, pattern):
        """Take what the pattern finds from a neighbour, if that is text."""
        for text in siblings:
            if isinstance(text, nodes.Text) and (found := pattern.search(text)):
                family = text.parent.children  # in which texts that are equal occur
                at = next(i for i, node in enumerate(family) if node is text)
                text.parent[at] = nodes.Text(pattern.sub("", text, count=1))
                yield nodes.Text(found.group())


def read_out(text):
    """Replace commands in a text, such as a heading, by the characters that they stand for."""

    def sign(found):
        try:
            return html.unescape(TAG.sub("", convert(found[0])))
        except LatexError:  # it takes an argument
            return found[0]

    return COMMAND.sub(sign, text)


def read_out_headings(app, env):
    """A reference to a section shows its heading as text, which Sphinx takes from the source."""
    labels = env.get_domain("std").labels
    for name, (page, anchor, heading) in labels.items():
        labels[name] = page, anchor, read_out(str(heading))


def setup(app):
    """Make this the book's mathematics, in the place of MathJax."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.add_post_transform(GluePunctuation)
    app.connect("env-updated", read_out_headings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
