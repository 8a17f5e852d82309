"""How good are the topics? Words held out, and words that stand together."""

import numpy as np
from scipy import sparse

from latent_em import dirichlet
from latent_em._validation import check_array, check_integer
from latent_em.lda._batch import e_step
from latent_em.lda._documents import blocks, pairs
from latent_em.lda._model import check_counts, full


def heldout_perplexity(params, observed, heldout, max_doc_iter=1000, doc_tol=1e-6):
    """Perplexity of words that were held out of documents (eq-lda-perplexity).

    Document completion: the shares θ_m come from the observed part of document m alone, and
    topic k is the mean of Dir(λ_k)::

        p(word v | document m) = Σ_k E[θ_mk] E[β_kv],   perplexity = exp(− mean of log p)

    Parameters
    ----------
    params : Params
    observed, heldout : array-like or sparse matrix of shape (n_documents, n_words)
        Counts of the two parts of the same documents.
    max_doc_iter, doc_tol
        As for :func:`e_step`.

    Returns
    -------
    float
        From 1 to, for a model that knows nothing, the number of words.

    Raises
    ------
    ValueError
        If the shapes differ, nothing is held out, or as :func:`e_step`.
    """
    lambda_, _, _ = full(params)
    observed = check_counts(observed, lambda_.shape[1], "observed")
    heldout = check_counts(heldout, lambda_.shape[1], "heldout")
    if observed.shape != heldout.shape:
        raise ValueError(
            f"heldout: got {heldout.shape[0]} documents, must be {observed.shape[0]} as in observed"
        )
    if heldout.nnz == 0:
        raise ValueError("heldout: got no words, must be at least one")
    _, _, gamma = e_step(params, observed, None, max_doc_iter, doc_tol)
    theta, beta = dirichlet.mean(gamma), np.ascontiguousarray(dirichlet.mean(lambda_).T)
    total = 0.0
    for rows in blocks(heldout, theta.shape[1]):
        document, word, n = pairs(heldout[rows])
        total += n @ np.log(np.einsum("ik,ik->i", theta[rows][document], beta[word]))
    return float(np.exp(-total / heldout.data.sum()))


def coherence(topics, counts, n_top=10):
    """NPMI coherence: do a topic's most probable words stand in the same documents? (eq-lda-npmi).

    The mean over pairs of its ``n_top`` most probable words of log [p(u, v) / (p(u) p(v))] divided
    by −log p(u, v), where p is the share of documents that hold the words. A pair that never
    meets counts −1, one that is never apart 1.

    Parameters
    ----------
    topics : array-like of shape (n_components, n_words)
        Weights of words, such as ``components_``; only their order counts.
    counts : array-like or sparse matrix of shape (n_documents, n_words)
        Reference documents; a word that stands in none of them meets no other.
    n_top : int
        At least 2.

    Returns
    -------
    ndarray of shape (n_components,)
        From −1 to 1.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    G. Bouma (2009). Normalized (pointwise) mutual information in collocation extraction.
    *Proceedings of the Biennial GSCL Conference*.
    """
    topics = check_array("topics", topics, ("n_components", "n_words"))
    counts = check_counts(counts, topics.shape[1])
    check_integer("n_top", n_top, at_least=2)
    if n_top > topics.shape[1]:
        raise ValueError(f"n_top: got {n_top}, must be at most the {topics.shape[1]} words")
    holds = sparse.csc_array(
        (np.ones(counts.nnz), counts.indices, counts.indptr), counts.shape[::-1]
    )
    holds = holds.tocsr()  # (n_words, n_documents)
    return np.array([_npmi(holds[np.argsort(-row, kind="stable")[:n_top]]) for row in topics])


def _npmi(holds):
    """Mean over pairs of words, from whether each document holds each word."""
    together = (holds @ holds.T).toarray() / holds.shape[1]
    u, v = np.triu_indices(len(together), 1)
    alone, both = np.diag(together), together[u, v]
    npmi = np.where(both == 1, 1.0, -1.0)
    some = (both > 0) & (both < 1)
    both = both[some]
    npmi[some] = np.log(both / (alone[u[some]] * alone[v[some]])) / -np.log(both)
    return npmi.mean()
