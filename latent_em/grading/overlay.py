"""Lay the answers of a submission over the locked cells of the reference.

Each check gets a notebook of its own: the set-up, the answers that the check needs, and the check.
So an answer that ends the kernel, or never ends, costs its own points alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import nbformat.v4 as nbf
from nbformat import NotebookNode

from latent_em.grading import notebooks
from latent_em.grading.notebooks import Exercises

MOST_CELLS = 20  # that one answer may be spread over
MOST_CHARACTERS = 100_000  # of one of them


class Submission(NamedTuple):
    """The sources of the answer cells, by grade_id, and what is worth a note."""

    answers: dict[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


def take(cells: Sequence[dict], reference: Exercises) -> Submission:
    """Take from the cells of a submission the answers, and nothing else.

    An answer may stand in several cells, as after Jupyter's "split cell" or "copy cell": all of
    them run, in order, so that the last definition counts.
    """
    answers, notes, seen = {}, [], set()
    for cell in cells:
        key = notebooks.grade_id(cell)
        code = cell.get("cell_type") == "code"
        seen |= {key} if code else set()
        if key in reference.answers and not code:
            notes.append(f"{key}: the answer cell was turned into text")
        elif key in reference.answers and len(notebooks.source(cell)) > MOST_CHARACTERS:
            notes.append(f"{key}: an answer may have {MOST_CHARACTERS} characters; this is not run")
        elif key in reference.answers:
            answers[key] = (*answers.get(key, ()), notebooks.source(cell))[-MOST_CELLS:]
        elif code and not key and notebooks.source(cell).strip():
            notes.append("a cell was added; it is not run")
    for key, check in reference.checks.items():
        if key not in seen:
            notes.append(f"{key}: the check was deleted; the original is run")
        elif any(_changed(cell, check) for cell in cells if notebooks.grade_id(cell) == key):
            notes.append(f"{key}: the check was changed; the original is run")
    for key in reference.answers:
        count = len(answers.get(key, ()))
        if not count and not any(note.startswith(f"{key}:") for note in notes):
            notes.append(f"{key}: there is no answer cell")
        elif count > 1:
            notes.append(f"{key}: {count} answer cells; run in order, the last definition counts")
    return Submission(answers, tuple(dict.fromkeys(notes)))


def _changed(cell: dict, check: notebooks.Check) -> bool:
    return notebooks.source(cell).strip() != check.source.strip()


def needed(answers: dict[str, tuple[str, ...]], reference: Exercises, check: str) -> list[str]:
    """Return the grade_ids of the answers that a check needs, in the order of the notebook.

    These are the answer above it, those whose names it uses, and those whose names these use.
    """
    order = list(reference.answers)
    above = order[: order.index(reference.checks[check].exercise) + 1]
    defined, used = {}, {}
    for key in above:
        cells = [notebooks.names(text) for text in answers.get(key, ())]
        defined[key] = notebooks.names(reference.answers[key])[0].union(*(d for d, _ in cells))
        used[key] = set().union(*(u for _, u in cells))
    given = set().union(*(notebooks.names(text)[0] for text in reference.setup.values()))
    own, wanted = notebooks.names(reference.checks[check].source)
    found, wanted = {above[-1]}, wanted - own
    while True:
        names = wanted.union(*(used[key] for key in found)) - given
        more = {key for key in above if defined[key] & names}
        if more <= found:
            return [key for key in above if key in found]
        found |= more


def assemble(submission: Submission, reference: Exercises, check: str) -> NotebookNode:
    """Return the notebook that decides about one check.

    It holds no output: what the check must print stays with the grader.
    """
    cells = [_cell(key, text, grade=False, solution=False) for key, text in reference.setup.items()]
    for key in needed(submission.answers, reference, check):
        for text in submission.answers.get(key, ()):
            cells.append(_cell(key, text, grade=False, solution=True))
    cells.append(_cell(check, reference.checks[check].source, grade=True, solution=False))
    cells[-1].execution_count = 1
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return nbf.new_notebook(cells=cells)


def _cell(key: str, text: str, *, grade: bool, solution: bool) -> NotebookNode:
    about = {
        "schema_version": 3,
        "grade": grade,
        "locked": not solution,
        "solution": solution,
        "grade_id": key,
    }
    return nbf.new_code_cell(text, metadata={"nbgrader": about})
