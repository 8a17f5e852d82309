"""Exercise notebooks by ``grade_id``: which cells they have, and what a submission answers.

The cells carry nbgrader's metadata, version 3. A *set-up* cell is locked and earns nothing, an
*answer* cell is the student's, a *check* cell is locked and has points. An exercise is an answer
cell with the checks that follow it.
"""

import ast
import functools
import json
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

MARKER = "course.toml"  # its folder, and all below, is the book
CHECKS = "checks.json"  # beside the marker in a release: what the locked cells were
MAX_BYTES = 20_000_000  # of a submitted notebook

_SEED = re.compile(r"^SEED = \d+$", re.MULTILINE)


class Check(NamedTuple):
    """A check cell.

    ``exercise`` is the grade_id of its answer, ``number`` reads like "3.1", and ``printed`` is
    what the check prints when the answer is right.
    """

    grade_id: str
    exercise: str
    number: str
    points: int
    source: str
    printed: str


class Exercises(NamedTuple):
    """The locked cells and the answers of a notebook, each by its grade_id, in order.

    ``fresh`` is true in the official grade, where the seed is one the student has not seen.
    """

    setup: dict[str, str]
    answers: dict[str, str]
    checks: dict[str, Check]
    fresh: bool = False


class UnreadableError(Exception):
    """A submitted file that cannot be graded; the message says why."""


def book_of(path: Path) -> Path | None:
    """Return the folder of the book that a file or folder belongs to, or None.

    In a release it is the one with the checks, whatever lies below it.
    """
    marked = [p for p in (path, *path.parents) if (p / MARKER).is_file()]
    return next((p for p in marked if (p / CHECKS).is_file()), marked[0] if marked else None)


def grade_id(cell: dict) -> str:
    """Return the grade_id of a cell, or an empty string."""
    value = _nbgrader(cell).get("grade_id", "")
    return value if isinstance(value, str) else ""


def kind(cell: dict) -> str:
    """Return "setup", "answer", "check", or an empty string for a cell that is none of these."""
    about = _nbgrader(cell)
    if not about:
        return ""
    if about.get("solution"):
        return "answer"
    return "check" if about.get("grade") else "setup"


def _nbgrader(cell: dict) -> dict:
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return about if isinstance(about, dict) else {}


def source(cell: dict) -> str:
    """Return the source of a cell, which a file may hold as lines."""
    text = cell.get("source", "")
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    text = text if isinstance(text, str) else ""
    return text.encode("utf-8", "replace").decode()  # JSON can hold halves of characters


def printed(cell: dict) -> str:
    """Return what a cell has written to stdout."""
    streams = [o for o in cell.get("outputs", []) if o.get("name") == "stdout"]
    return "".join("".join(o["text"]) for o in streams)


def exercises(name: str, notebook: dict) -> Exercises:
    """Return the exercises of a notebook of the reference.

    Parameters
    ----------
    name : str
        ``NN_name``; NN is the chapter in the exercises' numbers.
    notebook : dict

    Raises
    ------
    ValueError
        If a grade_id stands twice or a check stands before the first answer.
    """
    chapter = name.split("_")[0].lstrip("0")
    setup, answers, checks = {}, {}, {}
    for cell in notebook["cells"]:
        if not (what := kind(cell)):
            continue
        key, text = grade_id(cell), source(cell)
        if key in {*setup, *answers, *checks}:
            raise ValueError(f"grade_id {key!r} of {name} stands twice; each must be used once")
        if what == "setup":
            setup[key] = text
        elif what == "answer":
            answers[key] = text
        elif not answers:
            raise ValueError(f"check {key!r} of {name} must follow an answer cell")
        else:
            number = f"{chapter}.{len(answers)}"
            points = cell["metadata"]["nbgrader"]["points"]
            checks[key] = Check(key, [*answers][-1], number, points, text, printed(cell))
    return Exercises(setup, answers, checks)


def dump(book: dict[str, Exercises]) -> str:
    """Return the text of ``checks.json`` for the notebooks of a book, by name; answers left out."""
    plain = {
        name: {
            "setup": one.setup,
            "answers": list(one.answers),
            "checks": [c._asdict() for c in one.checks.values()],
            "fresh": one.fresh,
        }
        for name, one in book.items()
    }
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def load(text: str) -> dict[str, Exercises]:
    """Return what `dump` has written, with empty answers."""
    return {
        name: Exercises(
            one["setup"],
            dict.fromkeys(one["answers"], ""),
            {c["grade_id"]: Check(**c) for c in one["checks"]},
            one["fresh"],
        )
        for name, one in json.loads(text).items()
    }


def read_submission(path: Path) -> list[dict]:
    """Read the cells of a file that somebody else has written.

    Raises
    ------
    UnreadableError
        If it is a symbolic link, no regular file, too large, or no notebook.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        link = path.is_symlink()
        raise UnreadableError(
            "a symbolic link is not read" if link else f"cannot be read: {error.strerror}"
        ) from error
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise UnreadableError("is no regular file")
        if about.st_size > MAX_BYTES:
            raise UnreadableError(
                f"has {about.st_size / 1e6:.0f} MB, may have {MAX_BYTES / 1e6:.0f}: clear outputs"
            )
        text = file.read(MAX_BYTES + 1)
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError("is no notebook: truncated, or not saved by Jupyter") from error
    if not (isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)):
        raise UnreadableError("is no notebook: its cells cannot be read")
    return cells


def with_seed(text: str, seed: int) -> str:
    """Put a seed into the source of a set-up cell."""
    return _SEED.sub(f"SEED = {seed}", text)


def functions(setup: dict[str, str]) -> str:
    """Return the source of the functions that set-up cells define."""
    nodes = [node for text in setup.values() for node in ast.parse(text).body]
    return "\n\n".join(ast.unparse(n) for n in nodes if isinstance(n, ast.FunctionDef))


@functools.lru_cache(1000)
def names(text: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell defines at its top level and those that it uses.

    Both are empty for a cell that is not plain Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    defined, used, nodes = set(), set(), [(node, True) for node in tree.body]
    while nodes:
        node, top = nodes.pop()
        inner = top
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = False
            found = {node.name}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found = {(a.asname or a.name).split(".")[0] for a in node.names}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found = {node.id}
        else:
            found = set()
        if isinstance(node, ast.Name):
            used.add(node.id)
        defined |= found if top else set()
        nodes += [(child, inner) for child in ast.iter_child_nodes(node)]
    return defined, used
