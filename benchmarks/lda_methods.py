"""Latent Dirichlet allocation by this library and by others, all called in the same way.

Each function fits a model to `counts`, a CSR matrix of M documents × V words, and returns a
`Fit`. `n_iter` is the number of passes over all documents, `workers` the number of threads, 0 for
as many as there are cores, where the library has a choice. The priors are symmetric, and fixed
unless it is said that they are learned. `latent_em` starts with 25 more passes of EM. Online step
t has length (1 + t)^−0.7: all predict better so after one pass than with scikit-learn's offset.
"""

import logging
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tomotopy as tp
from gensim.models import LdaModel
from sklearn.decomposition import LatentDirichletAllocation

from latent_em import LatentDirichletAllocation as Estimator
from latent_em import dirichlet

try:
    from lda import LDA
except ImportError:  # it has no wheel for Python 3.13
    LDA = None
logging.disable()  # the package lda has turned on everybody's log
warnings.filterwarnings("ignore", message="The training result may differ", module="tomotopy")


class Fit(NamedTuple):
    """What a library has learned, and how it applies it.

    Attributes
    ----------
    lambda_ : ndarray of shape (K, V)
        λ of variational Bayes; of other methods anything with rows proportional to the topics.
    fold_in : callable
        From the counts of new documents, shape (M', V), to the mean of their θ, shape (M', K),
        the library's own way.
    bound : float
        The bound that the library itself says it ended with, if it is exact.
    """

    lambda_: np.ndarray
    fold_in: Callable
    bound: float | None = None

    @property
    def topics(self):
        """The mean of β_k, a distribution over words, in each row."""
        return dirichlet.mean(self.lambda_)


def collapsed(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Collapsed variational Bayes, of order zero."""
    return _latent_em(counts, n_topics, alpha, eta, n_iter, seed, learning_method="cvb0")


def batch(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once."""
    return _latent_em(counts, n_topics, alpha, eta, n_iter, seed)


def learned_priors(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """The same, and α and η are learned from where EM ends."""
    return _latent_em(counts, n_topics, "auto", "auto", n_iter, seed)


def cvb0_start(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once, from a start by CVB0."""
    return _latent_em(counts, n_topics, alpha, eta, n_iter, seed, init="cvb0")


def random_start(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once, from random topics."""
    return _latent_em(counts, n_topics, alpha, eta, n_iter, seed, init="random")


def online(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, 128 documents at a time."""
    options = {"learning_method": "online", "learning_offset": 1}
    return _latent_em(counts, n_topics, alpha, eta, n_iter, seed, **options)


def _latent_em(counts, n_topics, alpha, eta, n_iter, seed, **options):
    options = {"max_iter": n_iter, "tol": 0, "random_state": seed} | options
    model = Estimator(n_topics, doc_topic_prior=alpha, topic_word_prior=eta, **options).fit(counts)
    thorough = {"mean_change_tol": 1e-6, "max_doc_update_iter": 1000}
    return Fit(
        model.components_,
        lambda new: model.set_params(**thorough).transform(new),
        model.lower_bounds_[-1],
    )


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
        learning_offset=1,
        max_iter=n_iter,
        random_state=seed,
    )
    model.fit(counts)
    return Fit(model.components_, model.transform)


def gensim(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, all documents at once."""
    whole = {"chunksize": counts.shape[0], "update_every": 0}
    return _gensim(counts, n_topics, alpha, eta, n_iter, seed, **whole)


def gensim_online(counts, n_topics, alpha, eta, n_iter, seed, workers):
    """Variational Bayes, 128 documents at a time."""
    steps = {"chunksize": 128, "update_every": 1, "decay": 0.7, "offset": 1}
    return _gensim(counts, n_topics, alpha, eta, n_iter, seed, **steps)


def _gensim(counts, n_topics, alpha, eta, n_iter, seed, **options):
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
        eval_every=None,
        random_state=seed,
        dtype=np.float64,
        **options,
    )
    return Fit(model.state.get_lambda(), lambda new: dirichlet.mean(model.inference(bags(new))[0]))


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
    return Fit(topics, fold_in)


METHODS = {
    "latent_em": batch,
    "latent_em, priors learned": learned_priors,
    "latent_em, start by CVB0": cvb0_start,
    "latent_em, random start": random_start,
    "latent_em, collapsed": collapsed,
    "latent_em, online": online,
    "scikit-learn": scikit_learn,
    "scikit-learn online": scikit_learn_online,
    "gensim": gensim,
    "gensim online": gensim_online,
    "lda": lda,
    "tomotopy": tomotopy,
}
if LDA is None:
    del METHODS["lda"]
