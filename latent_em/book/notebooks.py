"""Execute the book's notebooks and store normalised outputs.

``python -m latent_em.book.notebooks [PATH ...]`` is what ``make execute`` runs.

A notebook that did not change keeps every byte when it is executed again. What a stored output
must be, for a reader and for ``pytest --nbval``, is in `stored_output_problems`.
"""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

BOOK = Path(__file__).resolve().parents[2] / "book"
TIMEOUT = 600  # seconds a cell may take
MAX_LINES = 15

_HIDES_OUTPUT = re.compile(r"nbval[-_]|raises-exception", re.IGNORECASE)
_NEGATIVE_ZERO = re.compile(r"(?<![\w.-])-0(\.0*)?(e[+-]\d+)?(?![\w.])")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}", re.IGNORECASE)
_FILE_NAME = re.compile(r"\S*\.(png|svg|jpe?g)|\S*/\S*")


class ThisPython(AsyncKernelManager):
    """Starts kernels of this Python, not of a python3 that is installed elsewhere."""

    kernel_spec = KernelSpec(**get_kernel_dict())


def find(root: Path = BOOK) -> list[Path]:
    """Return all notebooks below a folder, built copies left out."""
    return sorted(
        p for p in root.rglob("*.ipynb") if not {"_build", ".ipynb_checkpoints"} & {*p.parts}
    )


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def write(path: Path, notebook: NotebookNode) -> bool:
    """Write a notebook in one piece or not at all; return whether its bytes changed."""
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    if path.exists() and path.read_bytes() == text.encode():
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(name, path.stat().st_mode if path.exists() else 0o644)
    os.replace(name, path)
    return True


def execute(path: Path) -> NotebookNode:
    """Execute a notebook in a kernel of this Python and return it, normalised.

    Parameters
    ----------
    path : Path
        The kernel runs in the notebook's folder, as it does under nbval.

    Returns
    -------
    NotebookNode

    Raises
    ------
    nbclient.exceptions.CellExecutionError
    """
    notebook = read(path)
    client = NotebookClient(
        notebook,
        kernel_manager_class=ThisPython,
        timeout=TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return normalise(notebook)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Keep of the metadata what is the same on every machine; give every cell an id."""
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        if "id" not in cell:
            cell["id"] = hashlib.sha256(f"{number}{cell.source}".encode()).hexdigest()[:8]
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code" and not cell.source.strip():
            cell.execution_count, cell.outputs = None, []
    return notebook


def stored_output_problems(notebook: NotebookNode, max_lines: int = MAX_LINES) -> list[str]:
    """Return what is wrong with a notebook as it is stored; an empty list if nothing is.

    Parameters
    ----------
    notebook : NotebookNode
    max_lines : int
        Lines, blank ones apart, that a code cell may have.

    Returns
    -------
    list of str
        Each names the cell, counted from 0 with the Markdown cells.
    """
    problems, count = [], 0
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source.strip():
            count += 1
            problems += [f"cell {number}: {p}" for p in _cell_problems(cell, count, max_lines)]
    return problems


def _cell_problems(cell: NotebookNode, count: int, max_lines: int) -> Iterator[str]:
    if cell.execution_count != count:
        yield f"execution count is {cell.execution_count}, must be {count}: run make execute"
    for tag in (*cell.metadata.get("tags", []), *re.findall("#.*", cell.source)):
        if _HIDES_OUTPUT.search(tag):
            yield f"{tag!r} keeps nbval from comparing its output"
    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
    if lines > max_lines:
        yield f"{lines} lines, must be at most {max_lines}: move code into the package"
    images = sum(any(m.startswith("image/") for m in o.get("data", {})) for o in cell.outputs)
    alts = cell.metadata.get("steps", {}).get("alt")  # a figure of several frames
    if alts is not None and len(alts) != images:
        yield f"{len(alts)} alt texts for {images} frames"
    for alt in alts or [cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")]:
        if images and (not alt.strip() or _FILE_NAME.fullmatch(alt.strip())):
            yield f"alt text is {alt!r}, must say what the image shows (mystnb.image.alt)"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stores an error, {output.ename}"
        if output.get("name") == "stderr":
            yield f"writes to stderr: {output.text[:80]!r}"
        for text in _texts(output):
            for pattern, what in ((_NEGATIVE_ZERO, "a negative zero"), (_ADDRESS, "an address")):
                if found := pattern.search(text):
                    yield f"prints {what}, {found[0]}, which differs between machines"


def _texts(output: NotebookNode) -> list[str]:
    data = output.get("data", {})
    return [output.get("text", ""), *(data[m] for m in data if m.startswith("text/"))]


def main(arguments: list[str]) -> int:
    """Execute the given notebooks, or all; return 1 when one of them fails."""
    failed = 0
    for path in [Path(a).resolve() for a in arguments] or find():
        try:
            changed = write(path, execute(path))
        except Exception as error:
            failed = 1
            print(f"{path.name}: {error}", file=sys.stderr)
        else:
            print(f"{path.name}: {'stored new outputs' if changed else 'unchanged'}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
