"""The student's version of the book: exercises without solutions, and what runs them.

Solutions stand between ``### BEGIN SOLUTION`` and ``### END SOLUTION``, as nbgrader has it. What
is released is listed, so that a new folder is left out until somebody puts it in.
"""

import ast
import html
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from latent_em.grading import notebooks
from latent_em.grading.notebooks import Exercises

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
PARTS = (
    "book",
    "benchmarks/results",
    "latent_em",
    "requirements.txt",
    "constraints.txt",
    "pyproject.toml",
    "LICENSE",
)
_LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", "_build"}
_SOLUTION = re.compile(rf"^([ \t]*){BEGIN}.*?^[ \t]*{END}[ \t]*$", re.MULTILINE | re.DOTALL)
_TAG, _SPACE = re.compile(r"<[^>]*>"), re.compile(r"\s+")
SHORTEST = 20  # characters, blanks apart, of a line that can give a solution away
README = """# {title}

The exercises are the notebooks in `book/exercises`, the chapters those in `book/chapters`.

## Begin

Python 3.11, 3.12 or 3.13 is needed.

```
python -m venv .venv
source .venv/bin/activate        # Windows: .venv\\Scripts\\activate
pip install -r requirements.txt
pip install "jupyterlab<4.6" jupyterlab-myst
jupyter lab book
```

## Solve

Write each answer where its cell says `YOUR CODE HERE`, in place of `raise NotImplementedError()`.
Imports and helper functions belong into answer cells too: cells that you add are not run.
Of `latent_em` the grade has only what the first cell imports; NumPy, SciPy and SymPy are there.
The cell after an answer checks it.
Run all cells and save.

## See your points

Save first, then type in a second terminal, in this folder:

```
source .venv/bin/activate
pytest --nbval book/exercises/{example}.ipynb
```

At the end stands a table: the exercise, the points, what is missing, and a hint.
The grade runs the same checks on data drawn anew.

## Hand in

Hand in the notebook from `book/exercises`, under its own name.
"""


def practice(book: Path) -> set[str]:
    """Return the names of the notebooks whose solutions may be seen, from ``course.toml``."""
    return set(tomllib.loads((book / notebooks.MARKER).read_text())["practice"])


def reference(book: Path) -> dict[str, NotebookNode]:
    """Return the exercise notebooks of the book, by name."""
    paths = sorted((book / "exercises").glob("*.ipynb"))
    return {path.stem: nbformat.read(path, as_version=4) for path in paths}


def blank(notebook: NotebookNode) -> NotebookNode:
    """Return a copy in which solutions are replaced by what fails until it is answered.

    Raises
    ------
    ValueError
        If an answer cell has no solution, or a solution stands elsewhere.
    """
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        answer = notebooks.kind(cell) == "answer"
        text, count = _SOLUTION.subn(
            r"\1# YOUR CODE HERE\n\1raise NotImplementedError()", cell.source
        )
        if answer != (count == 1) or BEGIN in text or END in text:
            name = notebooks.grade_id(cell) or cell.get("id")
            raise ValueError(
                f"cell {name!r} has {count} solutions, must have {int(answer)} "
                f"between {BEGIN!r} and {END!r}"
            )
        cell.source = text
        if answer:
            cell.outputs = []
    return notebook


def fragments(notebook: NotebookNode) -> dict[str, str]:
    """Return what of the solutions must be seen nowhere, without blanks; and whose it is.

    These are their comments, their statements, and the values that they assign or return, if
    long enough to say something.
    """
    found = {}
    for cell in notebook.cells:
        for match in _SOLUTION.finditer(cell.source):
            for piece in map(_squeeze, _pieces(match[0])):
                if len(piece) >= SHORTEST:
                    found.setdefault(piece, notebooks.grade_id(cell))
    return found


