"""The Sphinx extension, by what a small book looks like when it is built with the real settings."""

import os
import pkgutil
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from importlib import import_module
from io import BytesIO
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

import latent_em
from latent_em.book import check, ledger, sphinx_ext

ROOT = Path(__file__).parents[2]

TOC = "{format: jb-book, root: book/intro, chapters: [file: book/api]}"
TEXT = r"""# A small book

$$
\log p(x) = \mathcal{L} + \mathrm{KL}
$$ (eq-small)

Points ($\mathbf{x}$), and then $y$.
:::{dropdown} {eq}`eq-small` folded
By {eq}`eq-small`.
:::

By {eq}`eq-small`, {math:numref}`eq-small` and {func}`small.em_step`, see {numref}`fig-small`.
"""
MODULE = '''"""A module."""


def em_step():
    """Raise the bound (eq-small), once (prf-small)."""
'''
API = """# API

```{eval-rst}
.. automodule:: small
```

```{prf:algorithm} EM
:label: prf-small

Repeat.
```
"""


def png(shade):
    """Return a grey pixel."""
    data = BytesIO()
    Image.new("L", (1, 1), shade).save(data, format="PNG")
    return b64encode(data.getvalue()).decode()


def small_book(folder, text=TEXT, frames=3):
    """Write a book of two pages; return what its strict build says and the exit code."""
    steps = {
        "tags": ["steps"],
        "mystnb": {"image": {"alt": "EM"}, "figure": {"caption": "EM, step by step."}},
        "steps": {"name": "fig-small", "alt": ["start", "after one step", "after two steps"]},
    }
    images = [new_output("display_data", {"image/png": png(50 * i)}) for i in range(frames)]
    record = {"label": "eq-small", "kind": "identity", "scope": "K = 3", "result": "residual 0"}
    line = {"text/plain": "eq-small", check.MIMETYPE: record | {"claim": "a < b"}}
    definition = record | {"label": "eq-d", "kind": "definition", "claim": ""}
    declared = {"text/plain": "eq-d", check.MIMETYPE: definition}
    outputs = [new_output("display_data", data) for data in (line, declared, line)]
    cells = [
        new_markdown_cell(text),
        new_code_cell("draw()", outputs=images, metadata=steps),
        new_code_cell("check()", outputs=outputs),
    ]
    (folder / "book" / "_static").mkdir(parents=True)
    for name in ("book.css", "a11y.js", "steps.js", "favicon.svg"):
        shutil.copy(ROOT / "book" / "_static" / name, folder / "book" / "_static")
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text(TOC)
    (folder / "book" / "references.bib").touch()
    (folder / "book" / "api.md").write_text(API)
    (folder / "small.py").write_text(MODULE)
    kernel = {"name": "python3", "display_name": "Python 3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / "book" / "intro.ipynb")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    build = [jupyter_book, "build", ".", "-W", "-n", "--keep-going"]
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(build, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small book, built."""
    folder = tmp_path_factory.mktemp("built")
    said, code = small_book(folder)
    assert code == 0, said
    return folder / "_build" / "html"


def soup(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_formulas_are_in_the_page_and_need_no_script(built):
    page = soup(built / "book" / "intro.html")
    formula = page.find(id="equation-eq-small")
    assert formula.find("math").get_text() == "log\u2061p(x)=ℒ\ufe00+KL"
    assert formula.find("math")["display"] == "block"
    assert formula.find(class_="eqno").get_text().startswith("(1)")
    assert not page.find("script", src=re.compile("mathjax", re.IGNORECASE))


def test_brackets_and_stops_stay_with_their_formula(built):
    glued = [span.get_text() for span in soup(built / "book" / "intro.html").select(".glue")]
    assert glued == ["(𝐱),", "y."]


def test_the_faces_know_the_characters_of_the_pages(built):
    fonts = built / "_static" / "fonts"
    style = (built / "_static" / "book.css").read_text(encoding="utf-8")
    named = re.findall(r'url\("fonts/(.*?)"\)', style)
    assert sorted(named) == sorted(file.name for file in fonts.iterdir())
    for name in named:
        assert {*map(ord, "Expectation–z1")} <= TTFont(fonts / name).getBestCmap().keys()
    assert {0x1D431, ord("ℒ"), 0x1D466} <= TTFont(fonts / "math.woff2").getBestCmap().keys()


def test_a_face_that_was_cut_does_not_bear_a_reserved_name(built):
    for file in (built / "_static" / "fonts").iterdir():
        names = TTFont(file)["name"].names
        assert {name.nameID for name in names} <= {0, 13, 14}
        assert any("Open Font License" in name.toUnicode() for name in names)


def test_the_pages_know_nothing_of_remote_kernels(built):
    assert "thebe" not in (built / "book" / "intro.html").read_text(encoding="utf-8")


def test_the_frames_of_a_steps_cell_are_one_figure(built):
    [figure] = soup(built / "book" / "intro.html").find_all("figure")
    alts = [image["alt"] for image in figure.find_all("img")]
    assert alts == ["start", "after one step", "after two steps"]
    assert figure["id"] == "fig-small"
    assert "EM, step by step." in figure.find("figcaption").get_text()


def test_a_check_is_one_line_that_opens_to_its_claim(built):
    page = soup(built / "book" / "intro.html")
    opens = page.find("details", class_="check")
    assert opens.find("summary").get_text() == "eq-small · identity · K = 3 · residual 0"
    assert opens.find("math").get_text() == "a<b"
    declared = page.find("p", class_="check", string=re.compile("definition"))
    assert declared.get_text().startswith("eq-d · definition")


def test_what_unfolds_has_its_links_inside(built):
    fold = soup(built / "book" / "intro.html").find("details", class_="sd-dropdown")
    assert fold.summary.find("a") is None
    assert fold.summary.get_text().strip() == "(1) folded"
    assert fold.find("a", href="#equation-eq-small").get_text() == "(1)"


def test_labels_in_docstrings_are_links(built):
    function = soup(built / "book" / "api.html").find(id="small.em_step").parent
    assert function.find("a", href="intro.html#equation-eq-small").get_text() == "(1)"
    assert function.find("a", href="#prf-small").get_text() == "Algorithm 1"


def test_the_first_check_of_an_equation_links_to_what_computes_it(built):
    [line] = soup(built / "book" / "intro.html").select(".computed-by")
    assert line.get_text() == "in the library: small.em_step"
    assert line.a["href"] == "api.html#small.em_step"
    assert line.find_previous_sibling("details").summary.get_text().startswith("eq-small")


@pytest.mark.parametrize(
    ("line", "linked"),
    [
        ("The bound (eq-elbo-gap) rises.", "The bound :eq:`eq-elbo-gap` rises."),
        ("See eq-one, eq-two.", "See :eq:`eq-one`, :eq:`eq-two`."),
        ("Already :eq:`eq-one`.", "Already :eq:`eq-one`."),
        ("Theorem (thm-ascent).", "Theorem (:prf:ref:`thm-ascent`)."),
        ("An eq-uation of seq-one is ``eq-two``", "An :eq:`eq-uation` of seq-one is ``eq-two``"),
    ],
)
def test_link_labels(line, linked):
    lines = [line]
    sphinx_ext.link_labels(None, None, None, None, None, lines)
    assert lines == [linked]


def test_the_ledger_replaces_its_mark(monkeypatch):
    monkeypatch.setattr(ledger, "page_markdown", lambda: "## Chapter\n")
    source = [f"# Ledger\n\n{sphinx_ext.LEDGER_MARK}\n"]
    sphinx_ext.write_ledger(None, None, source)
    assert source == ["# Ledger\n\n## Chapter\n\n"]


def test_the_ledger_page_has_the_mark():
    assert sphinx_ext.LEDGER_MARK in (ROOT / "book" / "appendix" / "ledger.md").read_text()


def test_the_api_page_has_every_public_module():
    page = (ROOT / "book" / "appendix" / "api.md").read_text(encoding="utf-8")
    modules = pkgutil.walk_packages(latent_em.__path__, "latent_em.")
    public = {m.name for m in modules if not m.ispkg or hasattr(import_module(m.name), "__all__")}
    # what serves the book or the estimators, which are shown as classes
    hidden = re.compile(r".*\._|latent_em\.(book|estimators|grading)\.")
    assert set(re.findall(r"automodule:: (\S+)", page)) == {
        name for name in public if not hidden.match(name)
    }


def test_what_is_broken_breaks_the_build(tmp_path):
    text = TEXT.replace("`eq-small`", "`eq-smal`").replace("em_step", "em_stp")
    text = text.replace("$y$", r"$\hatt y$")
    said, code = small_book(tmp_path, text, frames=1)
    assert code != 0
    assert "equation not found: eq-smal" in said
    assert r'not understood: 0: Unknown command "\hatt".: \hatt y' in said
    assert "math:numref reference target not found: eq-smal" in said
    assert "py:func reference target not found: small.em_stp" in said
    assert "steps: 1 frames, 3 alt texts" in said
    assert "undefined label: 'fig-small'" in said
