"""What is left of a built book, on a small one with one of everything."""

import json
from pathlib import Path
from types import SimpleNamespace

import pydata_sphinx_theme
import pytest
from fontTools.ttLib import TTFont
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from latent_em.book import assets

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
ICONS = "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
PAGE = """<!DOCTYPE html><html><head><link rel="stylesheet" href="../_static/theme.css">
<script>document.documentElement.dataset.mode = localStorage.getItem("mode") || "";</script>
<script src="../_static/scripts/fontawesome.js?digest=8"></script>
<script src="../_static/used.js?v=1"></script></head>
<body><i class="fa-solid fa-bars"></i><div class="highlight"><pre><span class="k">if</span>\
<span class="w"> </span><span class="o">-</span><span class="n">x</span></pre></div>\
<span class="n">x</span>
<img alt="A plot." src="../_images/plot.png"></body></html>
"""
STYLE = """@font-face{font-family:F;src:url(webfonts/fa-solid-900.woff2) format("woff2"),\
url(webfonts/fa-solid-900.ttf) format("truetype")}\
@font-face{font-family:F;src:url(webfonts/fa-brands-400.woff2) format("woff2")}\
.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}.fa-ghost:before{content:"\\f6e2"}\
:root{--pst-icon-bell:"\uf0f3"}
/*# sourceMappingURL=theme.css.map */"""


@pytest.fixture
def root(tmp_path):
    picture = new_output("display_data", {"image/png": "iVBORw0", "text/plain": "<Figure>"})
    notebook = new_notebook(cells=[new_code_cell("plot()", outputs=[picture])])
    for name, text in {
        "book/page.html": PAGE,
        "_static/theme.css": STYLE,
        "_static/theme.css.map": "{}",
        "_static/used.js": "go()\n//# sourceMappingURL=used.js.map",
        "_static/scripts/fontawesome.js": "// see fontawesome.js.LICENSE.txt",
        "_static/locales/de/messages.po": "",
        "_static/macros.html": "<script src='fontawesome.js'></script>",
        "_sources/book/page.ipynb": json.dumps(notebook),
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for name in (ICONS, "_images/plot.png"):
        (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / ICONS).write_bytes((THEME / ICONS.removeprefix("_static/")).read_bytes())
    Image.new("L", (30, 20)).save(tmp_path / "_images" / "plot.png")
    assets.slim(SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html")), None)
    return tmp_path


def test_what_nothing_names_is_gone(root):
    kept = {str(path.relative_to(root / "_static")) for path in (root / "_static").rglob("*")}
    assert {name for name in kept if "." in name} == {
        "theme.css",
        "used.js",
        ICONS.removeprefix("_static/"),
    }
    assert not (root / "_static" / "locales").exists()


def test_source_maps_are_not_asked_for(root):
    assert (root / "_static" / "used.js").read_text() == "go()"
    assert "sourceMappingURL" not in (root / "_static" / "theme.css").read_text(encoding="utf-8")


def test_the_icons_are_those_in_use(root):
    style = (root / "_static" / "theme.css").read_text(encoding="utf-8")
    assert '.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}' in style
    for gone in ("fa-ghost", "brands", "ttf"):
        assert gone not in style
    assert set(TTFont(root / ICONS).getBestCmap()) == {0xF0C9, 0xF0F3}


def test_pictures_wait_in_a_place_of_their_size(root):
    page = (root / "book" / "page.html").read_text(encoding="utf-8")
    assert '<img loading="lazy" width="30" height="20" alt="A plot."' in page


def test_listings_have_no_spans_without_a_colour(root):
    page = (root / "book" / "page.html").read_text(encoding="utf-8")
    assert '<pre><span class="k">if</span> -x</pre></div><span class="n">x</span>' in page


def test_a_drawing_keeps_what_is_seen():
    drawing = (
        '<?xml version="1.0"?>\n<svg width="90.0pt" height="60pt">\n <metadata><a/></metadata>\n'
        ' <!-- line -->\n <g s="0.0117" d="M 1.23456 2\nL 3.4 5.6789"/>\n</svg>\n'
    )
    kept = '<svg width="90.0pt" height="60pt"><g s="0.0117" d="M1.23 2L3.4 5.67"/></svg>'
    assert assets.slim_drawing(drawing) == kept


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ('<path d="M 10.00 -0.375054 C 1.50 -2 3 0.004 z "/>', '<path d="M10-0.37C1.5-2 3 0z"/>'),
        (
            '<g id="axes_1" style="fill: #00ff00; stroke: red"/>',
            '<g style="fill:#00ff00;stroke:red"/>',
        ),
        (
            '<use xlink:href="#m2"/><path id="m2"/><g clip-path="url(#p)" fill="#a"/><g id="p"/>',
            '<use href="#i0"/><path id="i0"/><g clip-path="url(#i1)" fill="#a"/><g id="i1"/>',
        ),
    ],
)
def test_a_drawing_says_the_same_in_fewer_characters(long, short):
    assert assets.slim_drawing(long) == short
    assert assets.slim_drawing(short) == short


def test_the_size_of_a_drawing_is_in_pixels(tmp_path):
    (tmp_path / "a.svg").write_text('<svg version="1.1" width="90.0pt" height="60pt"/>')
    assert assets.picture_size(tmp_path / "a.svg") == [120, 80]


def test_the_first_visit_is_no_error(root):
    assert 'getItem("mode") || "auto";' in (root / "book" / "page.html").read_text(encoding="utf-8")


def test_a_notebook_is_handed_out_without_its_pictures(root):
    [cell] = json.loads((root / "_sources" / "book" / "page.ipynb").read_text())["cells"]
    assert cell["outputs"][0]["data"] == {"text/plain": "<Figure>"}
