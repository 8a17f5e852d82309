import copy
import json
import sys

import nbformat.v4 as nbf
import pytest

from latent_em.book import notebooks

BOOK = notebooks.find()
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


def code(source="1", count=1, outputs=(), **metadata):
    cell = nbf.new_code_cell(source, execution_count=count, outputs=list(outputs))
    cell.metadata.update(metadata)
    return cell


def printed(text, name="stdout"):
    return nbf.new_output("stream", name=name, text=text)


def problems(*cells):
    return notebooks.stored_output_problems(nbf.new_notebook(cells=list(cells)))


@pytest.mark.parametrize("path", BOOK, ids=lambda path: path.stem)
def test_the_stored_outputs_of_the_book_are_true_to_form(path):
    lines = notebooks.MAX_LINES if path.parent.name == "chapters" else 1000
    assert notebooks.stored_output_problems(notebooks.read(path), lines) == []


@pytest.mark.parametrize("path", BOOK, ids=lambda path: path.stem)
def test_the_book_is_stored_normalised(path, tmp_path):
    stored = notebooks.read(path)
    copied = tmp_path / path.name
    copied.write_bytes(path.read_bytes())
    assert not notebooks.write(copied, notebooks.normalise(stored))


def test_nothing_is_wrong_with_a_sound_notebook():
    image = nbf.new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"})
    cells = [
        nbf.new_markdown_cell("Words."),
        code("print(-0.5, 1e-05)", 1, [printed("-0.5 1e-05 10-0 eq-0-a\n")]),
        code("", None),
        code(FIGURE, 2, [image], mystnb={"image": {"alt": "A line from 1 to 2."}}),
        code(FIGURE, 3, [image, image], steps={"alt": ["A line at 1.", "A line at 2."]}),
        code("\n\n".join("x" for _ in range(15)), 4),
    ]
    assert problems(*cells) == []


IMAGE = nbf.new_output("display_data", {"image/png": "aGk="})


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (code(count=None), "execution count is None, must be 1"),
        (code(count=2), "execution count is 2, must be 1"),
        (code(outputs=[nbf.new_output("error", ename="KeyError")]), "stores an error, KeyError"),
        (code(outputs=[printed("careful", "stderr")]), "stderr: 'careful'"),
        (code("# NBVAL_IGNORE_OUTPUT\n1"), "keeps nbval from comparing"),
        (code("1  # NBVAL_SKIP"), "keeps nbval from comparing"),
        (code(tags=["nbval-ignore-output"]), "keeps nbval from comparing"),
        (code(tags=["raises-exception"]), "keeps nbval from comparing"),
        (code(outputs=[IMAGE]), "alt text is ''"),
        (code(outputs=[IMAGE], mystnb={"image": {"alt": " "}}), "alt text is ' '"),
        (code(outputs=[IMAGE], mystnb={"image": {"alt": "../fig_1.png"}}), "alt text is '../fig"),
        (code(outputs=[IMAGE], steps={"alt": ["one", "two"]}), "2 alt texts for 1 frames"),
        (code(outputs=[IMAGE], steps={"alt": [""]}), "alt text is ''"),
        (code("\n".join("x" for _ in range(16))), "16 lines, must be at most 15"),
        (code(outputs=[printed("[ 1. -0.]")]), "a negative zero, -0."),
        (code(outputs=[printed("(-0.000, 2)")]), "a negative zero, -0.000"),
        (code(outputs=[printed("<object at 0x7f1c2b3d4e50>")]), "an address, 0x7f1c2b3d4e50"),
        (code(outputs=[nbf.new_output("execute_result", {"text/html": "-0.0"})]), "negative zero"),
    ],
)
def test_each_problem_is_found(cell, message):
    (found,) = problems(nbf.new_markdown_cell("Words."), cell)
    assert found.startswith("cell 1: ")
    assert message in found


def test_execution_is_normalised_and_repeatable(tmp_path):
    path = tmp_path / "small.ipynb"
    sources = ["import sys\nx = 3", "print('a')\nprint(x, flush=True)\nprint('b')", "", "x", FIGURE]
    stored = nbf.new_notebook(cells=[nbf.new_code_cell(source) for source in sources])
    stored.metadata["language_info"] = {"name": "python", "version": "3.4.5"}
    stored.nbformat_minor = 4
    for cell in stored.cells:
        cell.metadata["execution"] = {"iopub.status.busy": "2020-01-01"}
        del cell["id"]
    assert notebooks.write(path, stored)
    assert notebooks.write(path, notebooks.execute(path))
    done = json.loads(path.read_text())
    assert done["metadata"]["language_info"] == {"name": "python"}
    assert [cell["execution_count"] for cell in done["cells"]] == [1, 2, None, 3, 4]
    assert [len(cell["outputs"]) for cell in done["cells"]] == [0, 1, 0, 1, 1]
    assert all(cell["metadata"] == {} for cell in done["cells"])
    assert len({cell["id"] for cell in done["cells"]}) == 5
    assert path.read_bytes().endswith(b"}\n")

    before = path.read_bytes()
    assert not notebooks.write(path, notebooks.execute(path))
    assert path.read_bytes() == before


def test_the_kernel_is_this_python_in_the_folder_of_the_notebook(tmp_path):
    path = tmp_path / "small.ipynb"
    cell = nbf.new_code_cell("import os, sys\nprint(sys.executable, os.getcwd())")
    notebooks.write(path, nbf.new_notebook(cells=[cell]))
    text = notebooks.execute(path).cells[0].outputs[0].text
    assert text.split() == [sys.executable, str(tmp_path)]


def test_a_failing_notebook_is_reported_and_left_alone(tmp_path, capsys):
    path = tmp_path / "small.ipynb"
    notebooks.write(path, nbf.new_notebook(cells=[nbf.new_code_cell("1 / 0")]))
    before = path.read_bytes()
    assert notebooks.main([str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["small.ipynb"]


def test_normalising_twice_changes_nothing():
    once = notebooks.normalise(nbf.new_notebook(cells=[code()]))
    assert notebooks.normalise(copy.deepcopy(once)) == once
