"""Five EM steps of a mixture, side by side with scikit-learn and oneDAL from the same start.

    python benchmarks/gaussian_mixture.py

All take turns, each with the default threads and with one, so that what else the machine does
strikes all of them; the ratio, scikit-learn's time with as many threads over a method's, is the
median of the turns. The means are compared. Beside the time stands how fast the arithmetic that
a step cannot do without was done, as a share of what a product of two large matrices reaches.
Then the digits of scikit-learn, fitted as by default from k-means, and steps of a Bernoulli
mixture beside the same formulas on whole arrays. No kernel is compiled for `latent_em`.
"""

import os
import time
import warnings
from functools import partial

import daal4py
import numpy as np
import results
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer
from threadpoolctl import threadpool_limits

from latent_em import GaussianMixture, bernoulli_mixture
from latent_em.covariances import COVARIANCE_TYPES
from latent_em.em import fit_em
from latent_em.gaussian_mixture import m_step, moments

FULL_SIZES = [(272, 2, 3), (20_000, 2, 5), (30_000, 16, 8), (100_000, 8, 10)]
FULL_SIZES += [(100_000, 32, 20), (50_000, 64, 10)]
CASES = [("full", *size) for size in FULL_SIZES]
CASES += [(name, 100_000, 16, 10) for name in ("tied", "diag", "spherical")]
CASES += [("diag", 30_000, 2, 3)]
STEPS = 5
COLUMNS = ["model", "n_samples", "n_features", "n_components", "method", "threads"]
COLUMNS += ["seconds", "ratio", "difference", "share_of_peak"]


