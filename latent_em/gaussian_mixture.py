"""Mixtures of Gaussians (chapters "Gaussian mixtures, derived" and "Gaussian mixtures, used").

The module is itself a model for :func:`latent_em.em.fit_em`, with full covariances::

    result = fit_em(gaussian_mixture, params, [X])

``Model(DIAG)`` is one with covariances of another shape, with a prior if wanted. The shapes
are in ``latent_em.covariances``, and all functions take one as ``covariance_type``.

Everything is computed with logarithms, and covariances only through triangular factors.
"""

from itertools import count
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from latent_em import bounds, coordinates
from latent_em._validation import check_array, check_distribution, check_integer
from latent_em.covariances import FULL, not_positive
from latent_em.inverse_wishart import InverseWishart
from latent_em.moments import Moments, blocks, moments, moments_of_columns, pool
from latent_em.weighted import Weighted, rows_and_weights, sample_count

__all__ = [
    "Model",
    "Moments",
    "Params",
    "bic",
    "check_params",
    "degrees_of_freedom",
    "e_step",
    "global_bound",
    "log_joint",
    "log_likelihood",
    "log_prob",
    "m_step",
    "moments",
    "pack",
    "responsibilities",
    "sample",
    "unpack",
]


class Params(NamedTuple):
    """Parameters θ of a mixture of K Gaussians in D dimensions.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        π_k, non-negative, sum to one.
    means : ndarray of shape (n_components, n_features)
        μ_k, in the units of the data.
    covariances : ndarray of shape (n_components, n_features, n_features)
        Σ_k, symmetric and positive definite, in squared units. This is the shape of the
        full type; ``latent_em.covariances`` says that of the others.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


class Model(NamedTuple):
    """A mixture for :func:`latent_em.em.fit_em`: the module's functions with their options.

    Attributes
    ----------
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.
    prior : InverseWishart or None
        Prior on the covariances; the fit then maximises the log-posterior.
    reg_covar : float
        Ridge added to the diagonal of the covariances after each M-step, in squared units.
        The step then no longer maximises the bound, which may fall; a prior keeps it rising.
    """

    covariance_type: Any = FULL
    prior: InverseWishart | None = None
    reg_covar: float = 0.0

    def e_step(self, params, chunk, local=None):
        """``e_step`` of the module."""
        return e_step(params, chunk, local, self.covariance_type)

    def m_step(self, stats):
        """``m_step`` of the module."""
        return m_step(stats, self.prior, self.reg_covar)

    def global_bound(self, params):
        """``global_bound`` of the module."""
        return global_bound(params, self.prior, self.covariance_type)

    def pack(self, params):
        """``pack`` of the module."""
        return pack(params, self.covariance_type)

    def unpack(self, rows):
        """``unpack`` of the module."""
        return unpack(rows, self.covariance_type)


def _log_joint(params, covariance_type):
    """The log-joint, of shape (K, n), as a function of samples that stand in columns."""
    weights, means, covariances = params
    n_features = means.shape[1]
    U = covariance_type.precisions_cholesky(covariances)
    with np.errstate(divide="ignore"):  # a weight of zero is log-weight −∞
        log_weights = np.log(weights)
    half_log_det = covariance_type.half_log_det(U, n_features)
    log_scale = log_weights - n_features / 2 * np.log(2 * np.pi) - half_log_det
    distances = covariance_type.mahalanobis(U, means)

    def log_joint_(X):
        result = distances(X)
        result *= -0.5
        result += log_scale[:, None]
        return result

    return log_joint_


def log_joint(params, X, covariance_type=FULL):
    """Log p(x_n, z_n = k) = log π_k + log N(x_n | μ_k, Σ_k) (eq-gm-log-joint).

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples, n_features)
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

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
    params = check_params(params, covariance_type)
    X = _check_samples(X, params.means.shape[1])
    of_columns = _log_joint(params, covariance_type)
    parts = [
        of_columns(np.ascontiguousarray(X[rows].T))
        for rows in blocks(len(X), *params.means.shape, covariance_type)
    ]
    return np.concatenate(parts, axis=1).T


def log_prob(params, X, covariance_type=FULL):
    """Log p(x_n) = log Σ_k p(x_n, z_n = k), each sample's own (eq-gm-marginal).

    Parameters and errors as for :func:`log_joint`.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.
    """
    return logsumexp(log_joint(params, X, covariance_type), axis=1)


def log_likelihood(params, chunk, covariance_type=FULL):
    """Log p(X) = Σ_n log p(x_n), all samples together (eq-gm-log-likelihood).

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features) or Weighted
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        As :func:`log_joint`, or if the sample weights are unfit.
    """
    X, sample_weight = rows_and_weights(chunk)
    return float(sample_weight @ log_prob(params, X, covariance_type))


def responsibilities(params, X, covariance_type=FULL):
    """r_nk = p(z_n = k | x_n) (eq-gm-responsibility).

    Parameters and errors as for :func:`log_joint`.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Rows are non-negative and sum to one.
    """
    return bounds.normalise(log_joint(params, X, covariance_type))[0]


def e_step(params, chunk, local=None, covariance_type=FULL):
    """Weighted moments of a chunk, and its log-likelihood (eq-gm-responsibility).

    At the responsibilities the bound touches, so a chunk's share of the bound is its
    log-likelihood.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features) or Weighted
    local : None
        A mixture keeps nothing between steps.
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    stats : Moments
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        As :func:`log_joint`, or if the weights of the samples do not fit.
    """
    params = check_params(params, covariance_type)
    X, sample_weight = _check_chunk(chunk, params.means.shape[1])
    log_joint_ = _log_joint(params, covariance_type)
    log_likelihoods = []

    def per_block():
        for rows in blocks(len(X), *params.means.shape, covariance_type):
            columns = np.ascontiguousarray(X[rows].T)
            resp, log_prob_ = bounds.normalise(log_joint_(columns), axis=0)
            if sample_weight is not None:
                resp *= sample_weight[rows]
                log_prob_ *= sample_weight[rows]
            log_likelihoods.append(log_prob_.sum())
            yield moments_of_columns(columns, resp, covariance_type)

    stats = pool(per_block())._replace(n_samples=sample_count(chunk))
    return stats, float(sum(log_likelihoods)), None


