"""Where batch variational Bayes starts: EM for the shares and the topics as plain parameters."""

import numpy as np

from latent_em._validation import check_integer
from latent_em.lda._documents import pairs
from latent_em.lda._model import Params, check_counts, check_params

_LEAST = 1e-12  # of a prior, lest a product of a share and a probability be zero
_NUMBERS = 2**16  # pairs times topics worked on at a time, so that they stay in the cache


def em_start(counts, n_components, alpha, eta, *, max_iter=25, random_state=None):
    """EM for θ and β themselves, each topic from a document drawn at random.

    It climbs log p(w | θ, β) + Σ_mk α_k log θ_mk + Σ_kv η_v log β_kv, with no distribution over θ
    or β. The E-step is φ_mvk ∝ θ_mk β_kv, and the M-step θ_mk ∝ α_k + N_mk and β_kv ∝ η_v + N_kv,
    where N are the expected counts: it is the update of CVB0 with the token itself left in
    (eq-lda-cvb0). Therefore nothing of φ has to be kept, and memory is O(nnz + (M + V) K).

    From here variational Bayes mostly ends on a higher bound than from random topics. All is in
    single precision, for it is a start.

    Parameters
    ----------
    counts : array-like or sparse matrix of shape (n_documents, n_words)
        n_mv, not negative.
    n_components : int
        Number of topics K.
    alpha : float or array-like of shape (n_components,)
        Prior on the shares of a document; below 1e-12 it counts as that.
    eta : float or array-like of shape (n_words,)
        Prior on the topics; likewise.
    max_iter : int
        EM steps.
    random_state : int or numpy.random.Generator, optional
        Seed of the start, at which a topic is in halves one of the documents and the words of
        all of them, these with noise, and every document has equal shares.

    Returns
    -------
    Params
        λ_kv = η_v + N_kv, with the priors.

    Raises
    ------
    ValueError, TypeError
        If a count is negative, a prior not positive, or an option out of its range.
    """
    counts = check_counts(counts)
    check_integer("n_components", n_components, at_least=1)
    check_integer("max_iter", max_iter, at_least=0)
    params = Params(np.ones((n_components, counts.shape[1])), alpha, eta)
    _, alpha, eta = check_params(params)
    topics = _seeds(counts, n_components, np.random.default_rng(random_state))
    least_alpha = np.maximum(alpha, _LEAST).astype(np.float32)
    least_eta = np.reshape(np.maximum(eta, _LEAST), (-1, 1)).astype(np.float32)
    theta = np.repeat(counts.sum(axis=1)[:, np.newaxis] / n_components, n_components, axis=1)
    theta = theta.astype(np.float32) + least_alpha
    ratios, entries = counts.astype(np.float32), pairs(counts)
    for _ in range(max_iter):
        beta = topics + least_eta
        beta /= beta.sum(axis=0)
        ratios.data = _ratios(entries, theta, beta)
        topics = beta * (ratios.T @ theta)
        theta = theta * (ratios @ beta) + least_alpha
    return Params(topics.T.astype(float) + eta, alpha, eta)


def _seeds(counts, n_components, rng):
    """N_vk at the start; the noise parts topics whose documents are the same."""
    n_documents, n_words = counts.shape
    chosen = rng.choice(n_documents, n_components, replace=n_documents < n_components)
    noise = rng.standard_gamma(100, (n_components, n_words), dtype=np.float32)
    halves = counts[chosen].toarray(), counts.sum(axis=0) * noise
    topics = sum(n / np.maximum(n.sum(axis=1, keepdims=True), _LEAST) for n in halves)
    topics *= counts.sum() / np.maximum(topics.sum(), _LEAST)
    return np.ascontiguousarray(topics.T, dtype=np.float32)


def _ratios(entries, theta, beta):
    """n_mv / Σ_k θ_mk β_kv for each pair of a document and a word; times θ_mk β_kv it is n φ."""
    document, word, n = entries
    norm = np.empty(len(n), dtype=np.float32)
    size = max(1, _NUMBERS // theta.shape[1])
    for start in range(0, len(n), size):
        some = slice(start, start + size)
        of_documents, of_words = theta.take(document[some], axis=0), beta.take(word[some], axis=0)
        np.einsum("ik,ik->i", of_documents, of_words, out=norm[some])
    return np.divide(n, norm, out=norm, casting="same_kind")
