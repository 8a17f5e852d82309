"""Batch variational Bayes: φ and γ in the E-step, λ in the M-step."""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from latent_em import dirichlet
from latent_em._validation import check_array, check_integer, check_number
from latent_em.dirichlet import check_positive, expected_log
from latent_em.lda._bound import global_bound
from latent_em.lda._documents import Documents, Topics, blocks
from latent_em.lda._model import Params, check_counts, full
from latent_em.lda._pack import pack, unpack


class Stats(NamedTuple):
    """Expected sufficient statistics of some documents; ``a + b`` are those of both.

    Attributes
    ----------
    n_samples : int
        Number of documents.
    word_topic : ndarray of shape (n_components, n_words)
        Σ_m n_mv φ_mvk, the expected count of word v in topic k (eq-lda-lambda).
    log_theta : ndarray of shape (n_components,)
        Σ_m E[log θ_mk], from which α is learned (eq-lda-alpha).
    alpha, eta : float or ndarray
        The priors that they were computed with.
    """

    n_samples: int
    word_topic: np.ndarray
    log_theta: np.ndarray
    alpha: float | np.ndarray
    eta: float | np.ndarray

    def __add__(self, other):
        """Pool the statistics of two sets of documents."""
        return self._replace(
            n_samples=self.n_samples + other.n_samples,
            word_topic=self.word_topic + other.word_topic,
            log_theta=self.log_theta + other.log_theta,
        )


def responsibilities(gamma, lambda_):
    """φ_mvk ∝ exp(T_mk + B_kv), the share of topic k in word v of document m (eq-lda-phi).

    All of it at once, M V K numbers: for small problems. The fit never stores it.

    Parameters
    ----------
    gamma : array-like of shape (n_documents, n_components)
    lambda_ : array-like of shape (n_components, n_words)

    Returns
    -------
    ndarray of shape (n_documents, n_words, n_components)
        Sums to one over the topics.

    Raises
    ------
    ValueError
        If a number is not positive or not finite.
    """
    theta = expected_log(check_positive("gamma", gamma))
    beta = expected_log(check_positive("lambda_", lambda_))
    return softmax(theta[:, np.newaxis, :] + beta.T, axis=2)


def e_step(params, chunk, local=None, max_doc_iter=100, doc_tol=1e-3):
    """Update φ and γ in turn, document by document (eq-lda-phi, eq-lda-gamma).

    A document stops when its own γ stands still, so nothing depends on how the documents are
    cut into chunks.

    Parameters
    ----------
    params : Params
    chunk : array-like or sparse matrix of shape (n_documents, n_words)
        Counts n_mv, not negative; fractions are weights, and a document may be empty.
    local : ndarray of shape (n_documents, n_components), optional
        γ of the last E-step, from which this one goes on: then the bound never falls. By
        default γ_mk = α_k + N_m / K.
    max_doc_iter : int
        Updates of γ, at most.
    doc_tol : float
        A document is done when its γ_mk change by less than this on average, in words.

    Returns
    -------
    stats : Stats
    bound : float
        Σ_m of :func:`document_bounds`, in nats.
    local : ndarray of shape (n_documents, n_components)
        γ.

    Raises
    ------
    ValueError
        If a shape does not fit, a count is negative or not finite, or a parameter not positive.
    """
    check_integer("max_doc_iter", max_doc_iter, at_least=0)
    check_number("doc_tol", doc_tol, at_least=0)
    lambda_, alpha, _ = full(params)
    counts = check_counts(chunk, lambda_.shape[1])
    topics = Topics(lambda_)
    if local is None:
        gamma = alpha + counts.sum(axis=1)[:, np.newaxis] / len(alpha)
    else:
        gamma = check_positive("local", check_array("local", local, (counts.shape[0], len(alpha))))
        gamma = gamma.copy()
    theta, ratios, lost, bound = np.empty_like(gamma), counts.copy(), [], 0.0
    for rows in blocks(counts, len(alpha)):
        block = Documents(counts[rows], topics)
        gamma[rows] = block.settle(gamma[rows], alpha, max_doc_iter, doc_tol)
        shares = block.shares(gamma[rows])
        bound += (block.n * block.log_norm(shares)).sum()  # not BLAS, whose threads go on spinning
        theta[rows] = shares.theta
        ratios.data[counts.indptr[rows.start] : counts.indptr[rows.stop]] /= shares.norm
        if shares.lost.size:
            lost.append(block.lost_word_counts(shares))
    bound -= dirichlet.kl(gamma, alpha).sum()
    word_topic = topics.beta * (ratios.T @ theta)
    for word, shares in lost:
        np.add.at(word_topic, word, shares)
    log_theta = expected_log(gamma).sum(axis=0)
    stats = Stats(counts.shape[0], word_topic.T, log_theta, params.alpha, params.eta)
    return stats, float(bound), gamma