def m_step(stats, prior=None, reg_covar=0.0):
    """Maximise the bound (eq-gm-weights, eq-gm-mean, eq-gm-covariance).

    Parameters
    ----------
    stats : Moments
    prior : InverseWishart, optional
        Prior on the covariances; the bound is then that on the log-posterior.
    reg_covar : float
        Added to the diagonal of the covariances afterwards, in squared units.

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a component has no samples left, or they all stand on one point.
    """
    if not (stats.nk > 0).all():
        empty = np.flatnonzero(~(stats.nk > 0)).tolist()
        raise ValueError(
            f"components {empty} have lost all their samples (nk = {stats.nk}); "
            "start from other means or with fewer components"
        )
    kind = stats.covariance_type
    scatter, pseudo_count = stats.scatter, 0.0
    if prior is not None:
        scatter, pseudo_count = scatter + prior.scatter(kind), prior.pseudo_count
    covariances = kind.average(scatter, stats.nk, pseudo_count)
    covariances += reg_covar * kind.identity(stats.means.shape[1])
    variances = np.broadcast_to(kind.variances(covariances), stats.means.shape)
    if (variances < (8 * np.finfo(float).eps * stats.means) ** 2).any():  # rounding of the mean
        raise not_positive("covariances", "smallest variance", variances.min(axis=1))
    return Params(stats.nk / stats.nk.sum(), stats.means, covariances)


def global_bound(params, prior=None, covariance_type=FULL):
    """Log p(Σ_1, …, Σ_K) up to a constant; without a prior 0.

    Parameters
    ----------
    params : Params
    prior : InverseWishart, optional
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    float
        In nats.
    """
    return 0.0 if prior is None else prior.log_density(params.covariances, covariance_type)


def pack(params, covariance_type=FULL):
    """Parameters as real numbers, for each component log π_k, μ_k and what stands for Σ_k.

    That is the Cholesky factor of Σ_k with the logarithms of its diagonal, or the logarithms of
    the standard deviations.

    Parameters
    ----------
    params : Params
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    ndarray of shape (n_components, n_numbers)
    """
    weights, means, covariances = params
    spread = covariance_type.pack(covariances, len(weights))
    return np.column_stack([coordinates.log(weights), means, spread])


def unpack(rows, covariance_type=FULL):
    """Undo :func:`pack`; the weights are scaled to sum to one.

    Parameters
    ----------
    rows : ndarray of shape (n_components, n_numbers)
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    Params
    """
    n_numbers = rows.shape[1] - 1
    n_features = next(d for d in count(1) if d + covariance_type.n_parameters(1, d) >= n_numbers)
    means, spread = np.split(rows[:, 1:], [n_features], axis=1)
    covariances = covariance_type.unpack(spread, n_features)
    return Params(coordinates.softmax(rows[:, 0]), means, covariances)


def sample(params, n_samples, random_state, covariance_type=FULL):
    """Draw z_n from the weights, then x_n from component z_n (eq-gm-joint).

    Parameters
    ----------
    params : Params
    n_samples : int
    random_state : int or numpy.random.Generator
        A seed, or a generator whose state moves on.
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    z : ndarray of shape (n_samples,)
        The component of each sample, 0 to K − 1.
    """
    params = check_params(params, covariance_type)
    check_integer("n_samples", n_samples, at_least=1)
    rng = np.random.default_rng(random_state)
    n_components, n_features = params.means.shape
    z = rng.choice(n_components, size=n_samples, p=params.weights)
    X = rng.standard_normal((n_samples, n_features))
    matrices = covariance_type.matrices(params.covariances, n_components, n_features)
    for k, root in enumerate(np.linalg.cholesky(matrices)):
        X[z == k] = params.means[k] + X[z == k] @ root.T
    return X, z


def degrees_of_freedom(params, covariance_type=FULL):
    """Number of free parameters: K − 1 weights, K · D means, and those of the covariances.

    Parameters
    ----------
    params : Params
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

    Returns
    -------
    int
    """
    n_components, n_features = np.shape(params.means)
    covariances = covariance_type.n_parameters(n_components, n_features)
    return n_components - 1 + n_components * n_features + covariances


def bic(params, chunk, covariance_type=FULL):
    """Bayesian information criterion, −2 log p(X) + df log N: smaller is better (eq-gu-bic).

    Parameters and errors as for :func:`log_likelihood`.

    Returns
    -------
    float
        In nats.
    """
    penalty = degrees_of_freedom(params, covariance_type) * np.log(sample_count(chunk))
    return float(penalty - 2 * log_likelihood(params, chunk, covariance_type))


def check_params(params, covariance_type=FULL):
    """Return ``params`` as arrays of doubles whose shapes fit; raise if they cannot be.

    Parameters
    ----------
    params : Params
    covariance_type : object
        One of the shapes in ``latent_em.covariances``.

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
    covariances = covariance_type.check("covariances", params.covariances, *means.shape)
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


def _check_chunk(chunk, n_features):
    if not isinstance(chunk, Weighted):
        return _check_samples(chunk, n_features), None
    X, sample_weight = rows_and_weights(chunk)
    return _check_samples(X, n_features), sample_weight
