"""One binary observation per binary latent (chapter "When EM cannot help").

    z_n ~ Bernoulli(π),    x_n | z_n = 1 ~ Bernoulli(μ₁),    x_n | z_n = 0 ~ Bernoulli(μ₀)

Three parameters, of which the data see one number, p = p(x = 1) = π μ₁ + (1 − π) μ₀. From an
interior start one step of EM brings p to x̄ and every later step does nothing (eq-bb-step):

    π_new = x̄ · π μ₁ / p + (1 − x̄) · π (1 − μ₁) / (1 − p)
    logit μ_new = logit μ + (logit x̄ − logit p),    for μ₁ and μ₀ alike,

so the odds ratio of μ₁ and μ₀ never changes (eq-bb-odds-ratio). The module is itself a model
for :func:`latent_em.em.fit_em`; :func:`em_step` is the closed form of what that does.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, xlog1py, xlogy

from latent_em._validation import check_binary, check_probabilities
from latent_em.examples import exponential_family


class Params(NamedTuple):
    """Parameters θ, each from 0 to 1.

    Attributes
    ----------
    pi : float
        π = p(z = 1).
    mu1 : float
        μ₁ = p(x = 1 | z = 1).
    mu0 : float
        μ₀ = p(x = 1 | z = 0).
    """

    pi: float
    mu1: float
    mu0: float


def log_joint(params, X):
    """Log p(x_n, z_n): column 0 for z = 0, column 1 for z = 1.

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples,)
        Zeros and ones.

    Returns
    -------
    ndarray of shape (n_samples, 2)
        In nats.

    Raises
    ------
    ValueError
        If a parameter is not from 0 to 1, or an entry of ``X`` is not 0 or 1.
    """
    pi, mu1, mu0 = _check(params)
    x = check_binary("X", X, ("n_samples",))[:, np.newaxis]
    mu = np.array([mu0, mu1])
    with np.errstate(divide="ignore"):
        log_weights = np.log([1 - pi, pi])
    return log_weights + xlogy(x, mu) + xlog1py(1 - x, -mu)


def marginal(params):
    """Probability of a one, p = π μ₁ + (1 − π) μ₀: all that the data can show (eq-bb-step).

    Parameters
    ----------
    params : Params

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a parameter is not from 0 to 1.
    """
    pi, mu1, mu0 = _check(params)
    return float(pi * mu1 + (1 - pi) * mu0)


def log_odds_ratio(params):
    """Logit μ₁ − logit μ₀, which no step of EM changes (eq-bb-odds-ratio).

    Parameters
    ----------
    params : Params
        μ₁ and μ₀ inside (0, 1).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """
    _, mu1, mu0 = _check(params, inside=("mu1", "mu0"))
    return float(logit(mu1) - logit(mu0))


def em_step(params, x_mean):
    """One step of EM in closed form (eq-bb-step).

    Parameters
    ----------
    params : Params
        Inside (0, 1).
    x_mean : float
        x̄, the share of ones, from 0 to 1.

    Returns
    -------
    Params
        With marginal x̄: every further step returns them unchanged.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    pi, mu1, mu0 = _check(params, inside=params._fields)
    x_mean = float(check_probabilities("x_mean", x_mean, ()))
    p = marginal(params)
    shift = logit(x_mean) - logit(p)
    return Params(
        float(x_mean * pi * mu1 / p + (1 - x_mean) * pi * (1 - mu1) / (1 - p)),
        float(expit(logit(mu1) + shift)),
        float(expit(logit(mu0) + shift)),
    )


def fisher_information(params):
    """Information about (π, μ₁, μ₀) in one observation, of rank 1 (eq-bb-information).

    ∇p ∇pᵀ / (p (1 − p)) with ∇p = (μ₁ − μ₀, π, 1 − π).

    Parameters
    ----------
    params : Params
        With a marginal inside (0, 1).

    Returns
    -------
    ndarray of shape (3, 3)

    Raises
    ------
    ValueError
        If a parameter is not from 0 to 1, or the marginal is 0 or 1.
    """
    pi, mu1, mu0 = _check(params)
    p = marginal(params)
    if not 0 < p < 1:
        raise ValueError(f"params: got a marginal of {p}, must be inside (0, 1)")
    gradient = np.array([mu1 - mu0, pi, 1 - pi])
    return np.outer(gradient, gradient) / (p * (1 - p))


def fixed_point_pi(x_mean, mu1, mu0):
    """The π that makes (π, μ₁, μ₀) a fixed point of EM: (x̄ − μ₀) / (μ₁ − μ₀).

    The fixed points inside the cube are the surface on which p = x̄.

    Parameters
    ----------
    x_mean : float
        x̄, from 0 to 1.
    mu1, mu0 : float or array-like
        From 0 to 1; they broadcast, so a grid gives the surface.

    Returns
    -------
    float or ndarray
        NaN where no π from 0 to 1 does it, and where μ₁ = μ₀ (there every π does it if both
        equal x̄, and none otherwise).

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    x_mean = float(check_probabilities("x_mean", x_mean, ()))
    mu1 = check_probabilities("mu1", mu1, ("n",) * np.ndim(mu1))
    mu0 = check_probabilities("mu0", mu0, ("n",) * np.ndim(mu0))
    with np.errstate(divide="ignore", invalid="ignore"):
        pi = np.divide(x_mean - mu0, mu1 - mu0)
    return np.where((pi >= 0) & (pi <= 1), pi, np.nan)[()]


def e_step(params, chunk, local=None):
    """Expected number of zeros and ones under each value of z, and the log-likelihood.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples,), or latent_em.weighted.Weighted
        Zeros and ones.
    local : None

    Returns
    -------
    stats : latent_em.examples.exponential_family.Stats
        ``total`` has shape (2, 2): z, then x.
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        As :func:`log_joint`, or if an observation has probability zero.
    """
    return exponential_family.e_step(log_joint, _statistics, params, chunk)


def m_step(stats):
    """π, the share of z = 1; μ₁ and μ₀, the share of x = 1 under each z.

    Parameters
    ----------
    stats : latent_em.examples.exponential_family.Stats

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If z = 0 or z = 1 has lost all observations.
    """
    n0, n1 = stats.total.sum(axis=1)
    if not min(n0, n1) > 0:
        raise ValueError(f"z: got {n0} expected zeros and {n1} ones, must be some of both")
    mu0, mu1 = stats.total[:, 1] / [n0, n1]
    return Params(float(n1 / (n0 + n1)), float(mu1), float(mu0))


def _statistics(X, n_components):
    """T: a one in the row of z, the column of x."""
    x = check_binary("X", X, ("n_samples",))
    columns = np.column_stack([1 - x, x])
    return np.eye(2)[:, :, np.newaxis] * columns[:, np.newaxis, np.newaxis, :]


def _check(params, inside=()):
    for name, value in zip(params._fields, params, strict=True):
        check_probabilities(name, value, ())
        if name in inside and not 0 < value < 1:
            raise ValueError(f"{name}: got {value}, must be inside (0, 1)")
    return params
