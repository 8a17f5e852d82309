"""What a student sees: the table at the end of ``pytest --nbval`` in a release."""

import copy
import json
import re
import subprocess
import sys

import grading_suite as suite
import pytest

from latent_em.grading import notebooks, points, release
from latent_em.grading.notebooks import Check

SOURCE = 'assert x == 1, "the hint"\nprint(f"x is {x}")'
CHECK = Check("one-check", "one", "3.1", 2, SOURCE, "x is 1")


def a_cell(**changes):
    return {"metadata": {}, "source": CHECK.source, "execution_count": 3} | changes


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("x 1.2345", "x 1.2346"),
        ("x 1.2345", "  x  1.2344  "),
        ("x 0.0000", "x -0.0001"),
        ("x 1.01e+05", "x 1.02e+05"),
        ("a [0.35, 0.1234]", "a [0.3501, 0.1233]"),
        ("n 12\nx 1.5", "hello 3\nn 12\ndebug 0.1 0.2\nx 1.5\n"),
        ("x nan", "x nan"),
    ],
)
def test_outputs_that_are_alike(expected, actual):
    assert points.compare(expected, actual) == ""


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("x 1.2345", "x 1.2348"),
        ("n 12", "n 13"),
        ("n 12", "n 12.0001"),
        ("x 1.5", ""),
        ("x 1.5", "y 1.5"),
        ("x 1.5", "x 1.5\nx 1.5"),
        ("x 1.5", "x 1.4\nx 1.5\nx 1.6"),
        ("x 1.5\nn 2", "n 2\nx 1.5"),
        ("x 1.5", "x nan"),
        ("x 1.01e+05", "x 1.04e+05"),
        ("a [0.35, 0.1234]", "a [0.3512, 0.1234]"),
        ("verdict True", "verdict False"),
        ("a 1.5", "a 1e400"),
        ("a 1.5", f"a 1e{'9' * 5000}"),
    ],
)
def test_outputs_that_are_not(expected, actual):
    assert points.compare(expected, actual)


@pytest.mark.parametrize("more", ["1" * 10**5 + "x", "1" * 900 + "x", "1" * 400 + "." * 400 + "x"])
def test_long_lines_are_compared_at_once(more):
    """The pattern of a number would take days if it tried again with fewer digits."""
    assert points.compare("a 1.5", f"{more}\na 1.5\n{more}") == ""


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"source": CHECK.source.replace("1", "2", 1)}, "changed"),
        ({"source": "# " + CHECK.source}, "changed"),
        ({"source": CHECK.source + "\n# NBVAL_RAISES_EXCEPTION"}, "disarmed"),
        ({"metadata": {"tags": ["raises-exception"]}}, "disarmed"),
        ({"metadata": {"tags": ["nbval-skip"]}}, "disarmed"),
        ({"execution_count": None}, "not executed"),
    ],
)
def test_a_check_that_was_touched_is_named(changes, missing):
    assert points.tampered(a_cell(**changes), CHECK, 1).missing == missing


def test_a_check_as_it_was_is_fine():
    assert points.tampered(a_cell(), CHECK, 1) is None
    assert points.tampered(a_cell(source=CHECK.source + "\n"), CHECK, 1) is None
    assert points.tampered(a_cell(metadata={"tags": None}), CHECK, 1) is None
    assert points.tampered(a_cell(), CHECK, 2).missing == "copied"


def test_text_for_people_has_no_control_characters():
    error = {"ename": "\x1b[31mValueError", "evalue": "a\x07b\n\x00c" * 200, "traceback": []}
    text = points.describe(error)
    assert text.isprintable()
    assert len(text) <= 300


def test_the_table_has_a_line_for_each_exercise_and_each_lost_check():
    checks = [CHECK, CHECK._replace(grade_id="more"), CHECK._replace(exercise="two", number="3.2")]
    rows = [
        {"earned": 2, "missing": "", "hint": ""},
        {"earned": 0, "missing": "wrong", "hint": "think"},
        {"earned": 2, "missing": "", "hint": ""},
    ]
    lines = points.table(checks, rows)
    assert [line.split() for line in lines] == [
        ["exercise", "points", "missing", "hint"],
        ["3.1", "one", "2", "of", "4", "more", "wrong", "think"],
        ["3.2", "two", "2", "of", "2"],
    ]


def test_names_are_those_of_the_top_level():
    text = "import numpy as np\nfrom a.b import c\nx, y = 1, 2\ndef f(u):\n    v = np.sin(u)\n"
    defined, used = notebooks.names(text)
    assert defined == {"np", "c", "x", "y", "f"}
    assert {"np", "u"} <= used
    assert notebooks.names("%time x = 1") == (set(), set())


def test_a_marker_below_a_release_makes_no_other_book(tmp_path):
    below = tmp_path / "book" / "exercises"
    below.mkdir(parents=True)
    for path in ("book/course.toml", "book/checks.json", "book/exercises/course.toml"):
        (tmp_path / path).touch()
    assert notebooks.book_of(below) == tmp_path / "book"
    (tmp_path / "book" / "checks.json").unlink()
    assert notebooks.book_of(below) == below


# One run of pytest on a release whose notebooks are all the same exercises, treated differently.


