"""A normal distribution with entries missing at random (chapter "Missing information").

The entries of a row that are not seen, x_m, are its latent variable. Given those seen, x_o,

    E[x_m | x_o] = μ_m + B (x_o − μ_o),    Cov[x_m | x_o] = Σ_mm − B Σ_om,    B = Σ_mo Σ_oo⁻¹

(eq-incomplete-normal-e-step). The sufficient statistics are Σ_n x and Σ_n x xᵀ. Their
expectations take the conditional means for the gaps, and add the conditional covariance to
the second moment: with means alone there would be too little scatter about the regression, so
variances too small or correlations too strong. The M-step is the mean and covariance of
complete data (eq-incomplete-normal-m-step).

NaN stands for a missing entry. The module is itself a model:
``fit_em(incomplete_normal, params, [X])``.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from latent_em._validation import check_array
from latent_em.gaussian_mixture import Moments


class Params(NamedTuple):
    """Parameters θ of a normal distribution in D dimensions.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        μ, in the units of the data.
    covariance : ndarray of shape (n_features, n_features)
        Σ, symmetric and positive definite, in squared units.
    """

    mean: np.ndarray
    covariance: np.ndarray


class Completion(NamedTuple):
    """What the seen entries say about the missing ones.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The data, with the conditional means in the gaps.
    covariance : ndarray of shape (n_features, n_features)
        The conditional covariances of the missing entries, summed over samples.
    log_prob : ndarray of shape (n_samples,)
        Log-density of the seen entries of each sample, in nats; 0 if none was seen.
    """

    X: np.ndarray
    covariance: np.ndarray
    log_prob: np.ndarray


def complete(params, X):
    """Fill the gaps with their conditional means (eq-incomplete-normal-e-step).

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples, n_features)
        NaN where an entry is missing.

    Returns
    -------
    Completion

    Raises
    ------
    ValueError
        If a shape does not fit, an entry is infinite, or the covariance is not symmetric
        positive definite.
    """
    (mean, covariance), X = _check(params, X)
    filled, spread, log_prob = X.copy(), np.zeros_like(covariance), np.zeros(len(X))
    missing = np.isnan(X)
    patterns, pattern_of = np.unique(missing, axis=0, return_inverse=True)
    for i, m in enumerate(patterns):
        rows, o = pattern_of.ravel() == i, ~m
        apart = X[np.ix_(rows, o)] - mean[o]
        factor = cho_factor(covariance[np.ix_(o, o)], lower=True)
        solved = cho_solve(factor, apart.T)  # Σ_oo⁻¹ (x_o − μ_o)
        log_det = 2 * np.log(np.diagonal(factor[0])).sum()
        mahalanobis = np.einsum("no,on->n", apart, solved)
        log_prob[rows] = -0.5 * (o.sum() * np.log(2 * np.pi) + log_det + mahalanobis)
        filled[np.ix_(rows, m)] = mean[m] + (covariance[np.ix_(m, o)] @ solved).T
        explained = covariance[np.ix_(m, o)] @ cho_solve(factor, covariance[np.ix_(o, m)])
        spread[np.ix_(m, m)] += rows.sum() * (covariance[np.ix_(m, m)] - explained)
    return Completion(filled, spread, log_prob)


def log_likelihood(params, X):
    """Log-density of all entries that were seen.

    Parameters and errors as for :func:`complete`.

    Returns
    -------
    float
        In nats.
    """
    return float(complete(params, X).log_prob.sum())


def e_step(params, chunk, local=None):
    """Expected moments of a chunk, and its log-likelihood (eq-incomplete-normal-e-step).

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features)
    local : None

    Returns
    -------
    stats : latent_em.gaussian_mixture.Moments
        Of one component.
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        As :func:`complete`.
    """
    X, spread, log_prob = complete(params, chunk)
    mean = X.mean(axis=0)
    scatter = (X - mean).T @ (X - mean) + spread
    stats = Moments(len(X), np.array([float(len(X))]), mean[np.newaxis], scatter[np.newaxis])
    return stats, float(log_prob.sum()), None


def m_step(stats):
    """Mean and covariance of the expected moments.

    Parameters
    ----------
    stats : latent_em.gaussian_mixture.Moments
        Of one component.

    Returns
    -------
    Params
    """
    return Params(stats.means[0], stats.scatter[0] / stats.n_samples)


def _check(params, X):
    mean = check_array("mean", params.mean, ("n_features",))
    covariance = check_array("covariance", params.covariance, (len(mean), len(mean)))
    if not np.allclose(covariance, covariance.T, rtol=0, atol=1e-9 * np.abs(covariance).max()):
        raise ValueError("covariance: got an asymmetric matrix, must be symmetric")
    least = np.linalg.eigvalsh(covariance)[0]
    if not least > 0:
        raise ValueError(
            f"covariance: got smallest eigenvalue {least:.3g}, must be positive definite"
        )
    X = np.asarray(X, dtype=float)
    check_array("X", np.where(np.isnan(X), 0, X), ("n_samples", len(mean)))
    if len(X) == 0:
        raise ValueError("X: got no samples, must be at least one")
    return (mean, covariance), X
