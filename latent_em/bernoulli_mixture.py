"""Mixtures of Bernoulli distributions, or latent classes (chapter "When EM cannot help").

A sample has D binary features, independent once its class is known (eq-bm-log-joint):

    log p(x_n, z_n = k) = log π_k + Σ_d [x_nd log μ_kd + (1 − x_nd) log (1 − μ_kd)]

The M-step is made of weighted shares (eq-bm-m-step): π_k = N_k / N, μ_kd = Σ_n r_nk x_nd / N_k.
The module is itself a model for :func:`latent_em.em.fit_em`::

    result = fit_em(bernoulli_mixture, params, [X])

Sums of logarithms do not underflow, however many features there are. A mean of exactly 0 or 1
means what it says, with 0 · log 0 = 0: its class excludes every sample that differs there.
EM never moves such a mean, so start inside (0, 1).
"""

from functools import reduce
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, xlog1py, xlogy

from latent_em import bounds, coordinates
from latent_em._validation import (
    check_binary,
    check_distribution,
    check_integer,
    check_number,
    check_probabilities,
)
from latent_em.em import add_stats
from latent_em.weighted import rows_and_weights, sample_count


class Params(NamedTuple):
    """Parameters θ of a mixture of K classes of D binary features.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        π_k, sum to one.
    means : ndarray of shape (n_components, n_features)
        μ_kd, the probability of a one, from 0 to 1.
    """

    weights: np.ndarray
    means: np.ndarray


class Counts(NamedTuple):
    """Sufficient statistics of a chunk: expected counts. Those of two chunks add.

    Attributes
    ----------
    nk : ndarray of shape (n_components,)
        N_k = Σ_n r_nk.
    ones : ndarray of shape (n_components, n_features)
        Σ_n r_nk x_nd.
    zeros : ndarray of shape (n_components, n_features)
        Σ_n r_nk (1 − x_nd). Were there no rounding, N_k less the ones; so a feature that is
        always one has a mean of exactly one.
    """

    nk: np.ndarray
    ones: np.ndarray
    zeros: np.ndarray

    @property
    def n_samples(self):
        """N, the sum of the sample weights."""
        return float(self.nk.sum())


class Boundary(NamedTuple):
    """An estimated probability of 0 or 1.

    Attributes
    ----------
    component : int
    feature : int
    value : int
        0 or 1.
    """

    component: int
    feature: int
    value: int


def log_joint(params, X):
    """Log p(x_n, z_n = k) (eq-bm-log-joint).

    Parameters
    ----------
    params : Params
    X : array-like of shape (n_samples, n_features)
        Zeros and ones.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        In nats; −∞ where a class excludes the sample.

    Raises
    ------
    ValueError
        If a shape does not fit, the weights are no distribution, a mean is not from 0 to 1,
        or an entry of ``X`` is not 0 or 1.
    """
    params = check_params(params)
    X = _check_samples(X, params.means.shape[1])
    log_joint_ = _log_joint(params)
    return np.concatenate([log_joint_(X[rows]) for rows in _blocks(X)], axis=1).T


def _log_joint(params):
    """The log-joint, of shape (K, n), as a function of the samples."""
    weights, means = params
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights)
        log_ones, log_zeros = np.log(means), np.log1p(-means)
    # A matrix product would make NaN of 0 · (−∞), so what is excluded is counted apart.
    no_one, no_zero = log_ones == -np.inf, log_zeros == -np.inf
    log_ones, log_zeros = np.where(no_one, 0, log_ones), np.where(no_zero, 0, log_zeros)

    def log_joint_(X):
        result = (log_ones - log_zeros) @ X.T
        result += (log_weights + log_zeros.sum(axis=1))[:, np.newaxis]
        if no_one.any() or no_zero.any():
            result[no_one @ X.T + no_zero @ (1 - X).T > 0] = -np.inf
        return result

    return log_joint_


