"""Latent Dirichlet allocation by this library and by others, all called in the same way.

Each function fits a model to `counts`, a CSR matrix of M documents × V words, and returns a
`Fit`. `n_iter` is the number of passes over all documents, `workers` the number of threads, 0 for
as many as there are cores, where the library has a choice. The priors are symmetric, and fixed
unless it is said that they are learned.
"""

import logging
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tomotopy as tp
from gensim.models import LdaModel
from sklearn.decomposition import LatentDirichletAllocation

from latent_em import dirichlet
from latent_em import lda as topic_model
from latent_em.em import fit_em

try:
    from lda import LDA
except ImportError:  # it has no wheel for Python 3.13
    LDA = None
logging.disable()  # the package lda has turned on everybody's log
warnings.filterwarnings("ignore", message="The training result may differ", module="tomotopy")


START = 20  # passes of CVB0 before variational Bayes


class Fit(NamedTuple):
    """What a library has learned, and how it applies it.

    Attributes
    ----------
    topics : ndarray of shape (K, V)
        The mean of β_k, a distribution over words, in each row.
    fold_in : callable
        From the counts of new documents, shape (M', V), to the mean of their θ, shape (M', K),
        the library's own way.
    """

    topics: np.ndarray
    fold_in: Callable


def collapsed(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Collapsed variational Bayes, of order zero."""
    start = topic_model.cvb0(
        counts, n_topics, alpha, eta, tol=0, max_iter=n_iter, random_state=seed
    )
    return _latent_em(start.params)


def batch(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once, from a start by CVB0."""
    start = topic_model.cvb0(counts, n_topics, alpha, eta, max_iter=START, random_state=seed)
    return _latent_em(fit_em(topic_model, start.params, [counts], tol=0, max_iter=n_iter).params)


def learned_priors(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """The same, and from that start on α and η are learned."""
    start = topic_model.cvb0(counts, n_topics, alpha, eta, max_iter=START, random_state=seed)
    model = topic_model.Model(learn_alpha=True, learn_eta=True)
    return _latent_em(fit_em(model, start.params, [counts], tol=0, max_iter=n_iter).params)


def random_start(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once, from random topics."""
    shape = n_topics, counts.shape[1]
    lambda_ = np.random.default_rng(seed).gamma(100, 0.01, shape)
    start = topic_model.Params(lambda_, alpha, eta)
    return _latent_em(fit_em(topic_model, start, [counts], tol=0, max_iter=n_iter).params)


def _latent_em(params):
    def fold_in(new):
        _, _, gamma = topic_model.e_step(params, new, max_doc_iter=1000, doc_tol=1e-6)
        return dirichlet.mean(gamma)

    return Fit(dirichlet.mean(params.lambda_), fold_in)


def scikit_learn(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once."""
    return _scikit_learn(counts, n_topics, alpha, eta, n_iter, seed, "batch")


def scikit_learn_online(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, 128 documents at a time."""
    return _scikit_learn(counts, n_topics, alpha, eta, n_iter, seed, "online")


def _scikit_learn(counts, n_topics, alpha, eta, n_iter, seed, learning_method):
    model = LatentDirichletAllocation(
        n_topics,
        doc_topic_prior=alpha,
        topic_word_prior=eta,
        learning_method=learning_method,
        max_iter=n_iter,
        random_state=seed,
    )
    model.fit(counts)
    return Fit(_distributions(model.components_), model.transform)


def gensim(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once, in double precision."""

    def bags(counts):
        starts, ends = counts.indptr[:-1], counts.indptr[1:]
        return [
            list(zip(counts.indices[a:b].tolist(), counts.data[a:b].tolist(), strict=True))
            for a, b in zip(starts, ends, strict=True)
        ]

    model = LdaModel(
        bags(counts),
        n_topics,
        id2word={word: str(word) for word in range(counts.shape[1])},
        alpha=[alpha] * n_topics,
        eta=eta,
        passes=n_iter,
        chunksize=counts.shape[0],
        update_every=0,
        eval_every=None,
        random_state=seed,
        dtype=np.float64,
    )
    return Fit(model.get_topics(), lambda new: _distributions(model.inference(bags(new))[0]))


def lda(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Collapsed Gibbs sampling, from the last state of the chain."""
    model = LDA(n_topics, n_iter, alpha, eta, random_state=seed, refresh=n_iter + 1)
    model.fit(counts)
    return Fit(model.topic_word_, model.transform)


def tomotopy(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Collapsed Gibbs sampling, from the last state of the chain."""

    def tokens(counts):
        for start, end in zip(counts.indptr[:-1], counts.indptr[1:], strict=True):
            yield np.repeat(counts.indices[start:end], counts.data[start:end]).astype(str)

    def fold_in(new):
        documents = [model.make_doc(words) for words in tokens(new)]
        return np.array(model.infer(documents, iterations=100, workers=workers)[0])

    model = tp.LDAModel(k=n_topics, alpha=alpha, eta=eta, seed=seed)
    model.optim_interval = 0  # else it learns alpha
    for words in tokens(counts):
        model.add_doc(words)
    model.train(n_iter, workers=workers)
    # It numbers the words anew, and only those that it has seen.
    topics = np.full((n_topics, counts.shape[1]), eta)
    topics[:, np.array(model.used_vocabs, dtype=int)] = [
        model.get_topic_word_dist(k, normalize=False) for k in range(n_topics)
    ]
    return Fit(_distributions(topics), fold_in)


def _distributions(weights):
    return weights / weights.sum(axis=1, keepdims=True)


METHODS = {
    "latent_em": batch,
    "latent_em, priors learned": learned_priors,
    "latent_em, random start": random_start,
    "latent_em, collapsed": collapsed,
    "scikit-learn": scikit_learn,
    "scikit-learn online": scikit_learn_online,
    "gensim": gensim,
    "lda": lda,
    "tomotopy": tomotopy,
}
if LDA is None:
    del METHODS["lda"]
