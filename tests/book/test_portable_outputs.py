"""What a notebook stores is the same on every machine, to the byte, figures included."""

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
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "latent_em.book.notebooks", str(copy)],
        env=os.environ | MACHINES[machine],
        check=True,
        capture_output=True,
    )
    assert copy.read_bytes() == path.read_bytes()
