"""Ten EM steps of a Gaussian mixture, side by side with scikit-learn from the same start.

    python benchmarks/gaussian_mixture.py [covariance_type ...]

A ratio above one says how many times faster `latent_em` is. The two take turns, so that what
else the machine does strikes both; the ratio is the median of the turns. To measure without the
threads of BLAS, set OPENBLAS_NUM_THREADS=1.
"""

import os
import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer

from latent_em import GaussianMixture
from latent_em.covariances import COVARIANCE_TYPES
from latent_em.gaussian_mixture import m_step, moments

SIZES = [(272, 2, 3), (20_000, 2, 5), (100_000, 8, 10), (100_000, 32, 20), (50_000, 64, 10)]
STEPS, TURNS = 10, 5


def problem(n_samples, n_features, n_components, covariance_type):
    """Overlapping clusters, and a start that is the same for both."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features)) + rng.integers(0, 3, size=(n_samples, 1))
    kind = COVARIANCE_TYPES[covariance_type]
    whole = m_step(moments(X, np.ones((n_samples, 1)), kind))
    precisions = kind.precisions(kind.precisions_cholesky(whole.covariances))
    if covariance_type != "tied":
        precisions = np.repeat(precisions, n_components, axis=0)
    return X, {
        "covariance_type": covariance_type,
        "weights_init": np.full(n_components, 1 / n_components),
        "means_init": X[rng.choice(n_samples, n_components, replace=False)],
        "precisions_init": precisions,
        "reg_covar": 0,
        "tol": 0,
        "max_iter": STEPS,
    }


def seconds(estimator, X):
    """Wall time of a fit."""
    start = time.perf_counter()
    estimator.fit(X)
    return time.perf_counter() - start


def main(covariance_types):
    """Print a line for every covariance type and size."""
    print(f"OPENBLAS_NUM_THREADS={os.environ.get('OPENBLAS_NUM_THREADS', 'unset')}")
    print(f"{'type':10} {'n × D × K':>18} {'scikit-learn':>14} {'latent_em':>11} {'ratio':>7}")
    for covariance_type in covariance_types:
        for size in SIZES:
            X, options = problem(*size, covariance_type)
            pair = [cls(size[2], **options) for cls in (Peer, GaussianMixture)]
            turns = np.array([[seconds(estimator, X) for estimator in pair] for _ in range(TURNS)])
            peer, ours = np.median(turns, axis=0)
            ratio = np.median(turns[:, 0] / turns[:, 1])
            np.testing.assert_allclose(pair[1].means_, pair[0].means_, atol=1e-6)
            shown = " × ".join(map(str, size))
            print(f"{covariance_type:10} {shown:>18} {peer:12.3f} s {ours:9.3f} s {ratio:7.2f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main(sys.argv[1:] or COVARIANCE_TYPES)
