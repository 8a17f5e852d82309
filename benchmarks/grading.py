"""How long the grade of a class takes, and whether each gets what is deserved.

    python benchmarks/grading.py

Fifty students hand in three notebooks each. Twenty have answered all, fifteen a part, ten give a
wrong answer here and there, five hand in nothing but blanks, and every fifth of the first twenty
is hostile in one exercise. The answers are the named ones of tests/exercises and tests/grading.
"""

import copy
import csv
import importlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import results

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests" / "exercises"), str(ROOT / "tests" / "grading")]

import grading_suite  # noqa: E402

from latent_em.book import notebooks  # noqa: E402
from latent_em.grading import release  # noqa: E402
from latent_em.grading.notebooks import exercises, grade_id  # noqa: E402

NAMES = ("03_importance_sampling", "06_missing_information", "13_faster_larger")
HARMFUL = {name: case for name, case in grading_suite.HOSTILE.items() if case.sandbox}


def suites():
    """Return the named answers to the exercises of each notebook."""
    found = {}
    for name in NAMES:
        module = importlib.import_module(f"test_{name[3:]}")
        own = [one for one in vars(module).values() if getattr(one, "name", None) == name]
        found[name] = own[0]()
    return found


def student(number, rng, answers):
    """Return what one student hands in, and by exercise the points it is worth.

    An answer that is wrong must lose points, but may pass one of two checks: None.
    """
    share = 1 if number < 20 else rng.uniform(0.2, 0.9) if number < 35 else float(number < 45)
    made, worth = {}, {}
    for name, suite in answers.items():
        original = notebooks.read(notebooks.BOOK / "exercises" / f"{name}.ipynb")
        checks, notebook = exercises(name, original).checks.values(), release.blank(original)
        for cell in notebook.cells:
            if (key := grade_id(cell)) not in suite.right:
                continue
            worth[key] = 0
            kind = "wrong" if 35 <= number < 45 and rng.random() < 0.3 else "right"
            if rng.random() < share:
                named = getattr(suite, kind)[key]
                text = named[list(named)[rng.integers(len(named))]]
                cell.source = suite.cell(key, text if kind == "right" else text[0])
                of = sum(check.points for check in checks if check.exercise == key)
                worth[key] = of if kind == "right" else None
        if name == grading_suite.NAME and number < 20 and number % 5 == 0:
            case = HARMFUL[list(HARMFUL)[rng.integers(len(HARMFUL))]]
            notebook = case.change(copy.deepcopy(notebook))
            worth[grading_suite.EFFECTIVE] = 0
        made[name] = json.dumps(notebook)
    return made, worth


def hand_in(folder):
    """Write the submissions of the class; return by student and exercise what they are worth."""
    rng, answers, worth = np.random.default_rng(0), suites(), {}
    for number in range(50):
        made, worth[f"student{number:02}"] = student(number, rng, answers)
        for name, text in made.items():
            path = folder / f"student{number:02}" / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return worth


def undeserved(path, worth):
    """Return the students and exercises whose points are not those deserved."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = {line["student"]: line for line in csv.DictReader(file)}
    full = {key: max(of[key] or 0 for of in worth.values()) for key in worth["student00"]}
    seen = lines["student00"]
    return [
        (name, key, lines[name][key])
        for name, deserved in worth.items()
        for key, of in deserved.items()
        if key in seen
        and (int(lines[name][key]) >= full[key] if of is None else int(lines[name][key]) != of)
    ]


def main():
    """Grade the class, with one notebook and with three; write down the times."""
    rows = []
    with tempfile.TemporaryDirectory() as work:
        worth = hand_in(Path(work, "in"))
        for names in (NAMES[:1], NAMES):
            command = [sys.executable, "-m", "latent_em.grading", "--book", str(ROOT), "grade"]
            command += [f"{work}/in", "--out", f"{work}/{len(names)}", "--jobs", "2"]
            begin = time.perf_counter()
            subprocess.run([*command, *(f"--only={name}" for name in names)], check=True)
            seconds = time.perf_counter() - begin
            if found := undeserved(Path(work, str(len(names)), "grades.csv"), worth):
                sys.exit(f"not as deserved: {found}")
            rows.append([len(worth), len(names), 2, seconds])
    results.write("grading", ["students", "notebooks", "jobs", "seconds"], rows)


if __name__ == "__main__":
    main()
