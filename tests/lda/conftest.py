"""A small corpus to try things on, and the bound written down a second time."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp, psi

from latent_em import lda


class Problem(NamedTuple):
    counts: sparse.csr_array
    gamma: np.ndarray
    params: lda.Params


@pytest.fixture
def make_problem():
    """Return a function that draws counts, with γ and parameters that do not belong to them."""

    def make(rng, n_documents=12, n_words=15, n_components=4, mean_count=1.0, prior=(-3, 1)):
        counts = rng.poisson(mean_count * rng.gamma(0.5, 2, n_words), (n_documents, n_words))
        gamma = rng.gamma(1.0, 3, (n_documents, n_components)) + 0.01
        lambda_ = rng.gamma(1.0, 3, (n_components, n_words)) + 0.01
        alpha, eta = 10 ** rng.uniform(*prior, 2)
        if rng.random() < 0.5:
            alpha = alpha * rng.uniform(0.3, 3, n_components)
            eta = eta * rng.uniform(0.3, 3, n_words)
        counts = sparse.csr_array(counts.astype(float))
        return Problem(counts, gamma, lda.Params(lambda_, alpha, eta))

    return make


@pytest.fixture
def plain_e_step():
    """Return the E-step with a dense φ, all in logarithms, a fixed number of updates."""

    def e_step(counts, params, n_updates):
        n, (n_topics, _) = counts.toarray(), params.lambda_.shape
        alpha = np.broadcast_to(params.alpha, n_topics)
        elog_beta = psi(params.lambda_) - psi(params.lambda_.sum(axis=1, keepdims=True))
        gamma = alpha + n.sum(axis=1, keepdims=True) / n_topics
        for _ in range(n_updates + 1):
            elog_theta = psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))
            log_phi = elog_theta[:, :, np.newaxis] + elog_beta  # (M, K, V)
            phi = np.exp(log_phi - logsumexp(log_phi, axis=1, keepdims=True))
            before, gamma = gamma, alpha + np.einsum("mv,mkv->mk", n, phi)
        return before, np.einsum("mv,mkv->kv", n, phi)

    return e_step
