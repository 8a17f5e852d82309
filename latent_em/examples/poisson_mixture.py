"""Mixtures of Poisson distributions (chapter "Missing information").

    p(x_n, z_n = k) = π_k e^{−λ_k} λ_k^{x_n} / x_n!

A step of EM makes π_k the mean responsibility and λ_k the mean of x_n weighted by it. The
module is itself a model: ``fit_em(poisson_mixture, params, [Weighted(deaths, days)])``.

References
----------
V. Hasselblad (1969). Estimation of finite mixtures of distributions from the exponential
family. *Journal of the American Statistical Association* 64(328), 1459–1471.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, xlogy

from latent_em import coordinates
from latent_em._validation import check_array, check_distribution
from latent_em.examples import exponential_family


class Params(NamedTuple):
    """Parameters θ of a mixture of K Poisson distributions.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        π_k, sum to one.
    rates : ndarray of shape (n_components,)
        λ_k, events per sample, not negative.
    """

    weights: np.ndarray
    rates: np.ndarray


def log_joint(params, X):
    """Log p(x_n, z_n = k) = log π_k − λ_k + x_n log λ_k − log x_n!.

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples,)
        Counts, whole and not negative.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        In nats.

    Raises
    ------
    ValueError
        If a shape does not fit, the weights are no distribution, a rate is negative, or an
        entry of ``X`` is no count.
    """
    weights = check_distribution("weights", params.weights, ("n_components",))
    rates = check_array("rates", params.rates, (len(weights),))
    if (rates < 0).any():
        raise ValueError(f"rates: got {rates.min()}, must not be negative")
    x = _check_counts(X)[:, np.newaxis]
    with np.errstate(divide="ignore"):  # a weight of zero is log-weight −∞
        return np.log(weights) - rates + xlogy(x, rates) - gammaln(x + 1)


def e_step(params, chunk, local=None):
    """Expected number of samples and sum of their counts, by component, and the log-likelihood.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples,), or latent_em.weighted.Weighted
    local : None

    Returns
    -------
    stats : latent_em.examples.exponential_family.Stats
        ``total`` has shape (n_components, 2).
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        As :func:`log_joint`, or if a sample has probability zero.
    """
    return exponential_family.e_step(log_joint, _statistics, params, chunk)


def m_step(stats):
    """π_k = N_k / N and λ_k = Σ_n r_nk x_n / N_k.

    Parameters
    ----------
    stats : latent_em.examples.exponential_family.Stats

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a component has no samples left.
    """
    nk, total = stats.total.T
    if not (nk > 0).all():
        raise ValueError(f"components: got nk = {nk}, must be positive; start from other rates")
    return Params(nk / nk.sum(), total / nk)


def pack(params):
    """Parameters as real numbers: a row of log π_k, a row of log λ_k.

    Parameters
    ----------
    params : Params

    Returns
    -------
    ndarray of shape (2, n_components)
    """
    return coordinates.log(params)


def unpack(rows):
    """Undo :func:`pack`; the weights are scaled to sum to one.

    Parameters
    ----------
    rows : ndarray of shape (2, n_components)

    Returns
    -------
    Params
    """
    log_weights, log_rates = rows
    return Params(coordinates.softmax(log_weights), np.exp(log_rates))


def _statistics(X, n_components):
    """T: one sample and its count, in the row of the component."""
    x = _check_counts(X)
    pairs = np.column_stack([np.ones_like(x), x])
    return np.eye(n_components)[:, :, np.newaxis] * pairs[:, np.newaxis, np.newaxis, :]


def _check_counts(X):
    x = check_array("X", X, ("n_samples",))
    bad = (x < 0) | (x != np.floor(x))
    if bad.any():
        raise ValueError(f"X: got {x[bad][0]}, must be a whole number of at least 0")
    return x