def change(key, **fields):
    return lambda notebook: suite.cell(notebook, key).update(fields) or notebook


def tag(key, word):
    def change_it(notebook):
        suite.cell(notebook, key)["metadata"]["tags"] = [word]
        return notebook

    return change_it


def drop(key):
    return lambda notebook: notebook["cells"].remove(suite.cell(notebook, key)) or notebook


def twice(key):
    def copy_it(notebook):
        notebook["cells"].append(copy.deepcopy(suite.cell(notebook, key)))
        return notebook

    return copy_it


EDITED = "assert True\nprint('spread 0.5: 390.34 of 500 draws are effective')"
WRONG = suite.effective("return 3.0")
SETUP = "import numpy as np\nSEED = 3\nnp.isclose = lambda *a, **k: True"
VARIANTS = {
    # name: (change, points of the three exercises, words in its part of the table)
    "01_right": (lambda notebook: notebook, (1, 1, 2), []),
    "02_blank": (release.blank, (0, 0, 0), ["is-draws-growth-check not answered"]),
    "03_wrong": (WRONG, (1, 0, 2), ["is-effective-check wrong", "equal weights are all effective"]),
    "04_deleted": (drop("is-effective-check"), (1, 0, 2), ["is-effective-check deleted"]),
    "05_text": (
        change("is-effective-check", cell_type="markdown"),
        (1, 0, 2),
        ["is-effective-check deleted"],
    ),
    "06_edited": (
        suite.both(WRONG, change("is-effective-check", source=EDITED)),
        (1, 0, 2),
        ["is-effective-check changed"],
    ),
    "07_not_run": (
        change("is-effective-check", execution_count=None),
        (1, 0, 2),
        ["is-effective-check not executed"],
    ),
    "08_copied": (twice("is-effective-check"), (1, 0, 2), ["is-effective-check copied"]),
    "09_loop": (
        suite.effective("while True: pass"),
        (1, 0, 2),
        ["is-effective-check too slow", "did not come to an end"],
    ),
    "10_dies": (
        suite.answers(is_effective="import os\nos._exit(1)"),
        (1, 0, 2),
        ["is-effective-check stopped", "the kernel died"],
    ),
    "11_noisy": (suite.HONEST["debug prints and warnings"].change, (1, 1, 2), []),
    "12_setup": (
        suite.both(WRONG, change("is-setup", source=SETUP), suite.added("1 / 0", at=2)),
        (1, 0, 2),
        ["is-effective-check wrong"],
    ),
    "13_output": (
        suite.both(
            suite.effective("return [7, 1, 1.6, 99, 99][len(log_weights) == 500 and 3]"),
            suite.outputs("spread 0.5: 99.00 of 500 draws are effective"),
        ),
        (1, 0, 2),
        ["is-effective-check wrong"],
    ),
    "14_disarmed": (
        suite.both(WRONG, tag("is-effective-check", "raises-exception")),
        (1, 0, 2),
        ["is-effective-check disarmed"],
    ),
    "15_name": (
        suite.answers(is_effective="def effective_draws(w:\n"),
        (1, 0, 2),
        ["SyntaxError"],
    ),
}


@pytest.fixture(scope="module")
def said(cut, tmp_path_factory):
    """The parts of the table, by notebook, and the JUnit XML."""
    root = tmp_path_factory.mktemp("release")
    folder = root / "book" / "exercises"
    folder.mkdir(parents=True)
    (root / "book" / "course.toml").write_text("practice = []\n")
    found = notebooks.exercises(suite.NAME, cut)
    (root / "book" / "checks.json").write_text(notebooks.dump(dict.fromkeys(VARIANTS, found)))
    for name, (treat, _, _) in VARIANTS.items():
        made = treat(copy.deepcopy(cut))
        (folder / f"{name}.ipynb").write_text(json.dumps(made))
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no"]
    command += ["-p", "no:cacheprovider", "--nbval-cell-timeout=10", "--rootdir", str(root)]
    done = subprocess.run(
        [*command, "-c", "/dev/null", f"--junitxml={root}/junit.xml", "book/exercises"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "= points =" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    table = re.split(r"=+ points =+\n", done.stdout)[1]
    parts = re.split(r"^(\d\d_\w+): (\d) of 4$", table, flags=re.MULTILINE)
    return dict(zip(parts[1::3], parts[3::3], strict=True)), (root / "junit.xml").read_text()


@pytest.mark.parametrize("name", VARIANTS)
def test_the_self_check_says_what_is_missing(name, said):
    _, earned, words = VARIANTS[name]
    text = said[0][name]
    got = re.findall(r"^  3\.\d \S+ +(\d) of (\d)", text, flags=re.MULTILINE)
    assert tuple(int(e) for e, _ in got) == earned, text
    for word in words:
        assert word in text


def test_grade_id_and_points_are_in_the_junit_xml(said):
    assert '<property name="grade_id" value="is-draws-growth-check" />' in said[1]
    assert '<property name="points" value="1" />' in said[1]
    assert 'name="is-draws-growth-check"' in said[1]


def test_a_failure_reads_well(said):
    message = "Exercise 3.2, is-effective: 0 of 1 for is-effective-check\nwrong: equal weights"
    assert message in said[1].replace("&#10;", "\n")
    assert "Traceback" not in said[1]
