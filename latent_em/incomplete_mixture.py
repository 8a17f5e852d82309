"""Mixtures of Gaussians with entries missing at random (chapter "Gaussian mixtures, used").

NaN stands for a missing entry. Of every row, the entries that were not seen, x_m, are latent
together with its component. Given those that were seen, x_o, they are Gaussian in component k,

    E[x_m | x_o, k] = μ_m + B (x_o − μ_o),   Cov[x_m | x_o, k] = Σ_mm − B Σ_om,   B = Σ_mo Σ_oo⁻¹,

and the responsibilities come from the density of x_o alone (eq-gu-conditional). The statistics
are moments of the rows filled in with the conditional means, a filling for every component, plus
the conditional covariances (eq-gu-scatter). The M-step is that of
:mod:`latent_em.gaussian_mixture` with full covariances, and the bound is the log-likelihood of
what was seen. The module is itself a model::

    result = fit_em(incomplete_mixture, params, [X])
"""

from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np

from latent_em import bounds
from latent_em._validation import check_array
from latent_em.covariances import FULL
from latent_em.gaussian_mixture import Moments, Params, check_params, m_step, pack, unpack
from latent_em.weighted import rows_and_weights, sample_count

__all__ = [
    "Moments",
    "Params",
    "complete",
    "conditional",
    "e_step",
    "log_likelihood",
    "log_prob",
    "m_step",
    "pack",
    "responsibilities",
    "unpack",
]


def e_step(params, chunk, local=None):
    """Expected moments of a chunk, and the log-likelihood of what was seen (eq-gu-scatter).

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features), or latent_em.weighted.Weighted
        NaN where an entry is missing.
    local : list, optional
        Which rows miss the same entries, once that is known.

    Returns
    -------
    stats : Moments
    bound : float
        In nats.
    local : list

    Raises
    ------
    ValueError
        If a shape does not fit, an entry is infinite, the weights are no distribution, or a
        covariance is not symmetric positive definite; or if the sample weights are unfit.
    """
    X, sample_weight = rows_and_weights(chunk)
    params, X = _check(params, X)
    patterns = _patterns(X) if local is None else local
    per_pattern, bound = [], 0.0
    for rows, missing in patterns:
        given = _given_seen(params, X[rows], missing)
        resp, log_prob_ = bounds.normalise(given.log_joint)
        bound += sample_weight[rows] @ log_prob_
        weighted_resp = resp * sample_weight[rows, np.newaxis]
        per_pattern.append(_moments(X[rows], missing, given, weighted_resp.T))
    stats = reduce(add, per_pattern)._replace(n_samples=sample_count(chunk))
    return stats, float(bound), patterns


def log_prob(params, X):
    """Log-density of what was seen of each sample, log p(x_o).

    Parameters and errors as for :func:`conditional`.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats; 0 for a row of which nothing was seen.
    """
    return bounds.normalise(_log_joint(params, X))[1]


def log_likelihood(params, chunk):
    """Log-density of all that was seen, Σ_n log p(x_o).

    Parameters and errors as for :func:`e_step`.

    Returns
    -------
    float
        In nats.
    """
    X, sample_weight = rows_and_weights(chunk)
    return float(sample_weight @ log_prob(params, X))


def responsibilities(params, X):
    """p(z_n = k | x_o), from what was seen of each sample (eq-gu-conditional).

    Parameters and errors as for :func:`conditional`.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Rows are non-negative and sum to one.
    """
    return bounds.normalise(_log_joint(params, X))[0]


def conditional(params, X):
    """p(x_m | x_o), the missing entries of each sample given the others (eq-gu-conditional).

    It is a mixture of Gaussians again, with the responsibilities for weights, so that
    :func:`latent_em.gaussian_mixture.sample` draws what may have been there.

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples, n_features)
        NaN where an entry is missing.

    Returns
    -------
    list of Params
        One for each sample, over its missing entries in their order. Samples that miss the same
        entries share one array of covariances.

    Raises
    ------
    ValueError
        As :func:`e_step`.
    """
    params, X = _check(params, X)
    result = [None] * len(X)
    for rows, missing in _patterns(X):
        given = _given_seen(params, X[rows], missing)
        resp, _ = bounds.normalise(given.log_joint)
        for n, *mixture in zip(rows, resp, given.means.swapaxes(0, 1), strict=True):
            result[n] = Params(*mixture, given.covariances)
    return result


def complete(params, X):
    """Fill in the missing entries with their conditional means, E[x_m | x_o] (eq-gu-completion).

    Parameters and errors as for :func:`conditional`.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The same as ``X`` where that is a number.
    """
    params, X = _check(params, X)
    filled = X.copy()
    for rows, missing in _patterns(X):
        given = _given_seen(params, X[rows], missing)
        resp, _ = bounds.normalise(given.log_joint)
        filled[np.ix_(rows, missing)] = np.einsum("nk,knm->nm", resp, given.means)
    return filled


class _GivenSeen(NamedTuple):
    """What rows that miss the same entries say about component and missing entries."""

    log_joint: np.ndarray  # log π_k + log p(x_o | k), shape (n, K)
    means: np.ndarray  # E[x_m | x_o, k], shape (K, n, n_missing)
    covariances: np.ndarray  # Cov[x_m | x_o, k], shape (K, n_missing, n_missing)


def _given_seen(params, X, missing):
    seen = ~missing
    U = FULL.precisions_cholesky(params.covariances[:, seen][:, :, seen])  # Σ_oo⁻¹ = U Uᵀ
    whitened = (X[:, seen] - params.means[:, None, seen]) @ U
    half_log_det = FULL.half_log_det(U, seen.sum()) + seen.sum() / 2 * np.log(2 * np.pi)
    with np.errstate(divide="ignore"):  # a weight of zero is log-weight −∞
        log_scale = np.log(params.weights) - half_log_det
    gain = params.covariances[:, missing][:, :, seen] @ U  # B = gain Uᵀ
    return _GivenSeen(
        log_scale - np.square(whitened).sum(axis=2).T / 2,
        params.means[:, None, missing] + whitened @ gain.swapaxes(1, 2),
        params.covariances[:, missing][:, :, missing] - gain @ gain.swapaxes(1, 2),
    )


def _moments(X, missing, given, resp):
    filled = np.repeat(X[None], len(resp), axis=0)
    filled[:, :, missing] = given.means
    nk = resp.sum(axis=1)
    sums = (resp[:, None, :] @ filled)[:, 0]
    means = np.divide(sums, nk[:, None], out=np.zeros_like(sums), where=nk[:, None] > 0)
    scatter = FULL.scatter((filled - means[:, None]).swapaxes(1, 2), resp)
    scatter[np.ix_(np.arange(len(nk)), missing, missing)] += nk[:, None, None] * given.covariances
    return Moments(len(X), nk, means, scatter)


def _log_joint(params, X):
    params, X = _check(params, X)
    log_joint = np.empty((len(X), len(params.weights)))
    for rows, missing in _patterns(X):
        log_joint[rows] = _given_seen(params, X[rows], missing).log_joint
    return log_joint


def _patterns(X):
    """Rows that miss the same entries, and which these are."""
    patterns, pattern_of = np.unique(np.isnan(X), axis=0, return_inverse=True)
    return [(np.flatnonzero(pattern_of.ravel() == i), m) for i, m in enumerate(patterns)]


def _check(params, X):
    params = check_params(params)
    X = np.asarray(X, dtype=float)
    check_array("X", np.where(np.isnan(X), 0, X), ("n_samples", params.means.shape[1]))
    if len(X) == 0:
        raise ValueError("X: got no samples, must be at least one")
    return params, X
