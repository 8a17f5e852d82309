"""Mixtures of Gaussians with full covariances (chapter "Gaussian mixtures, derived").

The module is itself a model for :func:`latent_em.em.fit_em`::

    result = fit_em(gaussian_mixture, params, [X])

Everything is computed with logarithms, and covariances only through their Cholesky
factors. Second moments are taken about the means of the chunk they come from, so that
data far from the origin lose no digits.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from latent_em._validation import check_array, check_distribution, check_integer


class Params(NamedTuple):
    """Parameters θ of a mixture of K Gaussians in D dimensions.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        π_k, positive, sum to one.
    means : ndarray of shape (n_components, n_features)
        μ_k, in the units of the data.
    covariances : ndarray of shape (n_components, n_features, n_features)
        Σ_k, symmetric and positive definite, in squared units.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


class Moments(NamedTuple):
    """Sufficient statistics: the weighted moments of a chunk, one set per component.

    ``a + b`` are the moments of the two chunks together.

    Attributes
    ----------
    n_samples : int
        N, the sample count.
    nk : ndarray of shape (n_components,)
        N_k = Σ_n r_nk (eq-gm-effective-count).
    means : ndarray of shape (n_components, n_features)
        Σ_n r_nk x_n / N_k; where N_k is zero, zero.
    scatter : ndarray of shape (n_components, n_features, n_features)
        Σ_n r_nk (x_n − means_k)(x_n − means_k)ᵀ.
    """

    n_samples: int
    nk: np.ndarray
    means: np.ndarray
    scatter: np.ndarray

    def __add__(self, other):
        """Pool two sets of moments (Chan, Golub & LeVeque 1983)."""
        nk = self.nk + other.nk
        share = np.divide(other.nk, nk, out=np.zeros_like(nk), where=nk > 0)[:, None]
        apart = other.means - self.means
        return Moments(
            self.n_samples + other.n_samples,
            nk,
            self.means + share * apart,
            self.scatter
            + other.scatter
            + (self.nk[:, None] * share * apart)[:, :, None] * apart[:, None, :],
        )


class _Whitening(NamedTuple):
    """The map x ↦ y_k = L_k⁻¹(x − μ_k), where Σ_k = L_k L_kᵀ, and its log-scale.

    The map is applied as L_k⁻¹(x − c) − L_k⁻¹(μ_k − c): one matrix product for all
    components, and c, a point amid the data, keeps its digits when they are far from 0.
    """

    centre: np.ndarray  # c, shape (D,)
    L: np.ndarray  # shape (K, D, D)
    L_inv: np.ndarray  # shape (K, D, D)
    offset: np.ndarray  # L_k⁻¹(μ_k − c), shape (K, D)
    log_scale: np.ndarray  # log π_k − D/2 log 2π − Σ_d log (L_k)_dd, shape (K,)


def _whitening(params):
    weights, means, covariances = params
    n_features = means.shape[1]
    L = _cholesky(covariances)
    L_inv = np.stack([solve_triangular(Lk, np.eye(n_features), lower=True) for Lk in L])
    centre = weights @ means
    offset = np.einsum("kij,kj->ki", L_inv, means - centre)
    with np.errstate(divide="ignore"):  # a weight of zero is log-weight −∞
        log_weights = np.log(weights)
    log_det = np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
    log_scale = log_weights - n_features / 2 * np.log(2 * np.pi) - log_det
    return _Whitening(centre, L, L_inv, offset, log_scale)


def _whiten(whitening, X):
    """y_nk for every sample and component, of shape (K, D, n)."""
    n_components, n_features = whitening.offset.shape
    Y = whitening.L_inv.reshape(-1, n_features) @ (X - whitening.centre).T
    Y -= whitening.offset.reshape(-1, 1)
    return Y.reshape(n_components, n_features, len(X))


