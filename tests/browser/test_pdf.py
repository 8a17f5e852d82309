"""The book as one PDF: bookmarks, links and page numbers, from a book of two small pages."""

import os

import pytest
from pypdf import PdfReader

from latent_em.book import pdf

PAGE = "<html><head></head><body><article class='bd-article'>{}</article></body></html>"
FIRST = """<section id="same"><h1>1. First <a class="headerlink" href="#same">#</a></h1>
<p>To <a href="sub/second.html#eq">equation 2.7</a>, to <a href="#below">below</a>,
to <a href="sub/notebook.ipynb">a notebook</a>, to <a href="https://example.org">elsewhere</a>.</p>
<div class="solution" id="answer"><p>Forty-two.</p></div>
<h2 id="below" style="break-before: page">1.1. Below</h2></section>"""
SECOND = """<section id="same"><h1>2. Second</h1><p style="break-after: page">Text.</p>
<div class="math" id="eq"><span>(2.7)</span><math><mi>x</mi><mo>=</mo><mn>1</mn></math></div>
<p style="break-before: page">Wide.</p><div style="overflow: hidden"><math>WIDE</math></div>
</section>""".replace("WIDE", "<mi>y</mi><mo>+</mo>" * 60 + "<mtext>END</mtext>")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    try:
        pdf.find_browser()
    except FileNotFoundError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    root = tmp_path_factory.mktemp("book")
    (root / "sub").mkdir()
    (root / "first.html").write_text(PAGE.format(FIRST))
    (root / "sub" / "second.html").write_text(PAGE.format(SECOND))
    parts = [(None, ["first"]), ("Appendix", ["sub/second"])]
    pdf.write_pdf(root, root / "out.pdf", parts, "A title", "An author")
    return PdfReader(root / "out.pdf")


def bookmarks(reader, outline):
    """Return the bookmarks as nested lists of title and page."""
    return [
        bookmarks(reader, one)
        if isinstance(one, list)
        else (one.title, reader.get_destination_page_number(one) + 1)
        for one in outline
    ]


@pytest.mark.slow
def test_bookmarks_nest_parts_chapters_and_sections(printed):
    # Page 1 is the title, page 2 the contents. A part begins on the page of its first chapter,
    # and the solutions end the last part.
    assert bookmarks(printed, printed.outline) == [
        ("Contents", 2),
        ("1. First", 3),
        [("1.1. Below", 4)],
        ("Appendix", 5),
        [("2. Second", 5), ("Solutions of the exercises", 8), [("1. First", 8)]],
    ]


@pytest.mark.slow
def test_links_lead_to_their_place_in_the_file_or_to_the_web(printed):
    notes = [note.get_object() for page in printed.pages for note in page.get("/Annots", [])]
    places = printed.named_destinations
    inside = {
        str(note["/Dest"]): printed.get_destination_page_number(places[note["/Dest"]]) + 1
        for note in notes
        if "/Dest" in note
    }
    assert inside == {
        "/first": 3,
        "/sub/second": 5,
        "/solutions": 8,
        "/sub/second:eq": 6,
        "/first:below": 4,
        "/first:answer": 8,
    }
    outside = {note["/A"]["/URI"] for note in notes if "/A" in note}
    assert outside == {"https://example.org/"}


@pytest.mark.slow
def test_text_has_page_numbers_equation_numbers_and_solutions_at_the_end(printed):
    texts = [page.extract_text() for page in printed.pages]
    assert "A title" in texts[0]
    assert "An author" in texts[0]
    assert sorted(filter(str.isdigit, texts[1].split())) == ["2", "3", "5", "8"]
    assert "(2.7)" in texts[5]
    assert "Forty-two" not in "".join(texts[:7])
    assert "Forty-two" in texts[7]
    assert all(str(n) in text.split() for n, text in enumerate(texts[1:], 2))


@pytest.mark.slow
def test_wide_formula_ends_on_the_paper(printed):
    # What lies beyond its box is not printed at all.
    assert "END" in printed.pages[6].extract_text()


def test_without_a_browser_the_error_says_how_to_get_one(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        pdf.find_browser()


def test_parts_follow_the_table_of_contents():
    toc = {
        "root": "intro",
        "parts": [
            {"chapters": [{"file": "notation"}]},
            {"caption": "One", "chapters": [{"file": "a"}, {"file": "b"}]},
        ],
    }
    assert pdf.parts(toc) == [(None, ["intro"]), (None, ["notation"]), ("One", ["a", "b"])]
