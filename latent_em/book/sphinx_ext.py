"""Sphinx extension of the book.

- The equation ledger is written from the executed notebooks.
- The output of a check becomes one line, which opens to the claim that was checked.
- The frames that a cell tagged ``steps`` draws become one figure.
- Labels such as ``eq-elbo`` in docstrings become links to the book, and must exist there. The
  first check of the equation links back to what computes it.
"""

import html
import re

from docutils import nodes
from myst_nb.core.render import MimeRenderPlugin
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from latent_em.book import check, ledger

logger = logging.getLogger(__name__)

LEDGER_MARK = "% the ledger"
# Labels in docstrings. The reference to an equation is its number in parentheses.
EQUATION = re.compile(r"(?<![`\w-])(\()?(eq(?:-[a-z0-9]+)+)(?(1)\))(?![`\w-])")
COMPUTES = {"function", "method", "class"}
THEOREM = re.compile(r"(?<![`\w-])(?:alg|prf|thm)(?:-[a-z0-9]+)+(?![`\w-])")


def link_labels(app, what, name, obj, options, lines):
    """Turn the labels of equations and theorems in a docstring into references."""
    if what in COMPUTES:
        for _, label in EQUATION.findall("\n".join(lines)):
            computed_by(app.env).setdefault(label, {})[name] = None
    lines[:] = [THEOREM.sub(r":prf:ref:`\g<0>`", EQUATION.sub(r":eq:`\2`", line)) for line in lines]


def computed_by(env):
    """Return from label to the names of the functions and classes whose docstrings have it."""
    if not hasattr(env, "computed_by"):
        env.computed_by = {}
    return env.computed_by


def link_code(app, doctree, docname):
    """Write beneath the first check of an equation what computes it."""
    objects = app.env.get_domain("py").objects
    waiting = dict(computed_by(app.env))
    for line in list(doctree.findall(nodes.paragraph)):
        if "computed-by" not in line["classes"]:
            continue
        names = [name for name in waiting.pop(line["label"], {}) if name in objects]
        line += nodes.Text("in the library: ")
        for place, name in enumerate(names):
            where = app.builder.get_relative_uri(docname, objects[name].docname)
            text = nodes.literal(text=name.removeprefix("latent_em."))
            link = nodes.reference("", "", text, internal=True)
            link["refuri"] = f"{where}#{objects[name].node_id}"
            line += [nodes.Text(", "), link] if place else [link]
        if not names:
            line.parent.remove(line)


def skip_tuple_fields(app, what, name, obj, skip, options):
    """Leave out the fields of named tuples: the class lists them under its attributes."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None


def write_ledger(app, docname, source):
    """Put the ledger, read from the executed notebooks, where a page has the comment for it."""
    if LEDGER_MARK in source[0]:
        source[0] = source[0].replace(LEDGER_MARK, ledger.page_markdown())


class CheckLine(MimeRenderPlugin):
    """The output of a check: one line, which opens to the claim that was checked."""

    mime_priority_overrides = (("html", check.MIMETYPE, 1),)

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the nodes of one check's output."""
        if data.mime_type != check.MIMETYPE:
            return None
        record = data.content
        keys = ("label", "kind", "word", "scope", "domain", "result")
        words = [record[key] for key in keys if record.get(key)]
        words += [f"by {name}" for name in record.get("rests_on", ())]
        line = html.escape(" · ".join(dict.fromkeys(words)))
        code = nodes.paragraph(classes=["check", "computed-by"], label=record["label"])
        if not record["claim"]:
            return [nodes.raw("", f'<p class="check">{line}</p>', format="html"), code]
        return [
            nodes.raw("", f'<details class="check"><summary>{line}</summary>', format="html"),
            nodes.math_block("", record["claim"], nowrap=False, number=None),
            nodes.raw("", "</details>", format="html"),
            code,
        ]


class MergeFrames(SphinxTransform):
    """Make one figure of the frames that a code cell tagged ``steps`` has drawn.

    The caption is that of every frame (``mystnb.figure.caption`` in the cell's metadata). The
    metadata ``steps`` adds what belongs to the whole or differs between frames: ``name``, the
    figure's label, and ``alt``, a list with the text of each frame.
    """

    default_priority = 10

    def apply(self):
        """Look for cells tagged ``steps``."""
        for cell in list(self.document.findall(nodes.container)):
            if "tag_steps" in cell["classes"]:
                self.merge(cell, **cell["cell_metadata"].get("steps", {}))

    def merge(self, cell, name=None, alt=None):
        """Move the frames of one cell into its first figure."""
        frames = list(cell.findall(nodes.image))
        first, *rest = list(cell.findall(nodes.figure)) or [None]
        alt = alt or [frame.get("alt") for frame in frames]
        if len(frames) < 2 or len(alt) != len(frames):
            logger.warning("steps: %d frames, %d alt texts", len(frames), len(alt), location=cell)
            return
        for frame, text in zip(frames, alt, strict=True):
            frame["alt"] = text
        if first is None:  # no caption, so no figure
            return
        for figure in rest:
            output = figure
            while output.parent.get("nb_element") != "cell_code_output":
                output = output.parent
            output.parent.remove(output)
        first[1:1] = frames[1:]
        if name:
            first["names"].append(name)
            self.document.note_explicit_target(first, first)


class PlainTitles(SphinxPostTransform):
    """The title of what unfolds is a control, so a reference in it is no link but its words."""

    default_priority = 100  # when references are resolved, and before the fold is written

    def run(self, **kwargs):
        """Look at the title of each fold."""
        for fold in self.document.findall(nodes.container):
            if fold.get("design_component") == "dropdown":
                for link in list(fold[0].findall(nodes.reference)):
                    link.replace_self(link.children)


def setup(app):
    """Connect the extension to Sphinx."""
    app.add_transform(MergeFrames)
    app.add_post_transform(PlainTitles)
    app.connect("source-read", write_ledger)
    app.connect("autodoc-process-docstring", link_labels, priority=400)
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("doctree-resolved", link_code)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
