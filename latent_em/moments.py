"""Weighted moments: the sufficient statistics of a mixture of Gaussians.

Second moments are taken about the mean of the samples they come from and pooled from
there, so that data far from the origin, or from the old means, lose no digits.
"""

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
        """Pool two sets of moments."""
        return pool([self, other])

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
    (n_samples, n_features), n_components = X.shape, resp.shape[1]
    return pool(
        moments_of_columns(np.ascontiguousarray(X[rows].T), resp[rows].T, covariance_type)
        for rows in blocks(n_samples, n_components, n_features, covariance_type)
    )


def pool(parts):
    """Moments of several parts together (Chan, Golub & LeVeque 1983).

    Parameters
    ----------
    parts : iterable of Moments
        Of one covariance type.

    Returns
    -------
    Moments
        Of all samples about their common means: the scatter within the parts, and that of their
        means.
    """
    n_samples, nk, means, within = 0, [], [], 0
    for part in parts:
        n_samples += part.n_samples
        nk.append(part.nk)
        means.append(part.means)
        within = within + part.scatter
    if len(nk) == 1:
        return part
    nk, means = np.array(nk), np.array(means)
    heaviest = means[nk.argmax(axis=0), np.arange(nk.shape[1])]
    apart = means - heaviest
    total = nk.sum(axis=0)
    share = np.divide(nk, total, out=np.zeros_like(nk), where=total > 0)
    shift = (share[:, :, None] * apart).sum(axis=0)
    between = part.covariance_type.scatter((apart - shift).transpose(1, 2, 0), nk.T)
    return Moments(n_samples, total, heaviest + shift, within + between, part.covariance_type)


def moments_of_columns(X, resp, covariance_type):
    """:func:`moments` of samples that stand in columns: X (D, n), resp (K, n)."""
    nk = resp.sum(axis=1)
    means, scatter = covariance_type.means_and_scatter(X, resp, nk)
    means[nk == 0] = 0
    return Moments(X.shape[1], nk, means, scatter, covariance_type)


def blocks(n_samples, n_components, n_features, covariance_type):
    """Slices of the samples, so short that what is kept of them stays in the processor's cache."""
    rows = max(64, 2**18 // covariance_type.numbers_per_sample(n_components, n_features))
    return (slice(start, start + rows) for start in range(0, n_samples, rows))
