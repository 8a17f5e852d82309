"""The importance-sampling trick (chapter "The importance-sampling trick").

Multiply by q/q, and the evidence is an expectation that a sample can estimate::

    p(x) = Σ_z p(x, z) = E_q[w(z)],   w(z) = p(x, z) / q(z)          (eq-importance-identity)

It holds if q(z) > 0 wherever p(x, z) > 0. The mean of S weights is unbiased, with variance
Var_q(w) / S, where Var_q(w) = p(x)² χ²(p(z | x) ‖ q) (eq-importance-variance): zero for
q = p(z | x), the optimal proposal, and for no other q.

Everything takes log-weights log p(x, z⁽ˢ⁾) − log q(z⁽ˢ⁾), drawn from q, along the last axis, and
stays in log space: weights that would overflow or underflow are no special case. A weight of
zero is −∞.
"""

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, xlogy

from latent_em import bounds
from latent_em._validation import check_integer, check_log_array

_LARGEST_ENUMERATION = 10**6


class Estimate(NamedTuple):
    """A simulated number and its standard error.

    Attributes
    ----------
    value : float
    standard_error : float
    """

    value: float
    standard_error: float


def log_evidence(log_weights):
    """Log of the mean weight, the estimate of log p(x) (eq-importance-identity).

    The mean is unbiased for p(x). Its logarithm is not unbiased for log p(x): on average it
    is too low, by Jensen's inequality.

    Parameters
    ----------
    log_weights : array-like of shape (..., n_draws)

    Returns
    -------
    float or ndarray of shape (...)
        In nats; −∞ if every weight is zero.

    Raises
    ------
    ValueError
        If there is no draw, or a log-weight is NaN or +∞.
    """
    log_weights = _check_log_weights(log_weights)
    return logsumexp(log_weights, axis=-1) - np.log(log_weights.shape[-1])


def log_variance(log_weights):
    """Log of the sample variance of the weights, Σ (w_s − w̄)² / (S − 1).

    Parameters
    ----------
    log_weights : array-like of shape (..., n_draws)
        At least two draws.

    Returns
    -------
    float or ndarray of shape (...)
        −∞ if all weights are equal.

    Raises
    ------
    ValueError
        As :func:`log_evidence`, if there is one draw, or if all weights are zero.
    """
    log_weights = _check_log_weights(log_weights, at_least=2, not_all_zero=True)
    log_mean = log_evidence(log_weights)
    log_squares = 2 * _log_abs_expm1(log_weights - np.expand_dims(log_mean, -1))
    return 2 * log_mean + logsumexp(log_squares, axis=-1) - np.log(log_weights.shape[-1] - 1)


def standard_error(log_weights):
    """Estimated standard error of :func:`log_evidence`: √(Var(w) / S) / w̄, by the delta method.

    By (eq-importance-standard-error) it is never above one nat. It rests on the weights that
    were drawn: a proposal that misses where p(x, z) is large looks precise until the first draw
    falls there.

    Parameters and errors as for :func:`log_variance`.

    Returns
    -------
    float or ndarray of shape (...)
        In nats.
    """
    log_weights = _check_log_weights(log_weights, at_least=2, not_all_zero=True)
    log_variance_of_mean = log_variance(log_weights) - np.log(log_weights.shape[-1])
    return np.exp(log_variance_of_mean / 2 - log_evidence(log_weights))


def effective_sample_size(log_weights):
    """(Σ_s w_s)² / Σ_s w_s², the equal weights that would do as well (eq-effective-sample-size).

    Parameters
    ----------
    log_weights : array-like of shape (..., n_draws)

    Returns
    -------
    float or ndarray of shape (...)
        From 1 (one weight has everything) to n_draws (all are equal).

    Raises
    ------
    ValueError
        As :func:`log_evidence`, or if all weights are zero.

    References
    ----------
    A. Kong, J. S. Liu and W. H. Wong (1994). Sequential imputations and Bayesian missing data
    problems. *Journal of the American Statistical Association* 89(425), 278–288.
    """
    log_weights = _check_log_weights(log_weights, not_all_zero=True)
    return np.exp(2 * logsumexp(log_weights, axis=-1) - logsumexp(2 * log_weights, axis=-1))


def multi_sample_bound(log_weights):
    """E log of the mean of S weights, estimated from repetitions (eq-multi-sample-bound).

    One draw gives the ELBO; more draws give a bound that rises to log p(x).

    Parameters
    ----------
    log_weights : array-like of shape (n_repeats, n_draws)
        Row r holds S = ``n_draws`` independent log-weights; at least two rows.

    Returns
    -------
    Estimate
        In nats.

    Raises
    ------
    ValueError
        If the array is not two-dimensional, has fewer than two rows or no draw, or a
        log-weight is NaN or +∞.

    References
    ----------
    Y. Burda, R. Grosse and R. Salakhutdinov (2016). Importance weighted autoencoders. *ICLR*.
    """
    log_weights = check_log_array("log_weights", log_weights, ("n_repeats", "n_draws"))
    if len(log_weights) < 2:
        raise ValueError(f"log_weights: got {len(log_weights)} repeats, must be at least 2")
    logs = log_evidence(log_weights)
    if (logs == -np.inf).any():
        return Estimate(-np.inf, np.nan)
    return Estimate(float(logs.mean()), float(logs.std(ddof=1) / np.sqrt(len(logs))))


