"""EM for exponential families: average the statistics, then maximise ω·t − N A.

Chapter "Missing information". Let the complete data have the density
h(x, z) exp(ω(θ)·T(x, z) − A(θ)). Then Q(θ, θ_old) takes from the data nothing but the expected
statistics, so a step of EM is

    E-step   t = Σ_n Σ_k p(z_n = k | x_n, θ_old) T(x_n, k)           (eq-exponential-e-step)
    M-step   the θ that maximises ω(θ)·t − N A(θ)                     (eq-exponential-curve)

If ω may take any value in an open set, that is the θ at which E_θ[T(x, z)] = t / N
(eq-exponential-m-step). If θ has fewer entries than T, as with coins and linkage, the moments
match only in the directions in which ω can move.

This is the E-step for a latent variable with finitely many values. A model adds three things
of its own: ``log_joint``, ``statistics`` and, as its M-step, the solution of the second line.
See :mod:`latent_em.examples.linkage`, :mod:`latent_em.examples.coins`,
:mod:`latent_em.examples.poisson_mixture` and :mod:`latent_em.bernoulli_bernoulli`.
"""

from typing import NamedTuple

import numpy as np

from latent_em import bounds
from latent_em.weighted import rows_and_weights


class Stats(NamedTuple):
    """Expected sufficient statistics of a chunk; those of two chunks add.

    Attributes
    ----------
    n_samples : float
        N, the sum of the weights.
    total : ndarray of shape (...)
        t, in the shape that the model gives to T.
    """

    n_samples: float
    total: np.ndarray


def e_step(log_joint, statistics, params, chunk):
    """Expected statistics of a chunk and its log-likelihood (eq-exponential-e-step).

    Parameters
    ----------
    log_joint : callable
        ``log_joint(params, X)`` is log p(x_n, z_n = k), of shape (n_samples, n_components).
    statistics : callable
        ``statistics(X, n_components)`` is T(x_n, k), of shape (n_samples, n_components, ...).
    params : NamedTuple
    chunk : array-like or latent_em.weighted.Weighted

    Returns
    -------
    stats : Stats
    bound : float
        In nats.
    local : None

    Raises
    ------
    ValueError
        If the model gives a row of the chunk probability zero, or ``log_joint`` refuses it.
    """
    X, sample_weight = rows_and_weights(chunk)
    log_joint_ = log_joint(params, X)
    resp = bounds.posterior(log_joint_) * sample_weight[:, np.newaxis]
    total = np.tensordot(resp, statistics(X, resp.shape[1]), axes=2)
    bound = sample_weight @ bounds.log_evidence(log_joint_)
    return Stats(float(sample_weight.sum()), total), float(bound), None
