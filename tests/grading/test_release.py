import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbformat.v4 as nbf
import pytest

from latent_em.grading import notebooks, release

ROOT = Path(__file__).parents[2]
SOLUTION = (
    "def f(x):\n    y = 2\n    ### BEGIN SOLUTION\n    # the square of the whole sum\n"
    "    return np.sum(x + y) ** 2 / 12345.678\n    ### END SOLUTION\n"
)


def cell(text, grade_id, *, grade=False, solution=False, **more):
    about = {"grade_id": grade_id, "grade": grade, "solution": solution, "locked": not solution}
    return nbf.new_code_cell(text, metadata={"nbgrader": about | {"schema_version": 3} | more})


@pytest.fixture
def root(tmp_path):
    """A repository with one exercise and one chapter."""
    for folder in ("book/exercises", "book/chapters", "latent_em/__pycache__", "tests", ".git"):
        (tmp_path / "here" / folder).mkdir(parents=True)
    here = tmp_path / "here"
    (here / "book/course.toml").write_text("practice = []\n")
    (here / "_config.yml").write_text("title: A book\n")
    for name in ("latent_em/em.py", "latent_em/__pycache__/em.pyc", "tests/t.py", ".git/config"):
        (here / name).write_text("x = 1\n")
    for name in ("requirements.txt", "pyproject.toml", "LICENSE", "notes.txt"):
        (here / name).write_text("\n")
    cells = [
        cell("import numpy as np\n\nSEED = 1", "setup"),
        cell(SOLUTION, "one", solution=True),
        cell("print('f', f(np.ones(3)))", "one-check", grade=True, points=2),
    ]
    cells[2].outputs = [nbf.new_output("stream", name="stdout", text="f 0.0066\n")]
    nbformat.write(nbf.new_notebook(cells=cells), here / "book/exercises/01_one.ipynb")
    chapter = nbf.new_notebook(cells=[nbf.new_markdown_cell("Text.")])
    nbformat.write(chapter, here / "book/chapters/01_one.ipynb")
    return here


def test_a_release_has_what_students_need_and_no_more(root):
    assert release.release(root, root.parent / "out") == ["01_one"]
    files = {p.relative_to(root.parent / "out") for p in (root.parent / "out").rglob("*")}
    assert {str(p) for p in files if (root.parent / "out" / p).is_file()} == {
        "README.md",
        "LICENSE",
        "requirements.txt",
        "pyproject.toml",
        "latent_em/em.py",
        "book/course.toml",
        "book/checks.json",
        "book/chapters/01_one.ipynb",
        "book/exercises/01_one.ipynb",
    }
    assert "pytest --nbval book/exercises/01_one.ipynb" in (
        root.parent / "out" / "README.md"
    ).read_text(encoding="utf-8")


def test_the_solution_is_replaced_and_the_outputs_of_checks_are_kept(root):
    release.release(root, root.parent / "out")
    path = root.parent / "out/book/exercises/01_one.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    assert cells[1].source == (
        "def f(x):\n    y = 2\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
    )
    assert cells[2].outputs[0].text == "f 0.0066\n"
    known = notebooks.load((path.parents[1] / "checks.json").read_text())["01_one"]
    assert known.checks["one-check"].printed == "f 0.0066\n"
    assert known.answers == {"one": ""}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book/chapters/02_two.md", "so `return np.sum(x + y)**2 / 12345.678` it is"),
        ("book/notation.md", "The square of the whole sum: # the square of the whole sum"),
        ("latent_em/answer.py", "def g(x, y):\n    z = np.sum(x+y) ** 2/12345.678\n"),
        ("book/page.html", "np<span>.sum</span>(x<b> +</b> y) ** 2 / <i>12345.678</i>"),
        ("book/chapters/two.ipynb", json.dumps({"s": ["a = np.sum(x + y)\n", "**2 / 12345.678"]})),
        ("book/chapters/two.ipynb", json.dumps({"source": SOLUTION.splitlines(keepends=True)})),
    ],
)
def test_a_release_that_shows_a_solution_is_refused(root, name, text):
    (root / name).write_text(text)
    with pytest.raises(ValueError, match="solutions would be released"):
        release.release(root, root.parent / "out")
    assert [p.name for p in root.parent.iterdir()] == ["here"]


def test_a_solution_for_practice_is_kept(root):
    (root / "book/course.toml").write_text('practice = ["01_one"]\n')
    release.release(root, root.parent / "out")
    text = (root.parent / "out/book/exercises/01_one.ipynb").read_text()
    assert "the square of the whole sum" in text
    (root / "book/course.toml").write_text('practice = ["01_none"]\n')
    with pytest.raises(ValueError, match="01_none"):
        release.release(root, root.parent / "more")


def test_a_folder_that_is_not_empty_is_left_alone(root):
    (root.parent / "out").mkdir()
    (root.parent / "out" / "mine").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        release.release(root, root.parent / "out")


@pytest.mark.parametrize("text", ["def f(): pass", "### BEGIN SOLUTION\n1\n", "### END SOLUTION"])
def test_an_answer_needs_one_whole_solution(text):
    with pytest.raises(ValueError, match="'one'"):
        release.blank(nbf.new_notebook(cells=[cell(text, "one", solution=True)]))


def test_a_solution_stands_in_answers_alone():
    with pytest.raises(ValueError, match="has 1 solutions, must have 0"):
        release.blank(nbf.new_notebook(cells=[cell(SOLUTION, "one", grade=True)]))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The book of this repository, as students get it."""
    target = tmp_path_factory.mktemp("student") / "course"
    release.release(ROOT, target)
    return target


def test_the_book_can_be_released(released):
    pieces = release.graded_fragments(ROOT / "book")
    assert len(pieces) > 100
    assert release.leaks(released, pieces) == []
    assert not (released / "tests").exists()


def test_the_search_for_solutions_finds_them(released):
    """The release with the solutions left in must be full of them."""
    notebook = release.reference(ROOT / "book")["03_importance_sampling"]
    path = released / "book/exercises/leak.ipynb"
    nbformat.write(notebook, path)
    found = release.leaks(released, release.fragments(notebook))
    path.unlink()
    answers = set(notebooks.exercises("03_x", notebook).answers)
    assert {leak.split(": ")[0] for _, leak in found} == answers


@pytest.mark.slow
def test_each_blank_exercise_fails_because_it_is_not_answered(released):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "book/exercises"],
        cwd=released,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = re.findall(r"^  (?:\d+\.\d+ \S+ +\d+ of \d+| {10,}) +\S.*$", done.stdout, re.MULTILINE)
    count = sum(
        len(notebooks.exercises(name, notebook).checks)
        for name, notebook in release.reference(ROOT / "book").items()
    )
    assert len(lines) == count, done.stdout
    wrong = [line for line in lines if "not answered" not in line and "solve first" not in line]
    assert not wrong, "\n".join(wrong)
    shutil.rmtree(released / ".pytest_cache", ignore_errors=True)
