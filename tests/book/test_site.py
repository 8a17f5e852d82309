"""Each problem that the page check knows is planted once, and found."""

import pytest

from latent_em.book import site

PAGE = """<!DOCTYPE html>
<html lang="en"><head>
<link rel="stylesheet" href="_static/book.css">
<link rel="canonical" href="https://example.org/">
<script src="_static/book.js"></script>
</head><body><article>
<p id="top">See <a href="part/other.html#here">there</a>, <a href="#top">here</a>,
<a href="https://example.org/elsewhere">elsewhere</a> or
<a href="mailto:a@example.org">write</a>.</p>
<img src="plot.png" alt="Two bumps, at 54 and 80 minutes.">
<div class="math">\\[ {eq} \\]</div>
<pre>:::{note} is shown as it is in code, and so is {eq}`this`</pre>
</article></body></html>
"""
OTHER = """<!DOCTYPE html>
<html lang="en"><body><h1 id="here">Other</h1><a href="../index.html">Back</a></body></html>
"""


@pytest.fixture
def root(tmp_path):
    for name, text in {
        "index.html": PAGE,
        "part/other.html": OTHER,
        "_static/book.css": "body { background: url(data:image/png;base64,AAAA) }",
        "_static/book.js": "// code",
        "_static/macros.html": "<a href='nowhere.html'>a template, not a page</a>",
        "plot.png": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_sound_site_has_no_problems(root, capsys):
    assert list(site.problems(root)) == []
    assert site.main([str(root)]) == 0
    assert capsys.readouterr().out == "The built pages are sound\n"


@pytest.mark.parametrize(
    ("planted", "problem"),
    [
        ('<a href="missing.html">x</a>', "no such file: missing.html"),
        ('<a href="part/other.html#gone">x</a>', "no such anchor: part/other.html#gone"),
        ('<a href="#gone">x</a>', "no such anchor: #gone"),
        ('<a href="../outside.html">x</a>', "leads out of the book: ../outside.html"),
        ('<meta http-equiv="Refresh" content="0; url=gone.html">', "no such file: gone.html"),
        ('<img src="gone.png" alt="A plot.">', "no such file: gone.png"),
        ('<script src="gone.js"></script>', "no such file: gone.js"),
        ('<link rel="stylesheet" href="gone.css">', "no such file: gone.css"),
        ('<img src="plot.png">', "no alt text: plot.png"),
        ('<img src="plot.png" alt="">', "empty alt text: plot.png"),
        ('<img src="plot.png" alt="_images/plot.png">', "the alt text is a file name: _images/"),
        ('<script src="https://cdn.example/x.js"></script>', "another host: https://cdn.example"),
        ('<script src="//cdn.example/x.js"></script>', "another host: //cdn.example/x.js"),
        ('<img src="http://a.example/x.png" alt="A plot.">', "another host: http://a.example"),
        ('<iframe src="https://a.example"></iframe>', "another host: https://a.example"),
        ('<img src="plot.png" srcset="https://a.example/2.png 2x" alt="A.">', "host: https://a.ex"),
        ('<style>@import "https://a.example/x.css";</style>', "another host: https://a.example"),
        ("<style>p { background: url('https://a.example/x') }</style>", "host: https://a.example"),
        ('<p style="background: url(https://a.example/x)"></p>', "another host: https://a.example"),
        ("<p>By {eq}<code>eq-elbo</code>.</p>", "markup left unrendered: By {eq}"),
        ("<p>By {math:numref}`eq-elbo`.</p>", "markup left unrendered: By {math:numref}"),
        ("<p>:::{note}</p>", "markup left unrendered: :::{note}"),
        ("<p>(sec-em)=</p>", "markup left unrendered: (sec-em)="),
        ('<span class="problematic">eq-elbo</span>', "the build's own complaint: eq-elbo"),
        ("<pre>### BEGIN SOLUTION</pre>", "the solution of an exercise"),
    ],
)
def test_a_planted_problem_is_found(root, capsys, planted, problem):
    page = root / "index.html"
    page.write_text(PAGE.replace("</article>", planted + "</article>"), encoding="utf-8")
    [(where, found)] = site.problems(root)
    assert str(where) == "index.html"
    assert problem in found
    assert site.main([str(root)]) == 1
    assert f"index.html: {found}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("_static/book.css", '@import "https://a.example/x.css";', "loads from another host"),
        ("_static/book.css", "@font-face { src: url(gone.woff) }", "no such file: gone.woff"),
        ("searchindex.js", "### BEGIN SOLUTION", "the solution of an exercise"),
        ("_static/large.js", "x" * 300_001, "a script of more than 300 kB"),
    ],
)
def test_a_problem_beside_the_pages_is_found(root, name, text, problem):
    (root / name).write_text(text, encoding="utf-8")
    [(where, found)] = site.problems(root)
    assert str(where) == name
    assert problem in found


def test_the_weight_of_the_book_is_limited_without_its_downloads(root, monkeypatch):
    weight = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
    (root / "_sources").mkdir()
    (root / "_sources" / "page.ipynb").write_text("{}")
    monkeypatch.setattr(site, "LARGEST_BOOK", weight)
    assert list(site.problems(root)) == []
    (root / "plot.png").write_bytes(b"1")
    [(where, found)] = site.problems(root)
    assert str(where) == "."
    assert found == "the book weighs 0.0 MB without its downloads, must be under 0.0 MB"


def test_a_folder_without_pages_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a folder with"):
        list(site.problems(tmp_path))
