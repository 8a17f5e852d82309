from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from latent_em.book import heads, ledger


def entry(label, word="proved", scope=""):
    return ledger.Entry(label, "x", "identity", scope, "", "", "book/chapter", 1, word)


FOUND = [
    entry("eq-a"),
    entry("eq-b"),
    entry("eq-b", "numeric"),  # an equation counts by its weakest check
    entry("eq-c", scope="K = 3"),
    entry("eq-d", "definition"),
    entry("eq-e", "cites"),
    entry("eq-f"),
]


def test_the_totals_count_equations_by_their_weakest_check():
    assert heads.totals(FOUND) == (
        "Of 6 equations 2 are proved for all values and sizes, 1 in a special case, "
        "2 in a weaker sense; 1 are definitions."
    )
    assert heads.totals([entry("eq-a"), entry("eq-d", "definition")]) == (
        "Of 2 equations 1 are proved for all values and sizes; 1 are definitions."
    )


def test_the_totals_of_the_book_stand_where_the_comment_is(monkeypatch):
    monkeypatch.setattr(ledger, "read_book", list)
    monkeypatch.setattr(ledger, "entries", lambda pages: FOUND)
    source = [f'"A book. {heads.TOTALS_MARK}\\n"']
    heads.write_totals(None, "book/intro", source)
    assert source == [f'"A book. {heads.totals(FOUND)}\\n"']
    untouched = ["A page."]
    heads.write_totals(None, "book/other", untouched)
    assert untouched == ["A page."]


def test_the_first_page_asks_for_the_totals():
    [cell, *_] = ledger.notebooks.read(ledger.notebooks.BOOK / "intro.ipynb").cells
    assert heads.TOTALS_MARK in cell.source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Title\n=====\n\nA *short* start.\n\nMore.", "A short start."),
        ('Title\n=====\n\nSee :math:`x^2`.\n\nWithout "signs" & such.', 'Without "signs" & such.'),
        ("word " * 60, "word " * 30 + "word …"),
        ("", ""),
    ],
)
def test_a_description_is_the_first_paragraph_without_a_formula(text, said):
    doctree = publish_doctree(text)
    assert heads.description(doctree) == said
    assert len(said) <= heads.LENGTH


def test_the_description_is_escaped_in_the_head():
    context = {"metatags": "<meta>"}
    heads.add_description(SimpleNamespace(), "page", "", context, publish_doctree('"a" < b'))
    assert context["metatags"] == ('<meta><meta name="description" content="&quot;a&quot; &lt; b">')
    heads.add_description(SimpleNamespace(), "search", "", context, None)
    heads.add_description(SimpleNamespace(), "empty", "", context, nodes.document(None, None))
    assert context["metatags"].count("description") == 1
