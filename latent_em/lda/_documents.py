"""Documents against topics: the shares φ of every word, without ever writing them all down.

With T_mk = E[log θ_mk] and B_kv = E[log β_kv], the responsibilities of word v in document m are
φ_mvk = θ_mk β_vk / norm_mv, where θ_mk = exp(T_mk), β_vk = exp(B_kv), and norm_mv is their sum
over k (eq-lda-phi). So all that is kept of φ is one ratio n_mv / norm_mv for each pair of a
document and a word. The exponentials are scaled for each document and each word, as
exp ψ(0.001) is zero in double precision; the few pairs whose products underflow all the same are
*lost* and computed with logarithms.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse

from latent_em.dirichlet import expected_log

_NUMBERS = 2**18  # pairs times topics in a block of documents: 2 MB
_TINY = 1e-280  # a sum of exponentials below this has lost terms that count


class Topics:
    """B_kv for each word, and exp of it, scaled so that the largest is one."""

    def __init__(self, lambda_):
        self.log_beta = np.ascontiguousarray(expected_log(lambda_).T)  # (V, K)
        self.scale = self.log_beta.max(axis=1)
        self.beta = np.exp(self.log_beta - self.scale[:, np.newaxis])


class Shares(NamedTuple):
    """What φ of some documents follows from.

    Attributes
    ----------
    log_theta, theta : ndarray of shape (n_documents, n_components)
        T_mk, and exp(T_mk − max_j T_mj).
    norm : ndarray of shape (nnz,)
        Σ_k θ_mk β_vk of each pair; infinite where it is lost.
    lost : ndarray of int
        The pairs whose norm is lost.
    """

    log_theta: np.ndarray
    theta: np.ndarray
    norm: np.ndarray
    lost: np.ndarray


class Documents:
    """A block of documents with the topics' numbers for each of their words.

    Parameters
    ----------
    counts : sparse.csr_array of shape (n_documents, n_words)
    topics : Topics
    """

    def __init__(self, counts, topics):
        self.counts, self.topics = counts, topics
        self.document, self.word, self.n = pairs(counts)
        self.beta = topics.beta.take(self.word, axis=0)
        self.ratios = _csr(counts, np.empty_like(self.n))  # n / norm, of the last update

    def shares(self, gamma):
        """``Shares`` at γ."""
        log_theta = expected_log(gamma)
        theta = np.exp(log_theta - log_theta.max(axis=1, keepdims=True))
        norm = np.einsum("ik,ik->i", theta.take(self.document, axis=0), self.beta)
        lost = np.flatnonzero(norm < _TINY)
        norm[lost] = np.inf
        return Shares(log_theta, theta, norm, lost)

    def settle(self, gamma, alpha, max_doc_iter, doc_tol):
        """γ_mk = α_k + Σ_v n_mv φ_mvk, again and again until γ of each document stands still."""
        gamma, block = gamma.copy(), self
        moving = np.arange(len(gamma))  # the documents in ``block``; what is done is not changed
        done = np.zeros(len(gamma), dtype=bool)
        for _ in range(max_doc_iter):
            before = gamma[moving]
            after = alpha + block.topic_counts(block.shares(before))
            after[done] = before[done]
            gamma[moving] = after
            done = np.abs(after - before).mean(axis=1) < doc_tol
            if done.all():
                break
            if 2 * done.sum() >= len(done):  # to leave them out costs as much as an update
                moving, block = moving[~done], Documents(block.counts[~done], self.topics)
                done = np.zeros(len(moving), dtype=bool)
        return gamma

    def topic_counts(self, shares):
        """Σ_v n_mv φ_mvk of each document."""
        np.divide(self.n, shares.norm, out=self.ratios.data)
        counts = shares.theta * (self.ratios @ self.topics.beta)
        if shares.lost.size:
            phi = np.exp(self._lost_log_phi(shares)[0])
            np.add.at(counts, self.document[shares.lost], self.n[shares.lost, np.newaxis] * phi)
        return counts

    def log_norm(self, shares):
        """Log Σ_k exp(T_mk + B_kv) of each pair."""
        log_norm = np.log(shares.norm) + self.topics.scale[self.word]
        log_norm += shares.log_theta.max(axis=1)[self.document]
        if shares.lost.size:
            log_norm[shares.lost] = self._lost_log_phi(shares)[1]
        return log_norm

    def lost_word_counts(self, shares):
        """Words, and their n φ, of the lost pairs."""
        n, word = self.n[shares.lost, np.newaxis], self.word[shares.lost]
        return word, n * np.exp(self._lost_log_phi(shares)[0])

    def _lost_log_phi(self, shares):
        """Log φ of the lost pairs, and the logarithm of their norm."""
        document, word = self.document[shares.lost], self.word[shares.lost]
        log_joint = shares.log_theta[document] + self.topics.log_beta[word]
        largest = log_joint.max(axis=1, keepdims=True)
        log_norm = largest + np.log(np.exp(log_joint - largest).sum(axis=1, keepdims=True))
        return log_joint - log_norm, log_norm[:, 0]


def blocks(counts, n_components):
    """Yield slices of the documents, so short that their numbers stay in the cache."""
    size = max(1, _NUMBERS // n_components)
    cuts = np.searchsorted(counts.indptr, np.arange(size, counts.nnz, size))
    cuts = np.unique([0, *cuts, counts.shape[0]]).tolist()
    return (slice(*ends) for ends in pairwise(cuts))


def pairs(counts):
    """Document, word and count of each stored entry."""
    document = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    return document, counts.indices, counts.data


def sum_rows(counts, values):
    """Sum values that belong to the stored entries, document by document."""
    return _csr(counts, values) @ np.ones(counts.shape[1])


def _csr(counts, values):
    return sparse.csr_array((values, counts.indices, counts.indptr), counts.shape)
