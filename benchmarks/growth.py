"""How the time of a step grows with the data, the model and the workers, and what bounds it.

    python benchmarks/growth.py

growth.csv: the E-step of a mixture with full covariances, 50 000 rows of 8 features in 8
components, one of the three varied; that of topics, five updates of γ, the non-zero counts varied,
with K = 20 and 2000 words, and with K = 100 and 100 000 words; and that of a mixture with 400 000
rows of 16 features in files, the worker processes varied, beside matrix products alone, for cores
may share what computes them.

profile.csv: what the core does at its best, a matrix product and a copy of two megabytes, which
stay in its cache; what the E-steps do, counted; and in which functions the time of topics goes.

One thread each, the median of five.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import cProfile
import pstats
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
LARGE = {"n_words": 100_000, "n_components": 100}
COLUMNS = ["model", "varied", "size", "seconds"]
UPDATES = 5
SETTLE = lda.Model(max_doc_iter=UPDATES, doc_tol=0.0)
PARTS = {"take": "gather", "c_einsum": "norms", "csr_matvecs": "sums", "expected_log": "digamma"}


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
    columns = np.concatenate(
        [rng.choice(n_words, 60, replace=False, shuffle=False) for _ in range(n_documents)]
    )
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
    for name, options in (("topics", {}), ("large topics", LARGE)):
        for n_documents in DOCUMENTS:
            counts, start = topics(n_documents, **options)
            yield [name, "nnz", counts.nnz, seconds(partial(e_step, SETTLE, start, [counts]))]
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


def profile():
    """Yield what was done, its unit, how much of it, and the seconds."""
    A = np.random.default_rng(0).standard_normal((1000, 1000))
    yield ["matrix product", "operations", 2 * 1000**3, seconds(lambda: A @ A)]
    block, copied = np.ones(2**17), np.empty(2**17)  # one megabyte is read, one written

    def copy():
        for _ in range(1000):
            np.copyto(copied, block)

    yield ["copy", "bytes", 2000 * block.nbytes, seconds(copy)]
    for D in (2, 8, 16, 64):
        X, start = mixture(**MIXTURE | {"n_features": D})
        # Two triangles for each row and component, a product and a sum for each place.
        operations = len(X) * MIXTURE["n_components"] * 2 * D * (D + 1)
        step = partial(e_step, gaussian_mixture, start, [X])
        yield [f"mixture, D = {D}", "operations", operations, seconds(step)]
    counts, start = topics(DOCUMENTS[-1])
    step = partial(e_step, SETTLE, start, [counts])
    # For each count and update: θ is gathered, which is read and written; θ and β are read for
    # the norm, and β for the sum.
    moved = UPDATES * counts.nnz * 5 * 8 * len(start.lambda_)
    yield ["topics", "bytes", moved, seconds(step)]
    watch = cProfile.Profile()
    watch.runcall(step)
    whole, spent = 0.0, dict.fromkeys(PARTS.values(), 0.0)
    for (_, _, name), (_, _, own, *_) in pstats.Stats(watch).stats.items():
        whole += own
        for function, part in PARTS.items():
            if function in name:
                spent[part] += own
    for part, own in (spent | {"rest": whole - sum(spent.values())}).items():
        yield [f"topics, {part}", "", "", own]


if __name__ == "__main__":
    results.write("growth", COLUMNS, list(measure()))
    results.write("profile", ["work", "unit", "amount", "seconds"], list(profile()))
