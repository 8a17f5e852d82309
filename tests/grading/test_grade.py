"""The grader, graded: what it says of each submission of `grading_suite`, and what it leaves."""

import csv
import hashlib
import os
import tempfile
from pathlib import Path

import grading_suite as suite
import pytest

from latent_em.grading import grade, sandbox

SEED = 20_260
CASES = suite.HONEST | suite.WRONG | suite.HOSTILE | suite.FILES
LIMITS = sandbox.Limits(seconds=8)


def hand_in_all(folder, notebook, cases=CASES, folders=suite.FOLDERS):
    for name, case in cases.items():
        suite.hand_in(folder / name, case, notebook)
    for name, one in folders.items():
        one.make(folder / name, notebook)


def tree(folder):
    """Return all that lies in a folder, with a hash of each file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    } | {str(path.relative_to(folder)): "" for path in folder.rglob("*") if not path.is_file()}


def processes():
    """Return the processes that there are, by their number, with their commands."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[folder.name] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def ours(found):
    words = ("bwrap", "ipykernel", "_boot", "latent-em", "98765")
    return {pid for pid, command in found.items() if any(word in command for word in words)}


def points(result, reference):
    owner = {c.grade_id: c.exercise for c in reference.exercises[suite.NAME].checks.values()}
    got = dict.fromkeys(suite.POINTS, 0)
    for row in result.rows:
        got[owner[row.grade_id]] += row.earned
    return got


@pytest.fixture(scope="module")
def graded(book, cut, tmp_path_factory):
    """All submissions, graded once: results by student, and what lay about before and after."""
    why = sandbox.probe(LIMITS)
    assert why == "", f"the hostile submissions need the sandbox: {why}"
    work = tmp_path_factory.mktemp("class")
    hand_in_all(work / "in", cut)
    before = tree(work / "in"), ours(processes()), set(os.listdir(tempfile.gettempdir()))
    reference = grade.run_reference(book, SEED, [suite.NAME])
    results = grade.grade(work / "in", work / "out", reference, limits=LIMITS, say=print)
    after = tree(work / "in"), ours(processes()), set(os.listdir(tempfile.gettempdir()))
    return {r.student: r for r in results}, reference, work, before, after


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *suite.FOLDERS])
def test_a_submission_gets_what_it_deserves(name, graded):
    results, reference, work, _, _ = graded
    one = CASES.get(name) or suite.FOLDERS[name]
    expected = {key: 0 if key in one.lost else of for key, of in suite.POINTS.items()}
    said = (work / "out" / "feedback" / f"{name}.md").read_text(encoding="utf-8")
    assert points(results[name], reference) == expected, said
    assert one.says in said


@pytest.mark.slow
def test_nothing_is_left_behind(graded):
    _, _, work, before, after = graded
    assert after[0] == before[0], "the submissions were changed"
    assert not after[1] - before[1], "a process goes on"
    assert not [name for name in after[2] - before[2] if name.startswith("latent-em")]
    assert {p.name for p in (work / "out").iterdir()} == {
        "grades.csv",
        "feedback",
        "junit",
        "results",
    }


@pytest.mark.slow
def test_the_csv_has_a_line_for_each_and_says_why(graded):
    results, _, work, _, _ = graded
    with open(work / "out" / "grades.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["student"] for line in lines] == sorted([*CASES, *suite.FOLDERS])
    for line in lines:
        assert int(line["total"]) == results[line["student"]].total
        assert line["seed"] == str(SEED)