def m_step(stats, learn_alpha=False, learn_eta=False):
    """λ_kv = η_v + Σ_m n_mv φ_mvk, and α and η if they are learned (eq-lda-lambda).

    Each is the global maximum of the bound with the rest fixed. For α that is the Dirichlet
    with the expected log θ that the documents have on average, for η the symmetric one with
    the expected log β of the topics (eq-lda-alpha, eq-lda-eta). With one topic α has no effect,
    with one word η has none, and they stay.

    Parameters
    ----------
    stats : Stats
    learn_alpha, learn_eta : bool

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If η is to be learned, which is one number for all words, from one for each of them.
    """
    lambda_ = stats.eta + stats.word_topic
    alpha, eta = stats.alpha, stats.eta
    if learn_alpha and len(lambda_) > 1:
        alpha = dirichlet.maximum_likelihood(stats.log_theta / stats.n_samples)
    if learn_eta and np.ndim(eta) > 0:  # the best number may be worse than those
        raise ValueError(f"eta: got shape {np.shape(eta)} with learn_eta, must be one number")
    if learn_eta and lambda_.shape[1] > 1:
        eta = dirichlet.symmetric_maximum_likelihood(expected_log(lambda_).mean(axis=0))
    return Params(lambda_, alpha, eta)


def online_step(params, stats, rho, n_documents):
    """A step of stochastic variational inference: λ ← (1 − ρ) λ + ρ λ̂ (eq-lda-online).

    λ̂ = η + (M / S) Σ_m n_mv φ_mvk is what batch variational Bayes would choose, were all M
    documents like the S seen; λ̂ − λ is the natural gradient of the bound.

    Parameters
    ----------
    params : Params
    stats : Stats
        Of S documents, from :func:`e_step` at ``params``.
    rho : float
        Length of the step, from 0 to 1.
    n_documents : int or float
        M.

    Returns
    -------
    Params

    Raises
    ------
    ValueError, TypeError
        If ``rho`` or ``n_documents`` is out of its range.

    References
    ----------
    M. D. Hoffman, D. M. Blei, C. Wang and J. Paisley (2013). Stochastic variational inference.
    *Journal of Machine Learning Research* 14, 1303–1347.
    """
    check_number("rho", rho, at_least=0)
    if rho > 1:
        raise ValueError(f"rho: got {rho}, must be at most 1")
    check_number("n_documents", n_documents, at_least=0)
    whole = params.eta + n_documents / stats.n_samples * stats.word_topic
    return params._replace(lambda_=(1 - rho) * params.lambda_ + rho * whole)


class Model(NamedTuple):
    """LDA for :func:`latent_em.em.fit_em`: the module's functions with their options.

    Attributes
    ----------
    learn_alpha : bool
        Learn α, one number for each topic (eq-lda-alpha).
    learn_eta : bool
        Learn η, one number for all words (eq-lda-eta).
    max_doc_iter : int
        Updates of γ of a document in one E-step, at most.
    doc_tol : float
        A document is done when its γ_mk change by less than this on average, in words.
    """

    learn_alpha: bool = False
    learn_eta: bool = False
    max_doc_iter: int = 100
    doc_tol: float = 1e-3

    def e_step(self, params, chunk, local=None):
        """``e_step`` of the module."""
        return e_step(params, chunk, local, self.max_doc_iter, self.doc_tol)

    def m_step(self, stats):
        """``m_step`` of the module."""
        return m_step(stats, self.learn_alpha, self.learn_eta)

    def global_bound(self, params):
        """``global_bound`` of the module."""
        return global_bound(params)

    def pack(self, params):
        """``pack`` of the module."""
        return pack(params)

    def unpack(self, table):
        """``unpack`` of the module."""
        return unpack(table)
