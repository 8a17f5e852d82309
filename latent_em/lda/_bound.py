"""The bound on the log-evidence: its seven terms, and what each document adds to it."""

from typing import NamedTuple

import numpy as np
from scipy.special import entr, softmax

from latent_em import dirichlet
from latent_em._validation import check_array
from latent_em.dirichlet import check_positive, expected_log
from latent_em.lda._documents import Documents, Topics, blocks, pairs, sum_rows
from latent_em.lda._model import Params, check_counts, full


class Terms(NamedTuple):
    """The seven terms of the bound; they add up to it (eq-lda-elbo-terms).

    Attributes
    ----------
    log_theta, log_z, log_w, log_beta : float
        E[log p(θ | α)], E[log p(z | θ)], E[log p(w | z, β)], E[log p(β | η)], in nats.
    entropy_theta, entropy_z, entropy_beta : float
        Entropies of q(θ), q(z), q(β), in nats.
    """

    log_theta: float
    log_z: float
    log_w: float
    log_beta: float
    entropy_theta: float
    entropy_z: float
    entropy_beta: float


def elbo_terms(counts, gamma, lambda_, alpha, eta):
    """The bound term by term, with φ at its optimum (eq-lda-elbo-terms).

    Parameters
    ----------
    counts : array-like or sparse matrix of shape (n_documents, n_words)
        n_mv, not negative; fractions are weights.
    gamma : array-like of shape (n_documents, n_components)
        γ_m, positive.
    lambda_ : array-like of shape (n_components, n_words)
        λ_k, positive.
    alpha : float or array-like of shape (n_components,)
    eta : float or array-like of shape (n_words,)

    Returns
    -------
    Terms

    Raises
    ------
    ValueError
        If a shape does not fit, a count is negative or a parameter not positive.
    """
    params = Params(lambda_, alpha, eta)
    counts, gamma = check_documents(counts, gamma, params)
    lambda_, alpha, eta = full(params)
    elog_theta, elog_beta = expected_log(gamma), expected_log(lambda_)
    log_z = log_w = entropy_z = 0.0
    for rows in blocks(counts, len(alpha)):
        document, word, n = pairs(counts[rows])
        theta, beta = elog_theta[rows][document], elog_beta.T[word]
        phi = softmax(theta + beta, axis=1)
        log_z += n @ (phi * theta).sum(axis=1)
        log_w += n @ (phi * beta).sum(axis=1)
        entropy_z += n @ entr(phi).sum(axis=1)
    return Terms(
        _expected_log_prob(alpha, elog_theta),
        float(log_z),
        float(log_w),
        _expected_log_prob(eta, elog_beta),
        float(dirichlet.entropy(gamma).sum()),
        float(entropy_z),
        float(dirichlet.entropy(lambda_).sum()),
    )


def elbo(counts, gamma, lambda_, alpha, eta):
    """The bound on log p(w | α, η), with φ at its optimum (eq-lda-elbo).

    Parameters and errors as for :func:`elbo_terms`.

    Returns
    -------
    float
        In nats.
    """
    params = Params(lambda_, alpha, eta)
    return float(document_bounds(counts, gamma, params).sum()) + global_bound(params)


def document_bounds(counts, gamma, params):
    """What each document adds to the bound, without the topics' terms (eq-lda-document-bound).

    Parameters
    ----------
    counts : array-like or sparse matrix of shape (n_documents, n_words)
    gamma : array-like of shape (n_documents, n_components)
    params : Params

    Returns
    -------
    ndarray of shape (n_documents,)
        Σ_v n_mv log Σ_k exp(T_mk + B_kv) − KL(Dir(γ_m) ‖ Dir(α)), in nats.

    Raises
    ------
    ValueError
        As :func:`elbo_terms`.
    """
    counts, gamma = check_documents(counts, gamma, params)
    lambda_, alpha, _ = full(params)
    topics, bounds = Topics(lambda_), -dirichlet.kl(gamma, alpha)
    for rows in blocks(counts, len(alpha)):
        block = Documents(counts[rows], topics)
        log_norm = block.log_norm(block.shares(gamma[rows]))
        bounds[rows] += sum_rows(block.counts, block.n * log_norm)
    return bounds


def global_bound(params):
    """The topics' terms of the bound: −Σ_k KL(Dir(λ_k) ‖ Dir(η)) (eq-lda-global).

    Parameters
    ----------
    params : Params

    Returns
    -------
    float
        In nats, not positive.
    """
    lambda_, _, eta = full(params)
    return -float(dirichlet.kl(lambda_, eta).sum())


def _expected_log_prob(prior, elog):
    """Sum over the rows of E[log Dir(p | prior)], where ``elog`` holds E[log p]."""
    log_partition = dirichlet.log_partition(prior)
    return float(((prior - 1) * elog).sum() - len(elog) * log_partition)


def check_documents(counts, gamma, params):
    """Return counts, and γ of a shape that fits them; raise if they do not."""
    n_components, n_words = np.shape(params.lambda_)
    counts = check_counts(counts, n_words)
    return counts, check_positive(
        "gamma", check_array("gamma", gamma, (counts.shape[0], n_components))
    )