def _pieces(solution: str) -> Iterator[str]:
    lines = solution.splitlines()[1:-1]
    yield from (line for line in lines if line.lstrip().startswith("#"))
    text = "def f():\n" + "\n".join(f" {line}" for line in lines)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield ast.get_source_segment(text, node)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Return) and node.value is not None:
            yield ast.get_source_segment(text, node.value)


def _squeeze(text: str) -> str:
    return _SPACE.sub("", text)


def graded_fragments(book: Path) -> dict[str, str]:
    """Return the fragments of all graded notebooks of a book."""
    seen = practice(book)
    pieces = {}
    for name, notebook in reference(book).items():
        pieces |= {} if name in seen else fragments(notebook)
    return pieces


def leaks(folder: Path, pieces: dict[str, str]) -> list[tuple[Path, str]]:
    """Return where below a folder pieces of solutions can be read.

    Parameters
    ----------
    folder : Path
        Text files are read; tags of HTML and escapes of JSON are looked through.
    pieces : dict of str to str
        From `fragments`.

    Returns
    -------
    list of (Path, str)
        The file, relative to the folder; the exercise and the piece.
    """
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if b"\0" in data[:1024]:
            continue
        text = data.decode("utf-8", errors="replace")
        if path.suffix == ".html":
            text = html.unescape(_TAG.sub("", text))
        if path.suffix in {".ipynb", ".json", ".js"}:
            text = re.sub(r'",\s*"', "", text).replace(r"\n", "").replace(r"\"", '"')
        text = _squeeze(text)
        found += [
            (path.relative_to(folder), f"{whose}: {piece}")
            for piece, whose in pieces.items()
            if piece in text
        ]
    return found


def release(root: Path, target: Path) -> list[str]:
    """Write the student's version of a book into a folder.

    Parameters
    ----------
    root : Path
        The repository, or another folder with ``book/course.toml``.
    target : Path
        Must not exist, or be empty.

    Returns
    -------
    list of str
        The names of the notebooks released.

    Raises
    ------
    ValueError
        If anything released shows a piece of a graded solution. Nothing is written then.
    FileExistsError
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"DIR: {target} is not empty; name a new folder")
    book, originals = root / "book", reference(root / "book")
    seen = practice(book)
    if unknown := seen - set(originals):
        raise ValueError(f"practice in {notebooks.MARKER}: no exercises {sorted(unknown)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        _copy(root, work)
        known = {}
        for name, notebook in originals.items():
            one = notebook if name in seen else blank(notebook)
            nbformat.write(one, work / "book" / "exercises" / f"{name}.ipynb")
            known[name] = locked(name, notebook)
        text = notebooks.dump(known)
        (work / "book" / notebooks.CHECKS).write_text(text, encoding="utf-8")
        title = re.search(r"^title: (.*)$", (root / "_config.yml").read_text(), re.MULTILINE)
        example = next(iter(originals))
        readme = README.format(title=title[1] if title else root.name, example=example)
        (work / "README.md").write_text(readme, encoding="utf-8")
        if found := leaks(work, graded_fragments(book)):
            lines = "\n  ".join(f"{path}: {leak}" for path, leak in found)
            raise ValueError(f"solutions would be released:\n  {lines}")
        work.chmod(0o755)
        if target.exists():
            target.rmdir()
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return list(originals)


def locked(name: str, notebook: NotebookNode) -> Exercises:
    """Return the exercises of a notebook without the answers."""
    found = notebooks.exercises(name, notebook)
    return found._replace(answers=dict.fromkeys(found.answers, ""))


def _copy(root: Path, work: Path):
    for part in PARTS:
        if (root / part).is_dir():
            ignore = shutil.ignore_patterns(*_LEFT_OUT, ".*-*", *(["*.ipynb"] if not part else []))
            shutil.copytree(root / part, work / part, ignore=ignore)
        elif (root / part).exists():
            shutil.copy(root / part, work / part)
    shutil.rmtree(work / "book" / "exercises", ignore_errors=True)
    (work / "book" / "exercises").mkdir(parents=True)
