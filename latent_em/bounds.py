"""The bound on the evidence, and its gap (chapter "Jensen's inequality and the bound").

For one observation x_n with a latent z_n of K values, and any distribution q_n over them::

    log p(x_n) = Σ_k q_nk log p(x_n, k) / q_nk  +  Σ_k q_nk log q_nk / p(k | x_n)
               =            ELBO_n              +        KL(q_n ‖ p(z_n | x_n))

(eq-elbo-gap). ``log_joint`` holds log p(x_n, z_n = k) in row n, column k, and may be −∞.
``q`` holds one distribution a row; a single one of shape (n_components,) is used for all
observations, and seldom fits them. ``q`` is given as probabilities, because q log q → 0
where q underflows; what it is compared with is given as logarithms, because q log p does not.
"""

import numpy as np
from scipy.special import entr, logsumexp

from latent_em._validation import check_distribution, check_log_array


def log_evidence(log_joint):
    """Log p(x_n) = log Σ_k p(x_n, z_n = k), by enumeration (eq-marginal-likelihood).

    Parameters
    ----------
    log_joint : array-like of shape (n_samples, n_components)
        Log p(x_n, z_n = k), in nats.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats; −∞ for an observation that the model excludes.

    Raises
    ------
    ValueError
        If the array is not two-dimensional, or an entry is NaN or +∞.
    """
    return logsumexp(_check_log_joint(log_joint), axis=1)


def log_posterior(log_joint):
    """Log p(z_n = k | x_n) = log p(x_n, z_n = k) − log p(x_n): where the bound touches.

    Parameters
    ----------
    log_joint : array-like of shape (n_samples, n_components)

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        In nats.

    Raises
    ------
    ValueError
        As :func:`log_evidence`, and if an observation has probability zero.
    """
    log_joint = _check_log_joint(log_joint)
    log_prob = logsumexp(log_joint, axis=1)
    _refuse_excluded(log_prob)
    return log_joint - log_prob[:, np.newaxis]


def posterior(log_joint):
    """p(z_n = k | x_n), the responsibilities.

    Parameters and errors as for :func:`log_posterior`.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Rows are non-negative and sum to one.
    """
    return normalise(_check_log_joint(log_joint))[0]


def normalise(log_joint, axis=1):
    """Responsibilities and log-evidence together, for an E-step; the argument is not checked.

    Parameters
    ----------
    log_joint : ndarray
        Log p(x_n, z_n = k), in nats, with the components along ``axis``.
    axis : int

    Returns
    -------
    resp : ndarray, shaped as ``log_joint``
        p(z_n = k | x_n), the sum over ``axis`` is one.
    log_prob : ndarray of one axis less
        Log p(x_n), in nats.

    Raises
    ------
    ValueError
        If an observation has probability zero.
    """
    largest = log_joint.max(axis=axis, keepdims=True)
    _refuse_excluded(largest)
    resp = log_joint - largest
    np.exp(resp, out=resp)
    total = resp.sum(axis=axis, keepdims=True)
    resp *= 1 / total
    return resp, (largest + np.log(total)).squeeze(axis)


def expected_log_joint(log_joint, q):
    """Σ_k q_nk log p(x_n, z_n = k) (eq-em-q-function).

    With q the posterior at the old parameters and ``log_joint`` taken at new ones, the sum
    over n is EM's Q(θ, θ_old).

    Parameters
    ----------
    log_joint : array-like of shape (n_samples, n_components)
    q : array-like of shape (n_samples, n_components) or (n_components,)
        Where q is zero, the term is zero, even at a log-joint of −∞.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats; −∞ where q allows what the model excludes.

    Raises
    ------
    ValueError
        As :func:`log_evidence`, if the shapes do not fit, or if a row of ``q`` is no
        distribution.
    """
    log_joint = _check_log_joint(log_joint)
    return _expectation(_check_q(q, log_joint), log_joint)


def entropy(q):
    """H(q_n) = −Σ_k q_nk log q_nk, which no parameter moves (eq-em-q-function).

    Parameters
    ----------
    q : array-like of shape (n_samples, n_components) or (n_components,)

    Returns
    -------
    ndarray of shape (n_samples,), or a number for a single distribution
        In nats, from 0 to log n_components.

    Raises
    ------
    ValueError
        If a row of ``q`` is no distribution.
    """
    return entr(_check_distributions("q", q)).sum(axis=-1)


def elbo(log_joint, q):
    """ELBO_n = Σ_k q_nk log p(x_n, z_n = k) + H(q_n), never above log p(x_n) (eq-elbo).

    Parameters, errors and the meaning of −∞ as for :func:`expected_log_joint`.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats; its sum is the bound on the log-likelihood of all observations.
    """
    return expected_log_joint(log_joint, q) + entropy(q)


def kl(q, log_p):
    """KL(q_n ‖ p_n) = Σ_k q_nk (log q_nk − log p_nk), never negative (eq-kl-nonnegative).

    Parameters
    ----------
    q : array-like of shape (n_samples, n_components) or (n_components,)
    log_p : array-like of the same shape, or one that broadcasts with it
        Logarithm of the second distribution.

    Returns
    -------
    ndarray of shape (n_samples,), or a number
        In nats; ∞ where q allows what p excludes.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a row of ``q`` or of exp(``log_p``) is no distribution.
    """
    q = _check_distributions("q", q)
    log_p = check_log_array("log_p", log_p, _axes(log_p, q.shape[-1]))
    _check_distributions("exp(log_p)", np.exp(log_p))
    q, log_p = np.broadcast_arrays(q, log_p)
    # Rounding can leave −1e-17 where the two agree.
    return np.maximum(-_expectation(q, log_p) - entr(q).sum(axis=-1), 0.0)


def gap(log_joint, q):
    """Log p(x_n) − ELBO_n as what it is, KL(q_n ‖ p(z_n | x_n)) (eq-elbo-gap).

    Computed as that divergence, not as the difference. Parameters as for :func:`elbo`.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats; zero where q_n is the posterior, and only there.

    Raises
    ------
    ValueError
        As :func:`elbo` and :func:`log_posterior`.
    """
    log_joint = _check_log_joint(log_joint)
    return kl(_check_q(q, log_joint), log_posterior(log_joint))


def _refuse_excluded(log_prob):
    excluded = np.flatnonzero(log_prob == -np.inf)
    if excluded.size:
        raise ValueError(
            f"log_joint: got -inf for every component in row {excluded[0]}; an observation of "
            "probability zero has no posterior"
        )


def _expectation(q, log_p):
    """Σ_k q log p over the last axis, where 0 · (−∞) = 0."""
    return np.multiply(q, log_p, out=np.zeros(q.shape), where=q > 0).sum(axis=-1)


def _axes(array, n_components):
    return ("n_samples", n_components) if np.ndim(array) == 2 else (n_components,)


def _check_log_joint(log_joint):
    return check_log_array("log_joint", log_joint, ("n_samples", "n_components"))


def _check_distributions(name, q):
    return check_distribution(name, q, _axes(q, "n_components"))


def _check_q(q, log_joint):
    """One distribution a row of ``log_joint``; a single one serves every row."""
    shape = log_joint.shape if np.ndim(q) == 2 else log_joint.shape[1:]
    return np.broadcast_to(check_distribution("q", q, shape), log_joint.shape)
