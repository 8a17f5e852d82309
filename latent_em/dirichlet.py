"""The Dirichlet distribution (chapter "Latent Dirichlet allocation, the model").

A random distribution p over K outcomes, with parameters α_k > 0::

    log p(p | α) = Σ_k (α_k − 1) log p_k − log B(α)

(eq-dirichlet). It is an exponential family with statistics log p_k and log-partition function
log B(α), from which all else here follows. Every function works along the last axis, so a row
of an array is one distribution.
"""

import numpy as np
from scipy.special import gammaln, polygamma, psi, xlogy

from latent_em._validation import check_array

__all__ = [
    "entropy",
    "expected_log",
    "kl",
    "log_partition",
    "log_prob",
    "maximum_likelihood",
    "mean",
    "sample",
    "symmetric_maximum_likelihood",
]


def log_partition(alpha):
    """Log B(α) = Σ_k log Γ(α_k) − log Γ(Σ_k α_k) (eq-dirichlet-log-partition).

    Parameters
    ----------
    alpha : array-like of shape (..., K)
        Positive.

    Returns
    -------
    ndarray of shape (...)
        In nats.

    Raises
    ------
    ValueError
        If a number is not positive or not finite.
    """
    alpha = check_positive("alpha", alpha)
    return gammaln(alpha).sum(axis=-1) - gammaln(alpha.sum(axis=-1))


def mean(alpha):
    """E[p_k] = α_k / Σ_j α_j (eq-dirichlet-mean).

    Parameters and errors as for :func:`log_partition`.

    Returns
    -------
    ndarray of shape (..., K)
        Sums to one.
    """
    alpha = check_positive("alpha", alpha)
    return alpha / alpha.sum(axis=-1, keepdims=True)


def expected_log(alpha):
    """E[log p_k] = ψ(α_k) − ψ(Σ_j α_j), the gradient of log B (eq-dirichlet-expected-log).

    Parameters and errors as for :func:`log_partition`.

    Returns
    -------
    ndarray of shape (..., K)
        In nats, negative.
    """
    alpha = check_positive("alpha", alpha)
    return psi(alpha) - psi(alpha.sum(axis=-1, keepdims=True))


def log_prob(alpha, p):
    """Log-density of distributions p (eq-dirichlet).

    Parameters
    ----------
    alpha : array-like of shape (..., K)
        Positive.
    p : array-like of shape (..., K)
        Non-negative, sums to one; the shapes broadcast.

    Returns
    -------
    ndarray of shape (...)
        In nats, with respect to p_1, ..., p_{K−1}; infinite where the density is zero or has a
        pole.

    Raises
    ------
    ValueError
        If ``alpha`` is not positive or a row of ``p`` is no distribution.
    """
    alpha = check_positive("alpha", alpha)
    p = np.asarray(p, dtype=float)
    if not ((p >= 0).all() and (np.abs(p.sum(axis=-1) - 1) <= 1e-9).all()):
        raise ValueError(f"p: got {p}, must be non-negative and sum to 1 over the last axis")
    return xlogy(alpha - 1, p).sum(axis=-1) - log_partition(alpha)


def entropy(alpha):
    """H = log B(α) − Σ_k (α_k − 1) E[log p_k] (eq-dirichlet-entropy).

    Parameters and errors as for :func:`log_partition`.

    Returns
    -------
    ndarray of shape (...)
        In nats; a differential entropy, so it may be negative.
    """
    alpha = check_positive("alpha", alpha)
    return log_partition(alpha) - ((alpha - 1) * expected_log(alpha)).sum(axis=-1)


def kl(a, b):
    """KL(Dir(a) ‖ Dir(b)), never negative (eq-dirichlet-kl).

    Parameters
    ----------
    a, b : array-like of shape (..., K)
        Positive; the shapes broadcast.

    Returns
    -------
    ndarray of shape (...)
        In nats; log B(b) − log B(a) + Σ_k (a_k − b_k) E_a[log p_k].

    Raises
    ------
    ValueError
        If a number is not positive or not finite.
    """
    a, b = check_positive("a", a), check_positive("b", b)
    return log_partition(b) - log_partition(a) + ((a - b) * expected_log(a)).sum(axis=-1)


