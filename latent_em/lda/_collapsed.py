"""Collapsed variational Bayes (chapter "LDA, used").

Integrated over θ and β, the model speaks of the topics z_mi of the words alone
(eq-lda-collapsed), and given those of all other words, that of one word has probabilities
∝ (N_mk + α_k) (N_vk + η_v) / (N_k + Σ_v η_v), where the N count words by document, by word of
the vocabulary and in all, that one left out. CVB0 puts expected counts in their place
(eq-lda-cvb0). That is an approximation without a bound of its own, so nothing here says how far
from the best it is; what it finds is judged by the bound of :func:`elbo` and by words held
out.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import psi

from latent_em._validation import check_integer, check_number
from latent_em.lda._documents import pairs
from latent_em.lda._model import Params, check_counts, check_params

_BURN_IN = 20  # sweeps before the priors are learned: at first all topics are alike
_LEAST = np.float32(1e-30)
_NUMBERS = 2**15  # pairs times topics worked on at a time, so that they stay in the cache


class CollapsedResult(NamedTuple):
    """What :func:`cvb0` returns.

    Attributes
    ----------
    params : latent_em.lda.Params
        λ_kv = η_v + N_vk, with the priors.
    gamma : ndarray of shape (n_documents, n_components)
        γ_mk = α_k + N_mk.
    changes : ndarray of shape (n_iter,)
        Share of the words that changed topic in each sweep, net of exchanges within a document.
    converged : bool
        Whether that share fell below ``tol``.
    n_iter : int
        Number of sweeps.
    """

    params: Params
    gamma: np.ndarray
    changes: np.ndarray
    converged: bool
    n_iter: int


def cvb0(
    counts,
    n_components,
    alpha,
    eta,
    *,
    tol=1e-3,
    max_iter=100,
    n_batches=None,
    learn_alpha=False,
    learn_eta=False,
    random_state=None,
):
    """Sweep over the words, each time with the expected counts of the rest (eq-lda-cvb0).

    Parameters
    ----------
    counts : array-like or sparse matrix of shape (n_documents, n_words)
        n_mv, not negative. All tokens of a word in a document share one distribution φ_mv.
    n_components : int
        Number of topics K.
    alpha : float or array-like of shape (n_components,)
        Prior on the shares of a document.
    eta : float or array-like of shape (n_words,)
        Prior on the topics.
    tol : float
        Stop when a sweep moves less than this share of the words to another topic.
    max_iter : int
        Sweeps, at most.
    n_batches : int, optional
        The counts of the topics follow after each of so many parts of the documents: with more
        parts a sweep goes further and takes longer. By default from 2 to 8, so that a part has
        four times as many pairs of a document and a word as there are words.
    learn_alpha, learn_eta : bool
        Learn α, one number for each topic, and η, one for all words, by Minka's fixed point
        on the expected counts, after 20 sweeps (eq-lda-polya).
    random_state : int or numpy.random.Generator, optional
        Seed of the start, at which each φ_mv is drawn uniformly from the simplex.

    Returns
    -------
    CollapsedResult

    Raises
    ------
    ValueError, TypeError
        If a count is negative, a prior not positive, or an option out of its range.

    References
    ----------
    A. Asuncion, M. Welling, P. Smyth and Y. W. Teh (2009). On smoothing and inference for topic
    models. *Uncertainty in Artificial Intelligence*.
    """
    counts = check_counts(counts)
    check_integer("n_components", n_components, at_least=1)
    check_number("tol", tol, at_least=0)
    check_integer("max_iter", max_iter, at_least=0)
    n_documents, n_words = counts.shape
    if n_batches is None:
        n_batches = min(max(counts.nnz // (4 * n_words), 2), 8)
    check_integer("n_batches", n_batches, at_least=1)
    _, alpha, eta = check_params(Params(np.ones((n_components, n_words)), alpha, eta))
    rng = np.random.default_rng(random_state)
    deal = _deal(n_documents, n_batches)
    batches = [_Batch(counts[rows], n_components, rng) for rows in deal]
    topics = sum(batch.counts()[1] for batch in batches)  # N_vk, of shape (V, K)
    changes, converged = [], False
    while len(changes) < max_iter and not converged:
        before = [batch.documents for batch in batches]
        for batch in batches:
            topics += batch.sweep(topics, alpha, eta)
        moved = sum(np.abs(b.documents - old).sum() for b, old in zip(batches, before, strict=True))
        changes.append(moved / 2 / (counts.sum() or 1))
        waits = (learn_alpha or learn_eta) and len(changes) <= _BURN_IN  # to learn them
        converged = bool(changes[-1] < tol) and not waits
        if learn_alpha and len(changes) > _BURN_IN:
            of_documents = np.concatenate([batch.documents for batch in batches])
            alpha = _fixed_point(np.broadcast_to(alpha, n_components), of_documents)
        if learn_eta and len(changes) > _BURN_IN:
            eta = float(_fixed_point(np.broadcast_to(eta, n_words), topics.T, shared=True)[0])
    gamma, topics = np.empty((n_documents, n_components)), np.zeros((n_words, n_components))
    for rows, batch in zip(deal, batches, strict=True):
        gamma[rows], of_words = batch.counts()
        topics += of_words
    params = Params(topics.T + eta, alpha, eta)
    return CollapsedResult(params, gamma + alpha, np.array(changes), converged, len(changes))


def _deal(n_documents, n_batches):
    """Documents of each batch, dealt like cards, so that an order of the corpus does no harm."""
    return [slice(b, n_documents, n_batches) for b in range(min(n_batches, n_documents))]


class _Batch:
    """Some documents, with φ of each of their pairs of a document and a word.

    φ is in single precision: the sweeps are bound by memory, and their rounding is far below
    what the zeroth order leaves out.
    """

    def __init__(self, counts, n_components, rng):
        self.document, self.word, _ = pairs(counts)
        self.phi = rng.standard_exponential((counts.nnz, n_components), dtype=np.float32)
        self.phi /= self.phi.sum(axis=1, keepdims=True)  # uniform on the simplex
        self.n, pair = counts.data, np.arange(counts.nnz + 1)
        n = self.n.astype(np.float32)
        one = np.minimum(n, 1)  # of a fraction of a word no more than that is left out
        self.one = None if (one == 1).all() else one[:, np.newaxis]
        shape = (counts.shape[0], counts.nnz)
        self.by_document = sparse.csr_array((n, pair[:-1], counts.indptr), shape)
        self.by_word = sparse.csc_array((n, counts.indices, pair), (counts.shape[1], counts.nnz))
        self.documents = self.by_document @ self.phi  # N_mk

    def sweep(self, topics, alpha, eta):
        """Renew every φ; return how the N_vk change with it."""
        single = np.float32
        of_documents = (self.documents + alpha).astype(single)
        of_words = topics + np.reshape(eta, (-1, 1))
        of_all, of_words = of_words.sum(axis=0).astype(single), of_words.astype(single)
        change = np.empty_like(self.phi)
        size = max(1, _NUMBERS // self.phi.shape[1])
        for start in range(0, len(self.phi), size):
            some = slice(start, start + size)
            phi = self.phi[some]
            own = phi if self.one is None else self.one[some] * phi
            new = of_documents.take(self.document[some], axis=0)
            new -= own
            factor = of_words.take(self.word[some], axis=0)
            factor -= own
            new *= factor
            np.subtract(of_all, own, out=factor)
            new /= factor
            np.maximum(new, _LEAST, out=new)  # the rounding of N − φ may be below zero
            new /= np.einsum("ik->i", new)[:, np.newaxis]
            np.subtract(new, phi, out=change[some])
            phi[...] = new
        self.documents = self.by_document @ self.phi
        return self.by_word @ change

    def counts(self):
        """N_mk and N_vk in double precision."""
        phi = self.phi.astype(float)
        phi /= phi.sum(axis=1, keepdims=True)
        by_document, by_word = self.by_document.astype(float), self.by_word.astype(float)
        by_document.data = by_word.data = self.n
        return by_document @ phi, by_word @ phi


def _fixed_point(prior, counts, shared=False):
    """One step of Minka's fixed point for a Dirichlet-multinomial, with expected counts.

    It never lowers the likelihood of the counts (eq-lda-polya).
    """
    up = psi(prior + counts).sum(axis=0) - len(counts) * psi(prior)
    total = prior.sum()
    down = psi(total + counts.sum(axis=1)).sum() - len(counts) * psi(total)
    if down == 0:  # no counts, so any prior is as likely
        return prior
    if shared:
        return np.full_like(prior, (prior @ up) / (total / prior[0] * down))
    return prior * up / down