def problem(covariance_type, n_samples, n_features, n_components):
    """Overlapping clusters, and a start that is the same for all."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features)) + rng.integers(0, 3, size=(n_samples, 1))
    kind = COVARIANCE_TYPES[covariance_type]
    covariances = m_step(moments(X, np.ones((n_samples, 1)), kind)).covariances
    if covariance_type != "tied":
        covariances = np.repeat(covariances, n_components, axis=0)
    means = X[rng.choice(n_samples, n_components, replace=False)]
    return X, (np.full(n_components, 1 / n_components), means, covariances)


def fitted_by(cls, covariance_type, start, X):
    """Return the means after the steps of an estimator of that class, and the steps."""
    kind = COVARIANCE_TYPES[covariance_type]
    weights, means, covariances = start
    estimator = cls(
        len(weights),
        covariance_type=covariance_type,
        weights_init=weights,
        means_init=means,
        precisions_init=kind.precisions(kind.precisions_cholesky(covariances)),
        reg_covar=0,
        tol=0,
        max_iter=STEPS,
    ).fit(X)
    return estimator.means_, estimator.n_iter_


def onedal(covariance_type, start, X):
    """Do the same with oneDAL, which may stop before."""
    weights, means, covariances = start
    storage = {"full": "full", "diag": "diagonal"}[covariance_type]
    algorithm = daal4py.em_gmm(
        nComponents=len(weights),
        maxIterations=STEPS,
        accuracyThreshold=0.0,
        covarianceStorage=storage,
    )
    tables = [np.atleast_2d(covariance) for covariance in covariances]
    result = algorithm.compute(X, weights[None], means, tables)
    return result.means, int(result.nIterations[0, 0])


def work(covariance_type, n_samples, n_features, n_components):
    """Multiplications and additions that distances and moments need, nothing else counted."""
    rows, pairs = n_samples * n_features, n_samples * n_features * n_components
    return {
        "full": 2 * pairs * (n_features + 1),
        "tied": 2 * rows * (n_features + 1) + 4 * pairs,
        "diag": 8 * pairs,
        "spherical": 4 * pairs,
        "bernoulli": 4 * pairs,
    }[covariance_type]


def with_threads(threads, run):
    """Call with one thread, or with as many as by default, once these have been started."""
    daal4py.daalinit(1 if threads == "one" else os.cpu_count())
    with threadpool_limits(1 if threads == "one" else None):
        np.ones((500, 500)) @ np.ones((500, 500))
        time.sleep(0.05)  # until they no longer spin
        return run()


def clocked(run):
    """Return what a call returns, and its seconds."""
    begin = time.perf_counter()
    returned = run()
    return returned, time.perf_counter() - begin


def peak(threads):
    """Return multiplications and additions a second in a product of large matrices."""
    A = np.random.default_rng(0).standard_normal((2000, 2000))
    return (
        2
        * len(A) ** 3
        / min(with_threads(threads, lambda: clocked(lambda: A @ A)[1]) for _ in range(5))
    )


def race(case, runs, n_turns, reference):
    """Yield the rows of one problem; each of ``runs`` returns means and a number of steps."""
    entries = [(method, threads) for method in runs for threads in ("default", "one")]
    seconds, means = {entry: [] for entry in entries}, {}
    for turn in range(n_turns + 1):  # the first does not count
        for method, threads in entries:
            run = partial(clocked, runs[method])
            (means[method], n_steps), elapsed = with_threads(threads, run)
            if turn:
                seconds[method, threads].append(elapsed / n_steps)
    for method, threads in entries:
        own, base = (np.array(seconds[name, threads]) for name in (method, reference))
        yield [
            *case,
            method,
            threads,
            float(np.median(own)),
            float(np.median(base / own)),
            float(np.abs(means[method] - means[reference]).max()),
            work(*case) / float(np.median(own)) / PEAK[threads] if case[0] != "digits" else "",
        ]


def gaussian(case):
    """Race of the Gaussian mixtures."""
    X, start = problem(*case)
    runs = {
        "scikit-learn": partial(fitted_by, Peer, case[0], start, X),
        "latent_em": partial(fitted_by, GaussianMixture, case[0], start, X),
    }
    if case[0] in ("full", "diag"):
        runs["oneDAL"] = partial(onedal, case[0], start, X)
    n_turns = 3 if X.size * case[3] > 2e7 else 5
    return race(case, runs, n_turns, "scikit-learn")


def digits():
    """Fits from k-means until they have converged; a time is that of the whole fit."""
    X = load_digits().data

    def run(cls):
        return cls(10, random_state=0).fit(X).means_, 1

    runs = {"scikit-learn": partial(run, Peer), "latent_em": partial(run, GaussianMixture)}
    return race(("digits", *X.shape, 10), runs, 5, "scikit-learn")


def bernoulli():
    """Steps of the Bernoulli mixture."""
    case = ("bernoulli", 100_000, 50, 10)
    rng = np.random.default_rng(0)
    means = rng.uniform(0.1, 0.9, size=(10, 50))
    X = (rng.random((100_000, 50)) < means[rng.integers(10, size=100_000)]).astype(float)
    start = bernoulli_mixture.random_start(10, 50, 1)

    def whole():
        weights, means = start
        for _ in range(STEPS + 1):
            last = means
            log_joint = X @ np.log(means).T + (1 - X) @ np.log1p(-means).T + np.log(weights)
            resp = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
            resp /= resp.sum(axis=1, keepdims=True)
            weights, means = resp.mean(axis=0), resp.T @ X / resp.sum(axis=0)[:, None]
        return last, STEPS

    def ours():
        result = fit_em(bernoulli_mixture, start, [X], tol=0, max_iter=STEPS)
        return result.params.means, STEPS

    return race(case, {"whole arrays": whole, "latent_em": ours}, 5, "whole arrays")


def measure():
    """Yield the rows of the table."""
    for case in CASES:
        yield from gaussian(case)
    yield from digits()
    yield from bernoulli()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    PEAK = {threads: peak(threads) for threads in ("default", "one")}
    rows = []
    for row in measure():
        rows.append(row)
        print(*(f"{x:.3g}" if isinstance(x, float) else x for x in row), flush=True)
    results.write("gaussian_mixture", COLUMNS, rows)
