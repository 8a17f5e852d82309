"""Latent Dirichlet allocation on a few words: evidence and posterior by adding up every case.

Given all topics z, the mixes θ and the topics' words β are integrated out in closed form: what is
left are ratios of the normalisers of Dirichlet distributions. With K topics and N words there are
K^N cases. Nothing here uses the ELBO, so that it can be compared with what is found here.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, log_expit, logsumexp, xlogy


class Cases(NamedTuple):
    """Every way to give each word a topic.

    Attributes
    ----------
    topics : ndarray of shape (K**N, N)
        The topics z of all words, document after document.
    doc_topic : ndarray of shape (K**N, M, K)
        Words of document m in topic k.
    topic_word : ndarray of shape (K**N, K, V)
        How often word v is in topic k.
    log_joint : ndarray of shape (K**N,)
        log p(w, z | α, η), in nats.
    """

    topics: np.ndarray
    doc_topic: np.ndarray
    topic_word: np.ndarray
    log_joint: np.ndarray


def cases(words, n_topics, n_words, alpha, eta):
    """List every case with its probability.

    Parameters
    ----------
    words : list of array-like of int
        The words w_mi of document m, numbers from 0 to V − 1. At most 20 words in all.
    n_topics, n_words : int
        K and V.
    alpha, eta : float
        Symmetric Dirichlet parameters of θ_m and β_k.

    Returns
    -------
    Cases

    Raises
    ------
    ValueError
        If there are more than 2**20 cases.
    """
    document = np.repeat(np.arange(len(words)), [len(w) for w in words])
    word = np.concatenate([np.asarray(w, dtype=int) for w in words])
    if n_topics ** len(word) > 2**20:
        raise ValueError(f"words: got {len(word)} of them, {n_topics}**{len(word)} cases, too many")
    topics = np.array(list(product(range(n_topics), repeat=len(word))))
    is_topic = np.eye(n_topics)[topics]  # (cases, words, topics)
    doc_topic = np.einsum("sik,im->smk", is_topic, np.eye(len(words))[document])
    topic_word = np.einsum("sik,iv->skv", is_topic, np.eye(n_words)[word])
    log_joint = _log_ratio(alpha, doc_topic) + _log_ratio(eta, topic_word)
    return Cases(topics, doc_topic, topic_word, log_joint)


def log_evidence(all_cases):
    """Log p(w | α, η), the sum over all cases (eq-lda-gap).

    Parameters
    ----------
    all_cases : Cases

    Returns
    -------
    float
        In nats.
    """
    return float(logsumexp(all_cases.log_joint))


def divergence(all_cases, phi, gamma, lambda_, alpha, eta):
    """KL(q ‖ p(z, θ, β | w)) of a mean-field guess (eq-lda-gap).

    By the chain rule it is the divergence of q(z) from p(z | w), plus the average over q(z) of the
    divergences of q(θ) and q(β) from the posteriors given z, which are Dirichlet again.

    Parameters
    ----------
    all_cases : Cases
    phi : ndarray of shape (N, K)
        q(z_mi = k), document after document.
    gamma : ndarray of shape (M, K)
    lambda_ : ndarray of shape (K, V)
    alpha, eta : float

    Returns
    -------
    float
        In nats.
    """
    q = phi[np.arange(len(phi)), all_cases.topics].prod(axis=1)
    log_posterior = all_cases.log_joint - log_evidence(all_cases)
    apart = _dirichlet_kl(gamma, alpha + all_cases.doc_topic)
    apart = apart + _dirichlet_kl(lambda_, eta + all_cases.topic_word)
    return float((xlogy(q, q) + q * (apart - log_posterior)).sum())


def _log_ratio(prior, counts):
    """Sum of log B(prior + counts) − log B(prior) over the Dirichlet distributions of a case."""
    size = counts.shape[-1]
    ratio = gammaln(prior + counts).sum(axis=-1) - gammaln((prior + counts).sum(axis=-1))
    return (ratio - size * gammaln(prior) + gammaln(size * prior)).sum(axis=-1)


def _dirichlet_kl(a, b):
    """Sum over rows of KL(Dir(a) ‖ Dir(b))."""
    log_b = [gammaln(x).sum(axis=-1) - gammaln(x.sum(axis=-1)) for x in (a, b)]
    return (log_b[1] - log_b[0] + ((a - b) * _mean_log(a)).sum(axis=-1)).sum(axis=-1)


def _mean_log(a):
    """E[log p_k] under Dir(a), a mean over Beta(a_k, Σ_j a_j − a_k), by quadrature.

    In t = logit p_k the density is smooth and falls off as e^(−a_k |t|), and for such a function
    the trapezoidal rule is exact to rounding.
    """
    rest = a.sum(axis=-1, keepdims=True) - a
    far = 50 / min(a.min(), rest.min())
    t = np.arange(-far, far, 0.25)
    log_p, log_rest = log_expit(t), log_expit(-t)
    weights = np.exp(a[..., np.newaxis] * log_p + rest[..., np.newaxis] * log_rest)
    return weights @ log_p / weights.sum(axis=-1)
