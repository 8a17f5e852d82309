"""The texts of the exercises, against the cells that they stand above."""

import re

import nbformat
import pytest

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
