"""What the search page knows of a page."""

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from latent_em.book import search

PAGE = r"""
The EM algorithm
================

The share is the **responsibility** of group :math:`\theta_k`.

.. code-block:: python

   import numpy

Old parameters
--------------

* **E-step.** Compute the shares.

.. math:: a = b
"""


def test_entries_are_sections_with_their_terms_and_prose():
    document = new_document("page", get_default_settings(Parser))
    Parser().parse(PAGE, document)
    # docutils makes one section of the title and the subtitle only with a transform
    page, section = search.entries(document, "em.html")
    assert page == {
        "url": "em.html",
        "kind": "page",
        "title": "The EM algorithm",
        "terms": ["responsibility"],
        "text": "The share is the responsibility of group θk.",
    }
    assert section["url"] == "em.html#old-parameters"
    assert section["terms"] == ["E-step"]
    assert section["text"] == "E-step. Compute the shares."


def test_cells_of_code_are_no_prose_but_captions_are():
    section = nodes.section("", nodes.title("", "Title"), ids=["title"])
    cell = nodes.container("", nodes.paragraph("", "printed"), classes=["cell"])
    cell += nodes.figure("", nodes.image(), nodes.caption("", "What is seen."))
    section += [nodes.paragraph("", "Prose."), cell]
    [entry] = search.entries(nodes.container("", section), "a.html")
    assert entry["text"] == "Prose. What is seen."
