"""How the time of a step grows with the data, the model and the workers.

    python benchmarks/growth.py

The E-step of a mixture with full covariances, 50 000 rows of 8 features in 8 components, one of
the three varied; that of topics with K = 20, the non-zero counts varied; and that of a mixture
with 400 000 rows of 16 features in files, the worker processes varied, beside matrix products
alone, for cores may share what computes them. One thread each, the median of five.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import results
from scipy import sparse

from latent_em import gaussian_mixture, lda
from latent_em.em import fit_em
from latent_em.out_of_core import from_files, rows_of

MIXTURE = {"n_samples": 50_000, "n_features": 8, "n_components": 8}
SIZES = {
    "n_samples": [12_500, 25_000, 50_000, 100_000, 200_000],
    "n_features": [2, 4, 8, 16, 32, 64],
    "n_components": [2, 4, 8, 16, 32, 64],
}
DOCUMENTS = [250, 500, 1000, 2000, 4000, 8000]
COLUMNS = ["model", "varied", "size", "seconds"]


def seconds(step, repeats=5):
    """Return the median time of a call, after one that does not count."""
    step()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def mixture(n_samples, n_features, n_components):
    """Return rows about as many centres as components, and where to start."""
    rng = np.random.default_rng(0)
    means = rng.normal(scale=3, size=(n_components, n_features))
    X = means[rng.integers(n_components, size=n_samples)]
    X = X + rng.normal(size=(n_samples, n_features))
    weights = np.full(n_components, 1 / n_components)
    return X, gaussian_mixture.Params(weights, means, np.stack([np.eye(n_features)] * n_components))


def topics(n_documents, n_words=2000, n_components=20):
    """Return counts of 60 words in each document, and where to start."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(n_documents), 60)
    columns = np.concatenate([rng.choice(n_words, 60, replace=False) for _ in range(n_documents)])
    counts = rng.integers(1, 4, size=len(rows)).astype(float)
    lambda_ = rng.gamma(100, 0.01, (n_components, n_words))
    shape = (n_documents, n_words)
    return sparse.csr_array((counts, (rows, columns)), shape=shape), lda.Params(lambda_, 0.1, 0.1)


def e_step(model, params, chunks, executor=None):
    """Run the E-step of all chunks, beside which the M-step takes no time."""
    fit_em(model, params, chunks, tol=0, max_iter=0, executor=executor)


def product(seed):
    """Do the arithmetic of a machine at its best, to see what a second worker can gain."""
    A = np.random.default_rng(seed).standard_normal((500, 500))
    return float(np.linalg.multi_dot([A] * 3)[0, 0])


def measure():
    """Yield the rows of the table."""
    for varied, sizes in SIZES.items():
        for size in sizes:
            X, start = mixture(**MIXTURE | {varied: size})
            step = partial(e_step, gaussian_mixture, start, [X])
            yield ["mixture", varied, size, seconds(step)]
    model = lda.Model(max_doc_iter=5, doc_tol=0.0)
    for n_documents in DOCUMENTS:
        counts, start = topics(n_documents)
        yield ["topics", "nnz", counts.nnz, seconds(partial(e_step, model, start, [counts]))]
    X, start = mixture(400_000, 16, 8)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "X.npy", X)
        chunks, model = rows_of(Path(folder) / "X.npy", 25_000), from_files(gaussian_mixture)
        for n_workers in range(1, os.cpu_count() + 1):
            with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as executor:
                step = partial(e_step, model, start, chunks, executor)
                yield ["mixture", "n_workers", n_workers, seconds(step)]
                products = partial(lambda run: list(run(product, range(16))), executor.map)
                yield ["matrix products", "n_workers", n_workers, seconds(products)]


if __name__ == "__main__":
    results.write("growth", COLUMNS, list(measure()))
