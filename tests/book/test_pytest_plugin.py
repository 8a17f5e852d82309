import subprocess
import sys

import nbformat.v4 as nbf
import pytest

from latent_em.book import notebooks


def run_nbval(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--color=no"]
    done = subprocess.run(
        [*command, "--rootdir", folder, "--nbval-current-env", *arguments, "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def notebook(tmp_path):
    """An executed notebook of two cells, in the book: text in, and a number out."""
    (tmp_path / "course.toml").write_text("practice = []\n")
    path = tmp_path / "small.ipynb"
    cells = [nbf.new_code_cell("x = 20"), nbf.new_code_cell("print(x + 1)")]
    notebooks.write(path, nbf.new_notebook(cells=cells))
    notebooks.write(path, notebooks.execute(path))
    return path


def change(path, cell, **fields):
    stored = notebooks.read(path)
    stored.cells[cell].update(fields)
    notebooks.write(path, stored)


def test_an_intact_notebook_is_green(notebook):
    code, text = run_nbval(notebook.parent, "--nbval")
    assert (code, "2 passed" in text) == (0, True), text


def test_a_stripped_notebook_is_red_and_says_what_to_do(notebook):
    for cell in (0, 1):
        change(notebook, cell, execution_count=None, outputs=[])
    code, text = run_nbval(notebook.parent, "--nbval")
    assert code == 1
    assert "2 failed" in text
    assert "make execute" in text


def test_a_changed_number_is_red(notebook):
    stored = notebooks.read(notebook)
    stored.cells[1].outputs[0].text = "22\n"
    notebooks.write(notebook, stored)
    code, text = run_nbval(notebook.parent, "--nbval")
    assert (code, "1 failed, 1 passed" in text) == (1, True), text


def test_a_removed_output_is_red(notebook):
    change(notebook, 1, outputs=[])
    assert run_nbval(notebook.parent, "--nbval")[0] == 1


def test_a_figure_is_a_drawing_that_is_the_same_in_every_run_and_is_not_compared(notebook):
    plot = "from latent_em import plotting\nplotting.use_style()\nplotting.plt.plot([1, 2]);"
    change(notebook, 0, source=plot + "\nplotting.plt.show()\nx = 20")
    twice = [notebooks.execute(notebook) for _ in range(2)]
    assert twice[0] == twice[1]
    notebooks.write(notebook, twice[0])
    drawn = notebooks.read(notebook).cells[0].outputs
    assert [sorted(output.data) for output in drawn] == [["image/svg+xml", "text/plain"]]
    drawn[0].data["image/svg+xml"] = "<svg/>"
    change(notebook, 0, outputs=drawn)
    code, text = run_nbval(notebook.parent, "--nbval")
    assert (code, "2 passed" in text) == (0, True), text


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "# NBVAL_IGNORE_OUTPUT\nprint(x + 1)"},
        {"source": "# NBVAL_SKIP\nprint(x + 1)"},
        {"metadata": {"tags": ["nbval-ignore-output"]}},
        {"metadata": {"tags": ["nbval-skip"]}},
    ],
)
def test_a_cell_taken_out_of_the_comparison_is_red(notebook, fields):
    change(notebook, 1, **fields)
    code, text = run_nbval(notebook.parent, "--nbval")
    assert (code, "1 failed, 1 passed" in text) == (1, True), text
    assert "remove it" in text


def test_later_cells_still_find_the_variables_of_a_failed_one(notebook):
    change(notebook, 0, execution_count=None)
    code, text = run_nbval(notebook.parent, "--nbval")
    assert (code, "1 failed, 1 passed" in text) == (1, True), text


def test_a_notebook_outside_the_book_is_left_to_nbval(notebook):
    (notebook.parent / "course.toml").unlink()
    for cell in (0, 1):
        change(notebook, cell, execution_count=None, outputs=[])
    code, text = run_nbval(notebook.parent, "--nbval")
    assert (code, "2 passed" in text) == (0, True), text
    assert "points" not in text


def test_nothing_happens_without_nbval(notebook):
    change(notebook, 0, execution_count=None)
    assert run_nbval(notebook.parent)[0] == 5  # nothing collected
    assert run_nbval(notebook.parent, "--nbval-lax")[0] == 0


def test_the_plugin_is_light():
    code = (
        "import sys, latent_em.book.pytest_plugin\n"
        "print(sorted({'numpy', 'sympy', 'nbformat', 'IPython'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"
