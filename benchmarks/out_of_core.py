"""Memory of fits to data in files, beside the same fits in memory (Linux).

    python benchmarks/out_of_core.py

A mixture with full covariances, 5 000 000 rows of 16 features in one file that is mapped, cut into
pieces of several sizes; and topics, 400 000 documents with 60 words each in 800 files, what each
of them keeps in files as well, five updates of it in a pass. Each fit in a process of its own,
with one thread, from the same start. `data_mb` is what the data, and what documents keep, take in
memory. `private_mb` is the largest anonymous memory of the process, read every two milliseconds:
all that it holds, its 33 MB of libraries included, but for the files that it maps. `difference` is
the largest relative one of the bounds from those of the fit in memory. (In tests/test_engines.py
the kernel refuses the process more than a quarter of the data, used or not.)
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pickle
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import results
from scipy import sparse

from latent_em import gaussian_mixture, lda
from latent_em.em import fit_em
from latent_em.out_of_core import from_files, load_rows, rows_of

N, D = 5_000_000, 16
N_FILES, N_DOCUMENTS, LENGTH, V, K = 800, 500, 60, 2000, 20
STEPS = 3
COLUMNS = ["model", "pieces", "data_mb", "private_mb", "difference"]


def write_rows(folder):
    """Write rows of two groups; return the bytes."""
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", shape=(N, D))
    for start in range(0, N, 100_000):
        block = rng.standard_normal((100_000, D))
        X[start : start + 100_000] = block + 2 * (rng.random((100_000, 1)) < 0.5)
    return X.nbytes


def write_documents(folder):
    """Write counts of words; return the bytes that they and what they keep are in memory."""
    rng, size = np.random.default_rng(0), 0
    for i in range(N_FILES):
        words = rng.zipf(1.3, (N_DOCUMENTS, LENGTH)).ravel() % V
        documents = np.repeat(np.arange(N_DOCUMENTS), LENGTH)
        shape = (N_DOCUMENTS, V)
        counts = sparse.csr_array((np.ones(len(words)), (documents, words)), shape=shape)
        sparse.save_npz(folder / f"{i}.npz", counts, compressed=False)
        size += counts.data.nbytes + counts.indices.nbytes + counts.indptr.nbytes
    return size + N_FILES * N_DOCUMENTS * K * 8


def problem(name, folder, n_rows):
    """Return model, start and pieces, in files; or in memory if `n_rows` is 0."""
    if name == "mixture":
        means = np.array([[0.0] * D, [1.0] * D])
        start = gaussian_mixture.Params(np.full(2, 0.5), means, np.stack([np.eye(D)] * 2))
        model, load, pieces = gaussian_mixture, load_rows, rows_of(folder / "X.npy", n_rows or N)
    else:
        start = lda.Params(np.random.default_rng(0).gamma(100, 0.01, (K, V)), 0.1, 0.1)
        model = lda.Model(max_doc_iter=5)
        load, pieces = sparse.load_npz, [f"{folder}/{i}.npz" for i in range(N_FILES)]
    if n_rows:
        kept = Path(tempfile.mkdtemp(dir=folder))
        return from_files(model, load, kept), start, pieces
    if name == "mixture":
        return model, start, [np.load(folder / "X.npy")]
    return model, start, [sparse.vstack([load(piece) for piece in pieces], "csr")]


def anonymous():
    """Return the anonymous memory of this process, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024 / 1e6


def fit(name, folder, n_rows):
    """Fit, and write what it found as a pickle to the standard output."""
    seen, done = [anonymous()], threading.Event()

    def watch():
        while not done.wait(0.002):
            seen.append(anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        model, start, pieces = problem(name, folder, n_rows)
        result = fit_em(model, start, pieces, tol=0, max_iter=STEPS)
    finally:
        done.set()
        watcher.join()
    pickle.dump((len(pieces), max(seen), result.lower_bounds), sys.stdout.buffer)


def measure():
    """Yield the rows of the table."""
    for name, write, cuts in (
        ("mixture", write_rows, (250_000, 50_000, 10_000)),
        ("topics", write_documents, (N_DOCUMENTS,)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            size, expected = write(Path(folder)), None
            for n_rows in (0, *cuts):
                command = [sys.executable, __file__, name, folder, str(n_rows)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
                n_pieces, peak, lower_bounds = pickle.loads(done.stdout)
                expected = lower_bounds if expected is None else expected
                difference = float(np.abs(lower_bounds / expected - 1).max())
                row = [name, n_pieces, size / 1e6, peak, difference]
                print(row, flush=True)
                yield row


if __name__ == "__main__":
    if sys.argv[1:]:
        fit(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        results.write("out_of_core", COLUMNS, list(measure()))