def _log_joint(whitening, Y):
    """Log π_k + log N(x_n | μ_k, Σ_k) from the whitened samples, of shape (K, n)."""
    return whitening.log_scale[:, None] - 0.5 * np.einsum("kdn,kdn->kn", Y, Y)


def _blocks(params, X):
    """Rows of X, so few at a time that their whitened copies stay in the processor's cache."""
    rows = max(64, 2**16 // params.means.size)
    return (X[start : start + rows] for start in range(0, len(X), rows))


def log_joint(params, X):
    """Log p(x_n, z_n = k) = log π_k + log N(x_n | μ_k, Σ_k) (eq-gm-log-joint).

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        In nats. Row n is the log-joint of sample n.

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite, the weights are no
        distribution, or a covariance is not symmetric positive definite.
    """
    params, X = _check(params, X)
    whitening = _whitening(params)
    blocks = [_log_joint(whitening, _whiten(whitening, block)) for block in _blocks(params, X)]
    return np.concatenate(blocks, axis=1).T


def log_prob(params, X):
    """Log p(x_n) = log Σ_k p(x_n, z_n = k), each sample's own (eq-gm-marginal).

    Parameters and errors as for :func:`log_joint`.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.
    """
    return logsumexp(log_joint(params, X), axis=1)


def log_likelihood(params, X):
    """Log p(X) = Σ_n log p(x_n), all samples together (eq-gm-log-likelihood).

    Parameters and errors as for :func:`log_joint`.

    Returns
    -------
    float
        In nats.
    """
    return float(log_prob(params, X).sum())


def responsibilities(params, X):
    """r_nk = p(z_n = k | x_n) (eq-gm-responsibility).

    Parameters and errors as for :func:`log_joint`.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Rows are non-negative and sum to one.
    """
    log_joint_ = log_joint(params, X)
    return np.exp(log_joint_ - logsumexp(log_joint_, axis=1, keepdims=True))


def e_step(params, chunk, local=None):
    """Weighted moments of a chunk, and its log-likelihood (eq-gm-responsibility).

    At the responsibilities the bound touches, so a chunk's share of the bound is its
    log-likelihood.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features)
    local : None
        A mixture keeps nothing between steps.

    Returns
    -------
    stats : Moments
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        As :func:`log_joint`.
    """
    params, X = _check(params, chunk)
    whitening = _whitening(params)
    n_components, n_features = params.means.shape
    bound = 0.0
    nk = np.zeros(n_components)
    first = np.zeros((n_components, n_features))
    second = np.zeros((n_components, n_features, n_features))
    for block in _blocks(params, X):
        Y = _whiten(whitening, block)
        log_joint_ = _log_joint(whitening, Y)
        log_prob_ = _logsumexp(log_joint_)
        resp = np.exp(log_joint_ - log_prob_)
        bound += log_prob_.sum()
        nk += resp.sum(axis=1)
        first += np.einsum("kdn,kn->kd", Y, resp)
        Y *= np.sqrt(resp)[:, None, :]
        second += np.stack([y @ y.T for y in Y])
    return _unwhiten(params, whitening, len(X), nk, first, second), float(bound), None


def _logsumexp(log_joint):
    """Over axis 0; scipy.special.logsumexp costs more than all else on small blocks."""
    largest = log_joint.max(axis=0)
    return largest + np.log(np.exp(log_joint - largest).sum(axis=0))


def _unwhiten(params, whitening, n_samples, nk, first, second):
    """Moments of the samples, from the sums Σ r y and Σ r y yᵀ of their whitened copies."""
    L = whitening.L
    y_mean = np.divide(first, nk[:, None], out=np.zeros_like(first), where=nk[:, None] > 0)
    y_scatter = second - first[:, :, None] * y_mean[:, None, :]
    means = params.means + np.einsum("kij,kj->ki", L, y_mean)
    scatter = L @ y_scatter @ L.transpose(0, 2, 1)
    return Moments(n_samples, nk, means, (scatter + scatter.transpose(0, 2, 1)) / 2)


def moments(X, resp):
    """Weighted count, mean and scatter of every component (eq-gm-effective-count).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    resp : ndarray of shape (n_samples, n_components)
        Non-negative weights.

    Returns
    -------
    Moments
    """
    nk = resp.sum(axis=0)
    sums = resp.T @ X
    means = np.divide(sums, nk[:, None], out=np.zeros_like(sums), where=nk[:, None] > 0)
    rooted = [np.sqrt(r)[:, None] * (X - mean) for r, mean in zip(resp.T, means, strict=True)]
    return Moments(len(X), nk, means, np.stack([d.T @ d for d in rooted]))


def m_step(stats):
    """The parameters that maximise the bound (eq-gm-weights, eq-gm-covariance).

    Parameters
    ----------
    stats : Moments

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a component has no samples left.
    """
    if not (stats.nk > 0).all():
        empty = np.flatnonzero(~(stats.nk > 0)).tolist()
        raise ValueError(
            f"components {empty} have lost all their samples (nk = {stats.nk}); "
            "start from other means or with fewer components"
        )
    return Params(
        stats.nk / stats.nk.sum(),
        stats.means,
        stats.scatter / stats.nk[:, None, None],
    )


def global_bound(params):
    """No prior, so nothing beyond the chunks: 0.

    Parameters
    ----------
    params : Params

    Returns
    -------
    float
    """
    return 0.0


def sample(params, n_samples, random_state):
    """Draw z_n from the weights, then x_n from component z_n (eq-gm-joint).

    Parameters
    ----------
    params : Params
    n_samples : int
    random_state : int or numpy.random.Generator
        A seed, or a generator whose state moves on.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    z : ndarray of shape (n_samples,)
        The component of each sample, 0 to K − 1.
    """
    params = check_params(params)
    check_integer("n_samples", n_samples, at_least=1)
    rng = np.random.default_rng(random_state)
    z = rng.choice(len(params.weights), size=n_samples, p=params.weights)
    noise = rng.standard_normal((n_samples, params.means.shape[1]))
    L = _cholesky(params.covariances)
    return params.means[z] + np.einsum("nij,nj->ni", L[z], noise), z


def check_params(params):
    """Return ``params`` as arrays of doubles whose shapes fit; raise if they cannot be.

    Parameters
    ----------
    params : Params

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a shape does not fit, a number is not finite, the weights are no
        distribution, or a covariance is not symmetric.
    """
    weights = check_distribution("weights", params.weights, ("n_components",))
    means = check_array("means", params.means, (len(weights), "n_features"))
    n_features = means.shape[1]
    shape = (len(weights), n_features, n_features)
    covariances = check_array("covariances", params.covariances, shape)
    scale = np.abs(covariances).max(initial=0)
    if not np.allclose(covariances, covariances.transpose(0, 2, 1), rtol=0, atol=1e-9 * scale):
        raise ValueError("covariances: got an asymmetric matrix, must be symmetric")
    return Params(weights, means, covariances)


def _check_samples(X, n_features="n_features"):
    X = np.asarray(X)
    if X.ndim == 1:
        raise ValueError(
            f"X: got shape {X.shape}, must be (n_samples, {n_features}); "
            "one feature is X[:, np.newaxis]"
        )
    X = check_array("X", X, ("n_samples", n_features))
    if len(X) == 0:
        raise ValueError("X: got no samples, must be at least one")
    return X


def _check(params, X):
    params = check_params(params)
    return params, _check_samples(X, params.means.shape[1])


def _cholesky(covariances):
    """Lower triangular factors L_k, Σ_k = L_k L_kᵀ."""
    try:
        return np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(covariances)[:, 0]
        k = int(least.argmin())
        raise ValueError(
            f"covariances: component {k} has smallest eigenvalue {least[k]:.3g}, must be positive "
            "definite; a component that collapses onto a few samples needs another start or a prior"
        ) from None
