"""Weighted moments: the sufficient statistics of a mixture of Gaussians.

Second moments are taken about the mean of the samples they come from and pooled from
there, so that data far from the origin, or from the old means, lose no digits.
"""

from functools import reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np

from latent_em.covariances import FULL


class Moments(NamedTuple):
    """Sufficient statistics: the weighted moments of a chunk, one set per component.

    ``a + b`` are the moments of the two chunks together.

    Attributes
    ----------
    n_samples : int or float
        N, the sample count, or the sum of the sample weights.
    nk : ndarray of shape (n_components,)
        N_k = Σ_n r_nk (eq-gm-effective-count).
    means : ndarray of shape (n_components, n_features)
        Σ_n r_nk x_n / N_k; where N_k is zero, zero.
    scatter : ndarray of shape (n_components, n_features, n_features)
        Σ_n r_nk (x_n − means_k)(x_n − means_k)ᵀ, or what ``covariance_type`` needs of it.
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.
    """

    n_samples: int | float
    nk: np.ndarray
    means: np.ndarray
    scatter: np.ndarray
    covariance_type: Any = FULL

    def __add__(self, other):
        """Pool two sets of moments (Chan, Golub & LeVeque 1983)."""
        nk = self.nk + other.nk
        share = np.divide(other.nk, nk, out=np.zeros_like(nk), where=nk > 0)
        apart = other.means - self.means
        between = self.covariance_type.scatter(apart[:, :, None], (self.nk * share)[:, None])
        return Moments(
            self.n_samples + other.n_samples,
            nk,
            self.means + share[:, None] * apart,
            self.scatter + other.scatter + between,
            self.covariance_type,
        )

    def scaled(self, factor):
        """The moments if each sample counted ``factor`` times."""
        return self._replace(
            n_samples=factor * self.n_samples, nk=factor * self.nk, scatter=factor * self.scatter
        )


def moments(X, resp, covariance_type=FULL):
    """Weighted count, mean and scatter of every component (eq-gm-effective-count).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    resp : ndarray of shape (n_samples, n_components)
        Non-negative weights.
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    Moments
    """
    per_block = [
        moments_of_columns(np.ascontiguousarray(X[rows].T), resp[rows].T, covariance_type)
        for rows in blocks(len(X), X.shape[1] + resp.shape[1])
    ]
    return reduce(add, per_block)


def moments_of_columns(X, resp, covariance_type):
    """:func:`moments` of samples that stand in columns: X (D, n), resp (K, n)."""
    nk = resp.sum(axis=1)
    sums = resp @ X.T
    means = np.divide(sums, nk[:, None], out=np.zeros_like(sums), where=nk[:, None] > 0)
    scatter = covariance_type.scatter_about(X, means, resp)
    return Moments(X.shape[1], nk, means, scatter, covariance_type)


def blocks(n_samples, numbers_per_sample):
    """Slices of the samples, so short that their numbers stay in the processor's cache."""
    rows = max(64, 2**16 // numbers_per_sample)
    return (slice(start, start + rows) for start in range(0, n_samples, rows))
