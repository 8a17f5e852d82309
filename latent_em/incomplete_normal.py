"""A normal distribution with entries missing at random (chapter "Missing information").

The entries of a row that are not seen, x_m, are its latent variable. Given those seen, x_o,

    E[x_m | x_o] = μ_m + B (x_o − μ_o),    Cov[x_m | x_o] = Σ_mm − B Σ_om,    B = Σ_mo Σ_oo⁻¹

(eq-incomplete-normal-e-step). The sufficient statistics are Σ_n x and Σ_n x xᵀ. Their
expectations take the conditional means for the gaps, and add the conditional covariance to
the second moment: with means alone there would be too little scatter about the regression, so
variances too small or correlations too strong. The M-step is the mean and covariance of
complete data (eq-incomplete-normal-m-step).

NaN stands for a missing entry. The module is itself a model:
``fit_em(incomplete_normal, params, [X])``. It is :mod:`latent_em.incomplete_mixture` with one
component.
"""

from typing import NamedTuple

import numpy as np

from latent_em import gaussian_mixture, incomplete_mixture
from latent_em._validation import check_array
from latent_em.covariances import TIED


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
    mixture = _as_mixture(params)
    filled = incomplete_mixture.complete(mixture, X)
    spread = np.zeros(mixture.covariances[0].shape)
    missing = np.isnan(np.asarray(X, dtype=float))
    for row, given in zip(missing, incomplete_mixture.conditional(mixture, X), strict=True):
        spread[np.ix_(row, row)] += given.covariances[0]
    return Completion(filled, spread, incomplete_mixture.log_prob(mixture, X))


def log_likelihood(params, chunk):
    """Log-density of all entries that were seen.

    Parameters and errors as for :func:`e_step`.

    Returns
    -------
    float
        In nats.
    """
    return incomplete_mixture.log_likelihood(_as_mixture(params), chunk)


def e_step(params, chunk, local=None):
    """Expected moments of a chunk, and its log-likelihood (eq-incomplete-normal-e-step).

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features), or latent_em.weighted.Weighted
    local : list, optional
        Which rows miss the same entries, once that is known.

    Returns
    -------
    stats : latent_em.gaussian_mixture.Moments
        Of one component.
    bound : float
        In nats.
    local : list

    Raises
    ------
    ValueError
        As :func:`complete`, or if the sample weights are unfit.
    """
    return incomplete_mixture.e_step(_as_mixture(params), chunk, local)


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
    _, means, covariances = gaussian_mixture.m_step(stats)
    return Params(means[0], covariances[0])


def pack(params):
    """Parameters as real numbers: mean, and Cholesky factor of Σ with a log-diagonal.

    Parameters
    ----------
    params : Params

    Returns
    -------
    ndarray of shape (1, n_numbers)
    """
    return gaussian_mixture.pack(_as_mixture(params))


def unpack(row):
    """Undo :func:`pack`.

    Parameters
    ----------
    row : ndarray of shape (1, n_numbers)

    Returns
    -------
    Params
    """
    _, means, covariances = gaussian_mixture.unpack(row)
    return Params(means[0], covariances[0])


def _as_mixture(params):
    mean = check_array("mean", params.mean, ("n_features",))
    covariance = TIED.check("covariance", params.covariance, 1, len(mean))
    TIED.precisions_cholesky(covariance, "covariance")
    return gaussian_mixture.Params(np.ones(1), mean[np.newaxis], covariance[np.newaxis])