def _blocks(X):
    """Slices of the samples, so short that they stay in the processor's cache."""
    n_rows = max(64, 2**16 // X.shape[1])
    return (slice(start, start + n_rows) for start in range(0, len(X), n_rows))


def log_prob(params, X):
    """Log p(x_n) = log Σ_k p(x_n, z_n = k), each sample's own.

    Parameters and errors as for :func:`log_joint`.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats; −∞ for a sample that every class excludes.
    """
    return bounds.log_evidence(log_joint(params, X))


def log_likelihood(params, chunk):
    """Σ_n w_n log p(x_n), all samples together.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features), or latent_em.weighted.Weighted

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
    return float(sample_weight @ log_prob(params, X))


def responsibilities(params, X):
    """r_nk = p(z_n = k | x_n).

    Parameters as for :func:`log_joint`.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        Rows are non-negative and sum to one.

    Raises
    ------
    ValueError
        As :func:`log_joint`, or if every class excludes some sample.
    """
    return bounds.normalise(_refuse_excluded(log_joint(params, X).T), axis=0)[0].T


def _refuse_excluded(log_joint, first=0):
    """Return the log-joint, of shape (K, n); raise if it is −∞ throughout a column."""
    excluded = np.flatnonzero(log_joint.max(axis=0) == -np.inf)
    if excluded.size:
        raise ValueError(
            f"X: got sample {first + excluded[0]}, which every class excludes by a mean of "
            "0 or 1 (or by its weight); means must allow every sample, so start inside (0, 1)"
        )
    return log_joint


def e_step(params, chunk, local=None):
    """Expected counts of a chunk, and its log-likelihood.

    Parameters
    ----------
    params : Params
    chunk : array-like of shape (n_samples, n_features), or latent_em.weighted.Weighted
    local : None

    Returns
    -------
    stats : Counts
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        As :func:`responsibilities`, or if the sample weights are unfit.
    """
    params = check_params(params)
    X, sample_weight = rows_and_weights(chunk)
    X = _check_samples(X, params.means.shape[1])
    log_joint_, per_block, bound = _log_joint(params), [], 0.0
    for rows in _blocks(X):
        log_joint_of_block = _refuse_excluded(log_joint_(X[rows]), rows.start)
        resp, log_prob_ = bounds.normalise(log_joint_of_block, axis=0)
        resp *= sample_weight[rows]
        bound += sample_weight[rows] @ log_prob_
        per_block.append(counts(X[rows], resp.T))
    return reduce(add_stats, per_block), float(bound), None


def counts(X, resp):
    """Weighted numbers of samples, ones and zeros in every class.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Zeros and ones.
    resp : ndarray of shape (n_samples, n_components)
        Non-negative weights: responsibilities, times the sample weights if there are any.

    Returns
    -------
    Counts
    """
    nk, ones = resp.sum(axis=0), resp.T @ X
    zeros = nk[:, np.newaxis] - ones
    few = (zeros < 1e-6 * nk[:, np.newaxis]).any(axis=0)  # the difference has lost digits
    zeros[:, few] = resp.T @ (1 - X[:, few])
    return Counts(nk, ones, zeros)


def m_step(stats):
    """π_k = N_k / N and μ_kd, the share of ones, maximise the bound (eq-bm-m-step).

    Parameters
    ----------
    stats : Counts

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a class has no samples left.
    """
    seen = stats.ones + stats.zeros
    empty = np.flatnonzero(~(seen > 0).all(axis=1))
    if empty.size:
        raise ValueError(
            f"components {empty.tolist()} have lost all their samples (nk = {stats.nk}); "
            "start from other means or with fewer components"
        )
    return Params(stats.nk / stats.n_samples, stats.ones / seen)


def pack(params):
    """Parameters as real numbers: for each class log π_k and the log-odds of its μ_kd.

    Parameters
    ----------
    params : Params

    Returns
    -------
    ndarray of shape (n_components, 1 + n_features)
    """
    return np.column_stack([coordinates.log(params.weights), coordinates.logit(params.means)])


def unpack(rows):
    """Undo :func:`pack`; the weights are scaled to sum to one, and means stay inside (0, 1).

    Parameters
    ----------
    rows : ndarray of shape (n_components, 1 + n_features)

    Returns
    -------
    Params
    """
    return Params(coordinates.softmax(rows[:, 0]), coordinates.expit(rows[:, 1:]))


class BetaPrior(NamedTuple):
    """The same mixture with a Beta(a, b) prior on every mean, as a model for ``fit_em``.

    EM then climbs the log-posterior. With a, b > 1 no estimate reaches the boundary: a = b = 2
    is Laplace's rule, one more zero and one more one in every class.

    Attributes
    ----------
    a, b : float
        At least 1. ``BetaPrior(1, 1)`` is flat, and gives maximum likelihood.
    """

    a: float
    b: float

    def e_step(self, params, chunk, local=None):
        """As :func:`e_step`."""
        return e_step(params, chunk, local)

    def m_step(self, stats):
        """As :func:`m_step`, after a − 1 ones and b − 1 zeros more in every class.

        Parameters
        ----------
        stats : Counts

        Returns
        -------
        Params

        Raises
        ------
        ValueError
            If a or b is below 1, or a class has no samples left and the prior is flat.
        """
        a, b = self._checked()
        return m_step(stats._replace(ones=stats.ones + (a - 1), zeros=stats.zeros + (b - 1)))

    def global_bound(self, params):
        """Log-density of the prior at the means.

        Parameters
        ----------
        params : Params

        Returns
        -------
        float
            In nats; −∞ for a mean on the boundary that the prior excludes.

        Raises
        ------
        ValueError
            If a or b is below 1.
        """
        a, b = self._checked()
        means = np.asarray(params.means, dtype=float)
        return float((xlogy(a - 1, means) + xlog1py(b - 1, -means) - betaln(a, b)).sum())

    def pack(self, params):
        """As :func:`pack`."""
        return pack(params)

    def unpack(self, rows):
        """As :func:`unpack`."""
        return unpack(rows)

    def _checked(self):
        check_number("a", self.a, at_least=1)
        check_number("b", self.b, at_least=1)
        return self


def random_start(n_components, n_features, random_state):
    """A start for EM: equal weights, means uniform on (0, 1).

    Parameters
    ----------
    n_components, n_features : int
    random_state : int or numpy.random.Generator
        A seed, or a generator whose state moves on.

    Returns
    -------
    Params
    """
    check_integer("n_components", n_components, at_least=1)
    check_integer("n_features", n_features, at_least=1)
    rng = np.random.default_rng(random_state)
    weights = np.full(n_components, 1 / n_components)
    return Params(weights, rng.uniform(size=(n_components, n_features)))


def sample(params, n_samples, random_state):
    """Draw z_n from the weights, then every feature from its mean in class z_n.

    Parameters
    ----------
    params : Params
    n_samples : int
    random_state : int or numpy.random.Generator
        A seed, or a generator whose state moves on.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Zeros and ones.
    z : ndarray of shape (n_samples,)
        The class of each sample, 0 to K − 1.
    """
    weights, means = check_params(params)
    check_integer("n_samples", n_samples, at_least=1)
    rng = np.random.default_rng(random_state)
    z = rng.choice(len(weights), size=n_samples, p=weights)
    return (rng.uniform(size=(n_samples, means.shape[1])) < means[z]).astype(float), z


def degrees_of_freedom(params):
    """Number of free parameters, K − 1 weights and K · D means.

    Parameters
    ----------
    params : Params

    Returns
    -------
    int
    """
    n_components, n_features = np.shape(params.means)
    return n_components - 1 + n_components * n_features


def bic(params, chunk):
    """Bayesian information criterion, −2 log p(X) + df log N: smaller is better.

    Parameters and errors as for :func:`log_likelihood`.

    Returns
    -------
    float
        In nats.

    References
    ----------
    G. Schwarz (1978). Estimating the dimension of a model. *Annals of Statistics* 6(2),
    461–464.
    """
    penalty = degrees_of_freedom(params) * np.log(sample_count(chunk))
    return float(penalty - 2 * log_likelihood(params, chunk))


def boundary_estimates(params, atol=1e-6):
    """Name the means that EM has taken to 0 or to 1.

    There the likelihood may still rise outwards, so standard errors from the information
    matrix mean nothing; and its class excludes any new sample that differs. A prior keeps
    estimates inside.

    Parameters
    ----------
    params : Params
    atol : float
        How near counts as there. EM approaches the boundary but seldom arrives.

    Returns
    -------
    list of Boundary
        By component, then feature.

    Raises
    ------
    ValueError
        As :func:`check_params`.
    """
    means = check_params(params).means
    check_number("atol", atol, at_least=0)
    near = np.argwhere(np.minimum(means, 1 - means) <= atol)
    return [Boundary(int(k), int(d), round(means[k, d])) for k, d in near]


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
        If a shape does not fit, the weights are no distribution, or a mean is not from 0 to 1.
    """
    weights = check_distribution("weights", params.weights, ("n_components",))
    means = check_probabilities("means", params.means, (len(weights), "n_features"))
    return Params(weights, means)


def _check_samples(X, n_features):
    X = check_binary("X", X, ("n_samples", n_features))
    if len(X) == 0:
        raise ValueError("X: got no samples, must be at least one")
    return X