def exact_log_variance(log_joint, q):
    """Log Var_q(w) of a latent with K values: what a proposal costs (eq-importance-variance).

    Var_q(w_n) = Σ_k q_nk (p(x_n, k) / q_nk − p(x_n))².

    Parameters
    ----------
    log_joint : array-like of shape (n_samples, n_components)
        Log p(x_n, z_n = k).
    q : array-like of shape (n_samples, n_components) or (n_components,)
        The proposal of each observation, or one for all.

    Returns
    -------
    ndarray of shape (n_samples,)
        Very low, or −∞, only for the optimal proposal.

    Raises
    ------
    ValueError
        As :func:`latent_em.bounds.gap`, or if the proposal excludes what the model allows.
    """
    q, log_relative, log_prob = _enumerate(log_joint, q)
    with np.errstate(divide="ignore"):  # a value that is never drawn
        log_terms = np.log(q) + 2 * _log_abs_expm1(log_relative)
    return 2 * log_prob + logsumexp(log_terms, axis=1)


def exact_multi_sample_bound(log_joint, q, n_draws):
    """E log of the mean of S weights, over every possible sample (eq-multi-sample-bound).

    A latent of K values makes C(S + K − 1, K − 1) different samples, by how often each value
    was drawn.

    Parameters
    ----------
    log_joint : array-like of shape (n_samples, n_components)
    q : array-like of shape (n_samples, n_components) or (n_components,)
    n_draws : int
        S. One gives the ELBO.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.

    Raises
    ------
    ValueError
        As :func:`exact_log_variance`, if ``n_draws`` is less than one, or if there are more
        than a million samples to enumerate.
    """
    check_integer("n_draws", n_draws, at_least=1)
    q, log_relative, log_prob = _enumerate(log_joint, q)
    n_components = q.shape[1]
    n_ways = comb(n_draws + n_components - 1, n_components - 1)
    if n_ways > _LARGEST_ENUMERATION:
        raise ValueError(
            f"n_draws: got {n_draws}, which makes {n_ways} samples of {n_components} values; "
            f"must make at most {_LARGEST_ENUMERATION}"
        )
    counts = _compositions(n_draws, n_components)
    n_orders = gammaln(n_draws + 1) - gammaln(counts + 1).sum(axis=1)
    with np.errstate(divide="ignore"):  # a value drawn zero times
        log_counts = np.log(counts)
    bound = np.empty(len(q))
    for n in range(len(q)):
        probability = np.exp(n_orders + xlogy(counts, q[n]).sum(axis=1))
        possible = probability > 0
        log_mean = logsumexp(log_counts[possible] + log_relative[n], axis=1) - np.log(n_draws)
        bound[n] = probability[possible] @ log_mean
    return log_prob + bound


def _enumerate(log_joint, q):
    """Each proposal q_nk, its log relative weight log w_nk / p(x_n), and log p(x_n)."""
    log_posterior = bounds.log_posterior(log_joint)
    bounds.gap(log_joint, q)  # q is checked there
    q = np.broadcast_to(np.asarray(q, dtype=float), log_posterior.shape)
    missed = np.argwhere((q == 0) & (log_posterior > -np.inf))
    if missed.size:
        raise ValueError(f"q: got 0 at {tuple(missed[0].tolist())}, must be positive where p is")
    with np.errstate(divide="ignore"):
        log_relative = np.subtract(log_posterior, np.log(q), out=np.zeros(q.shape), where=q > 0)
    return q, log_relative, bounds.log_evidence(log_joint)


def _log_abs_expm1(x):
    """Log |eˣ − 1|, without overflow; −∞ at zero."""
    with np.errstate(divide="ignore"):
        return np.maximum(x, 0) + np.log(-np.expm1(-np.abs(x)))


def _compositions(total, n_parts):
    """All ways to write ``total`` as an ordered sum of ``n_parts`` counts (stars and bars)."""
    places = total + n_parts - 1
    bars = np.array(list(combinations(range(places), n_parts - 1)), dtype=int)
    edges = np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), places)])
    return np.diff(edges, axis=1) - 1


def _check_log_weights(log_weights, at_least=1, not_all_zero=False):
    axes = ("n",) * (np.ndim(log_weights) - 1) + ("n_draws",)
    log_weights = check_log_array("log_weights", log_weights, axes)
    n_draws = log_weights.shape[-1]
    if n_draws < at_least:
        raise ValueError(f"log_weights: got {n_draws} draws, must be at least {at_least}")
    if not_all_zero and (log_weights.max(axis=-1) == -np.inf).any():
        raise ValueError("log_weights: got only -inf, must hold at least one weight above zero")
    return log_weights
