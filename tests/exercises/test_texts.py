"""The texts of the exercises, against the cells that they stand above."""

import importlib
import re
from pathlib import Path

import nbformat
import pytest
from exercise_suite import Answers, read

from latent_em.book.notebooks import BOOK
from latent_em.grading import notebooks


@pytest.mark.parametrize("path", sorted((BOOK / "exercises").glob("*.ipynb")), ids=lambda p: p.stem)
def test_each_exercise_has_its_number_and_its_points(path):
    """Numbers and points are those of the table that a student sees at the end."""
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    said = re.findall(r"^\*\*(\d+)\.\*\* \((\d+) points?\) \S", text, re.MULTILINE)
    points = {}
    for check in notebooks.exercises(path.stem, notebook).checks.values():
        number = check.number.partition(".")[2]
        points[number] = points.get(number, 0) + check.points
    assert said == [(number, str(count)) for number, count in points.items()]


def test_every_exercise_has_its_named_answers_and_there_are_enough():
    """Of every notebook all exercises are in the tests, with three wrong answers and two right."""
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(path.stem)
    suites = {one.name: one for one in Answers.__subclasses__()}
    assert set(suites) == {path.stem for path in (BOOK / "exercises").glob("*.ipynb")}
    exercises = [(one, key) for name, one in suites.items() for key in read(name)[0].answers]
    assert len(exercises) >= 40
    for suite, key in exercises:
        assert len(suite.wrong[key]) >= 3, key
        assert len(suite.right[key]) >= 2, key


def test_the_instructor_is_told_which_points_can_be_found_by_trial():
    names = [path.stem for path in (BOOK / "exercises").glob("*.ipynb")]
    checks = [check for name in names for check in read(name)[0].checks.values()]
    sealed = sum(check.points for check in checks if "seal(" in check.source)
    text = (BOOK / "appendix" / "grading.md").read_text(encoding="utf-8")
    assert f"{sealed} of the {sum(check.points for check in checks)} points" in text
