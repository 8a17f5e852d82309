"""Coins of unknown bias, and no note of which was tossed (chapter "The EM algorithm").

One of K coins is chosen with equal probability and tossed several times; the heads and tails
of each set are known, the coin is not. A step of EM is (eq-coins-step)

    r_nk ∝ θ_k^heads_n (1 − θ_k)^tails_n,    θ_k = Σ_n r_nk heads_n / Σ_n r_nk (heads_n + tails_n).

The tosses are modelled in their order, so there is no binomial coefficient. The module is
itself a model: ``fit_em(coins, coins.Params([0.6, 0.5]), [tosses])``.

References
----------
C. B. Do and S. Batzoglou (2008). What is the expectation maximization algorithm? *Nature
Biotechnology* 26(8), 897–899.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import xlog1py, xlogy

from latent_em import coordinates
from latent_em._validation import check_array, check_probabilities
from latent_em.examples import exponential_family


class Params(NamedTuple):
    """The biases.

    Attributes
    ----------
    theta : ndarray of shape (n_components,)
        θ_k, the probability of heads of coin k, from 0 to 1.
    """

    theta: np.ndarray


def log_joint(params, X):
    """Log p(x_n, z_n = k) = −log K + heads_n log θ_k + tails_n log (1 − θ_k).

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples, 2)
        Numbers of heads and of tails in each set of tosses.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        In nats.

    Raises
    ------
    ValueError
        If a shape does not fit, a bias is not from 0 to 1, or a count is negative.
    """
    theta = check_probabilities("theta", params.theta, ("n_components",))
    heads, tails = _check_tosses(X).T[:, :, np.newaxis]
    return xlogy(heads, theta) + xlog1py(tails, -theta) - np.log(len(theta))


def e_step(params, chunk, local=None):
    """Expected heads and tails of each coin, and the log-likelihood.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, 2), or latent_em.weighted.Weighted
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
        As :func:`log_joint`, or if a set of tosses has probability zero.
    """
    return exponential_family.e_step(log_joint, _statistics, params, chunk)


def m_step(stats):
    """θ_k, the share of heads among the tosses expected of coin k (eq-coins-step).

    Parameters
    ----------
    stats : latent_em.examples.exponential_family.Stats

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a coin has lost all its tosses.
    """
    tosses = stats.total.sum(axis=1)
    if not (tosses > 0).all():
        raise ValueError(f"coins: got {tosses} expected tosses, must be some for every coin")
    return Params(stats.total[:, 0] / tosses)


def pack(params):
    """Log-odds of the biases, as real numbers.

    Parameters
    ----------
    params : Params

    Returns
    -------
    ndarray of shape (n_components,)
    """
    return coordinates.logit(params.theta)


def unpack(log_odds):
    """Undo :func:`pack`.

    Parameters
    ----------
    log_odds : ndarray of shape (n_components,)

    Returns
    -------
    Params
    """
    return Params(coordinates.expit(log_odds))


def _statistics(X, n_components):
    """T: heads and tails, in the row of the coin."""
    return np.eye(n_components)[:, :, np.newaxis] * _check_tosses(X)[:, np.newaxis, np.newaxis, :]


def _check_tosses(X):
    X = check_array("X", X, ("n_samples", 2))
    if (X < 0).any():
        raise ValueError(f"X: got {X.min()}, must not be negative")
    return X
