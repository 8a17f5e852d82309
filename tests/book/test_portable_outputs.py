"""What a notebook stores is the same on every machine, to the byte.

But for drawings: their coordinates are not rounded to what can be seen.
"""

import os
import subprocess
import sys

import pytest

from latent_em.book import notebooks

MACHINES = {
    "one thread": {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    "two threads": {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
    "Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
}


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "path", notebooks.find(), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_executing_again_changes_no_byte(path, machine, tmp_path):
    copy = tmp_path / path.relative_to(notebooks.BOOK.parent)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    (tmp_path / "benchmarks").symlink_to(notebooks.BOOK.parent / "benchmarks")
    subprocess.run(
        [sys.executable, "-m", "latent_em.book.notebooks", str(copy)],
        env=os.environ | MACHINES[machine],
        check=True,
        capture_output=True,
    )
    assert without_drawings(copy) == without_drawings(path)


def without_drawings(path):
    """Return the notebook, with a mark in the place of every drawing."""
    notebook = notebooks.read(path)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/svg+xml" in output.get("data", {}):
                output["data"]["image/svg+xml"] = "a drawing"
    return notebook
