"""The grader, graded: what it says of each submission of `grading_suite`, and what it leaves."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import grading_suite as suite
import pytest

from latent_em.grading import grade, notebooks, sandbox

SEED = 20_260
CASES = suite.HONEST | suite.WRONG | suite.HOSTILE | suite.FILES
LIMITS = sandbox.Limits(seconds=15)
OUT = {"grades.csv", "feedback", "junit", "results"}


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


def going_on(folder, seconds=60):
    """Return the processes that work in a folder, or on its files, when so many seconds are over.

    A kernel that has been killed needs a moment to be gone.
    """
    words = str(folder).encode(), b"98765"
    end = time.monotonic() + seconds
    while True:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                about = (
                    (process / "cmdline").read_bytes(),
                    os.fsencode(os.readlink(process / "cwd")),
                )
            except OSError:
                continue
            if process.name != str(os.getpid()) and any(w in part for w in words for part in about):
                found.append(about[0].replace(b"\0", b" ").decode(errors="replace"))
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


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
    (work / "tmp").mkdir()
    before = tree(work / "in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(work / "tmp"))
        reference = grade.run_reference(book, SEED, [suite.NAME])
        results = grade.grade(work / "in", work / "out", reference, limits=LIMITS, say=print)
    return {r.student: r for r in results}, reference, work, before


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *suite.FOLDERS])
def test_a_submission_gets_what_it_deserves(name, graded):
    results, reference, work, _ = graded
    one = CASES.get(name) or suite.FOLDERS[name]
    expected = {key: 0 if key in one.lost else of for key, of in suite.POINTS.items()}
    said = (work / "out" / "feedback" / f"{name}.md").read_text(encoding="utf-8")
    assert points(results[name], reference) == expected, said
    assert one.says in said


@pytest.mark.slow
def test_nothing_is_left_behind(graded):
    _, _, work, before = graded
    assert not going_on(work)
    assert tree(work / "in") == before, "the submissions were changed"
    assert not [*(work / "tmp").iterdir()]
    assert {p.name for p in (work / "out").iterdir()} == OUT


@pytest.mark.slow
def test_the_csv_has_a_line_for_each_and_says_why(graded):
    results, _, work, _ = graded
    with open(work / "out" / "grades.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["student"] for line in lines] == sorted([*CASES, *suite.FOLDERS])
    for line in lines:
        assert int(line["total"]) == results[line["student"]].total
        assert line["seed"] == str(SEED)


FEW = {
    "a": suite.HONEST["reference"],
    "b": suite.WRONG["no log-sum-exp"],
    "c": suite.HOSTILE["patched isclose, the known numbers"],
}


def start(book, work, out, *more):
    command = [sys.executable, "-u", "-m", "latent_em.grading", "--book", str(book.parent)]
    command += ["grade", str(work / "in"), "--out", str(work / out), "--jobs", "1", *more]
    (work / "tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(work / "tmp")},
    )


@pytest.mark.slow
def test_an_interrupted_grade_leaves_nothing_and_goes_on(book, cut, tmp_path):
    """Interrupted, and then killed, which leaves a folder to the next run."""
    hand_in_all(tmp_path / "in", cut, FEW, {})
    for number, (how, code) in enumerate({signal.SIGINT: 130, signal.SIGKILL: -9}.items(), start=1):
        process = start(book, tmp_path, "out", "--seed", "5")
        for line in process.stdout:
            if line.startswith(f"[{number}/3]"):
                break
        time.sleep(2)
        process.send_signal(how)
        _, error = process.communicate(timeout=60)
        assert process.returncode == code
        assert "goes on from here" in error or how == signal.SIGKILL
        assert not going_on(tmp_path)
        assert not (tmp_path / "out" / "grades.csv").exists()
        left = {p.name.partition("-")[0] for p in (tmp_path / "out").iterdir()} - OUT
        assert left == ({"seed.json"} if how == signal.SIGINT else {"seed.json", "running"})
    said, _ = start(book, tmp_path, "out").communicate(timeout=300)
    assert "a: 4 of 4  kept from the last run" in said
    assert "[3/3] c: 3 of 4" in said
    start(book, tmp_path, "again", "--seed", "5").communicate(timeout=300)
    assert not going_on(tmp_path)
    for out in ("out", "again"):
        assert {p.name for p in (tmp_path / out).iterdir()} == {*OUT, "seed.json"}
    assert not [*(tmp_path / "tmp").iterdir()]
    grades = [(tmp_path / out / "grades.csv").read_bytes() for out in ("out", "again")]
    assert grades[0] == grades[1]
    assert grades[0].decode().splitlines()[1:] == ["a,1,1,2,4,5,", "b,0,0,2,2,5,", "c,1,0,2,3,5,"]


def test_two_runs_do_not_grade_into_one_folder(cut, tmp_path):
    reference = grade.Reference(
        0, {suite.NAME: notebooks.exercises(suite.NAME, cut)}, {suite.NAME: []}
    )
    (tmp_path / "in").mkdir()
    with (
        grade._working(tmp_path),
        pytest.raises(BlockingIOError, match="another run is grading"),
    ):
        grade.grade(tmp_path / "in", tmp_path, reference)


@pytest.mark.slow
def test_other_seeds_give_the_same_verdicts(cut, tmp_path):
    """With one exercise, and an attempt that would pass on the data of the release."""
    keep = ("is-setup", suite.EFFECTIVE, f"{suite.EFFECTIVE}-check")
    small = {**cut, "cells": [c for c in cut["cells"] if notebooks.grade_id(c) in keep]}
    (tmp_path / "book" / "exercises").mkdir(parents=True)
    path = tmp_path / "book" / "exercises" / f"{suite.NAME}.ipynb"
    path.write_text(json.dumps(small))
    few = {
        "a": suite.HONEST["reference"],
        "b": suite.Case(suite.effective("w = np.exp(log_weights)\nreturn w.sum()**2 / (w @ w)")),
        "c": FEW["c"],
    }
    hand_in_all(tmp_path / "in", small, few, {})
    for seed in range(100, 120):
        reference = grade.run_reference(tmp_path / "book", seed, [suite.NAME])
        results = grade.grade(tmp_path / "in", tmp_path / "out", reference, limits=LIMITS)
        assert [result.total for result in results] == [1, 0, 0], f"seed {seed}"


@pytest.mark.slow
def test_without_a_sandbox_the_verdicts_are_the_same_and_it_says_so(book, cut, tmp_path):
    few = {name: suite.HONEST[name] for name in ("reference", "pure Python", "split cell")}
    few |= {name: suite.WRONG[name] for name in ("no answer", "no log-sum-exp", "a typing error")}
    few |= {name: suite.HOSTILE[name] for name in ("patched isclose", "sys.exit", "os._exit")}
    hand_in_all(tmp_path / "in", cut, few, {})
    process = start(book, tmp_path, "out", "--seed", "5", "--unsandboxed")
    _, error = process.communicate(timeout=300)
    assert error.count("UNSANDBOXED") == 2
    assert "can read your files" in error
    with open(tmp_path / "out" / "grades.csv", encoding="utf-8", newline="") as file:
        lines = {line["student"]: line for line in csv.DictReader(file)}
    for name, case in few.items():
        got = {key: int(lines[name][key]) for key in suite.POINTS}
        assert got == {key: 0 if key in case.lost else of for key, of in suite.POINTS.items()}, name
    assert not going_on(tmp_path)
    assert not [*(tmp_path / "tmp").iterdir()]


def test_what_is_handed_in_is_found(tmp_path):
    for path in ("a/book/exercises/01_x.ipynb", "a/01_x.ipynb", "b/.ipynb_checkpoints/01_x.ipynb"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    found = grade.students(tmp_path)
    assert list(found) == ["a", "b"]
    path, note = grade.handed_in(found["a"], "01_x")
    assert path == tmp_path / "a" / "01_x.ipynb"
    assert "2 files" in note
    assert grade.handed_in(found["b"], "01_x")[0] is None
    with pytest.raises(FileNotFoundError, match="SUBMISSIONS"):
        grade.students(tmp_path / "none")


def test_a_student_may_have_any_name(tmp_path):
    odd = [b"caf\xe9", b"two\nlines", b"x" * 255, b"=cmd|calc", "Zoë".encode()]
    for name in odd:
        Path(os.fsdecode(os.path.join(bytes(tmp_path), name))).mkdir()
    names = list(grade.students(tmp_path))
    assert len(set(names)) == len(odd)
    assert "Zoë" in names
    for name in names:
        assert name.isprintable()
        assert name[0] != "="
        (tmp_path / f"{name}.json.part").write_text(name, encoding="utf-8")


def test_a_seed_on_which_the_reference_fails_is_refused(book, tmp_path):
    path = book / "exercises" / f"{suite.NAME}.ipynb"
    (tmp_path / "exercises").mkdir()
    text = path.read_text().replace("example = log_mean", "assert SEED < 9\\nexample = log_mean")
    (tmp_path / "exercises" / path.name).write_text(text)
    with pytest.raises(ValueError, match="seed 9: the reference itself fails"):
        grade.run_reference(tmp_path, 9, [suite.NAME])


def test_a_student_who_could_not_be_graded_is_told_why(cut, tmp_path, monkeypatch):
    """Even if it is the grader that failed; the others are graded."""

    def broken(*_):
        raise OSError("no space left")

    reference = grade.Reference(
        0, {suite.NAME: notebooks.exercises(suite.NAME, cut)}, {suite.NAME: []}
    )
    monkeypatch.setattr(grade, "write_job", broken)
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (result,) = grade.grade(tmp_path / "in", tmp_path / "out", reference, say=lambda line: None)
    assert result.total == 0
    said = (tmp_path / "out" / "feedback" / "ada.md").read_text(encoding="utf-8")
    assert "not graded" in said
    assert "no space left" in said


def test_the_seed_of_the_book_is_refused(book):
    """Its numbers are in the release."""
    with pytest.raises(ValueError, match=f"seed 3 is that of {suite.NAME}"):
        grade.run_reference(book, 3, [suite.NAME])


def test_late_work_is_noted(book, cut, tmp_path):
    hand_in_all(tmp_path, cut, {"a": FEW["a"]}, {})
    reference = grade.Reference(
        0, {suite.NAME: notebooks.exercises(suite.NAME, cut)}, {suite.NAME: []}
    )
    due = datetime.now().astimezone()
    assert "late" in grade.read(tmp_path / "a", reference, due - timedelta(1))[suite.NAME].notes[0]
    assert not grade.read(tmp_path / "a", reference, due + timedelta(1))[suite.NAME].notes