def sample(alpha, size=(), random_state=None):
    """Draw distributions.

    Parameters
    ----------
    alpha : array-like of shape (K,)
        Positive.
    size : int or tuple
        Shape of the draws.
    random_state : int or numpy.random.Generator, optional
        Seed.

    Returns
    -------
    ndarray of shape (*size, K)

    Raises
    ------
    ValueError
        If ``alpha`` is not positive or not finite.
    """
    alpha = check_positive("alpha", alpha)
    return np.random.default_rng(random_state).dirichlet(alpha, size)


def maximum_likelihood(mean_log):
    """The α with E[log p_k] = ``mean_log[k]``, which maximises the likelihood (eq-lda-alpha).

    An exponential family is fitted by matching its moments. The log-likelihood per draw,
    Σ_k (α_k − 1) t_k − log B(α), is concave, and Newton's step needs no matrix, as its Hessian is
    a diagonal plus a constant (Minka 2000). A step that would lower the
    likelihood is halved.

    Parameters
    ----------
    mean_log : array-like of shape (K,)
        t_k, the mean of log p_k over the draws, or its expectation; negative, with
        Σ_k exp(t_k) < 1.

    Returns
    -------
    ndarray of shape (K,)

    Raises
    ------
    ValueError
        If no α has these expectations.

    References
    ----------
    T. P. Minka (2000). Estimating a Dirichlet distribution. Technical report, MIT.
    """
    t = _check_mean_log(mean_log)

    def newton(alpha):
        total = alpha.sum()
        slope = t - psi(alpha) + psi(total)
        curvature, shared = polygamma(1, alpha), polygamma(1, total)
        spread = (slope / curvature).sum() / (1 / shared - (1 / curvature).sum())
        return (slope + spread) / curvature

    return _climb(np.ones_like(t), newton, lambda alpha: alpha @ t - log_partition(alpha))


def symmetric_maximum_likelihood(mean_log):
    """The α_1 = ... = α_K that maximise the likelihood of draws (eq-lda-eta).

    Parameters and errors as for :func:`maximum_likelihood`; only the mean of ``mean_log`` counts.

    Returns
    -------
    float
    """
    t = _check_mean_log(mean_log)
    n, total = len(t), t.sum()

    def newton(alpha):
        slope = total - n * (psi(alpha) - psi(n * alpha))
        return slope / (n * (polygamma(1, alpha) - n * polygamma(1, n * alpha)))

    def climbed(alpha):
        return alpha[0] * total - n * gammaln(alpha[0]) + gammaln(n * alpha[0])

    return float(_climb(np.ones(1), newton, climbed)[0])


def _climb(alpha, newton, objective):
    """Newton's method for a concave objective, its steps halved until they climb."""
    moved = np.inf
    for _ in range(200):
        new = np.maximum(alpha + newton(alpha), alpha / 4)  # stay positive
        before, moved = moved, np.abs(new / alpha - 1).max()
        if moved > 1e-3:
            while objective(new) < objective(alpha):
                new = (alpha + new) / 2
        elif moved >= before:  # so near the top heights are rounding, and now the steps are
            break
        alpha = new
    return alpha


def _check_mean_log(mean_log):
    t = check_array("mean_log", mean_log, ("K",))
    if not np.exp(t).sum() < 1:  # Jensen: exp E[log p] < E[p]
        raise ValueError(
            f"mean_log: got exponentials that sum to {np.exp(t).sum():.6g}, must sum to less than 1"
        )
    return t


def check_positive(name, value):
    """Return ``value`` as an array of positive doubles with at least one axis."""
    array = np.asarray(value, dtype=float)
    if array.ndim == 0:
        raise ValueError(f"{name}: got the number {array}, must be an array of shape (..., K)")
    if not ((array > 0) & (array < np.inf)).all():
        wrong = array[~((array > 0) & (array < np.inf))][0]
        raise ValueError(f"{name}: got {wrong}, must be positive and finite")
    return array
