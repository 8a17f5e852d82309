"""Seconds until variational Bayes has a bound as high as scikit-learn's after ten passes.

    python benchmarks/lda_speed.py [reuters] [synthetic] [large]

For each seed scikit-learn makes ten passes over the documents; then `latent_em` starts afresh
with CVB0, goes on with variational Bayes, and stops as soon as its bound is as high: `seconds`
are until then, the start included. Not every random start leads so high; after `MAX_STEPS` steps
it gives up, and the row holds the bound where it stands. Both bounds are exact, from
`latent_em.lda.elbo` at the λ and γ of each. Two rows more are one online pass by each. They take
turns, seed by seed, so that other work strikes both. A table goes to results/lda_speed.csv.
"""

import sys
import time
from typing import NamedTuple

import numpy as np
import results
from corpora import synthetic
from lda_methods import START
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation
from threadpoolctl import threadpool_limits

from latent_em import lda
from latent_em.datasets import load_reuters

MAX_STEPS = 100
BATCH, OFFSET, DECAY = 128, 10, 0.7  # of online learning, for both
COLUMNS = ["corpus", "method", "threads", "seed", "seconds", "cpu_seconds", "bound", "reached"]


class Corpus(NamedTuple):
    """A corpus, and the model that both fit to it."""

    name: str
    counts: sparse.csr_array
    n_topics: int
    alpha: float
    eta: float
    seeds: range


def reuters():
    """395 real stories."""
    return Corpus("reuters", load_reuters().counts.astype(float), 20, 1 / 20, 1 / 20, range(5))


def small():
    """1600 documents from 20 topics."""
    counts = synthetic(1600, 2000, 20, 125, alpha=0.1, eta=0.02, seed=0).astype(float)
    return Corpus("synthetic", counts, 20, 0.1, 0.02, range(5))


def large():
    """Ten times as many documents, from 50 topics."""
    counts = synthetic(16_000, 5000, 50, 125, alpha=0.1, eta=0.02, seed=0).astype(float)
    return Corpus("large", counts, 50, 0.1, 0.02, range(3))


def scikit_learn(corpus, seed, learning_method, n_iter):
    """Fit; return λ."""
    model = LatentDirichletAllocation(
        corpus.n_topics,
        doc_topic_prior=corpus.alpha,
        topic_word_prior=corpus.eta,
        learning_method=learning_method,
        learning_offset=OFFSET,
        learning_decay=DECAY,
        batch_size=BATCH,
        max_iter=n_iter,
        random_state=seed,
    )
    return model.fit(corpus.counts).components_


def climb(corpus, seed, target):
    """Batch variational Bayes until the bound reaches the target; return λ and γ."""
    start = lda.cvb0(*corpus[1:5], tol=0, max_iter=START, random_state=seed)
    params, gamma = start.params, start.gamma
    for _ in range(MAX_STEPS):
        stats, bound, gamma = lda.e_step(params, corpus.counts, gamma, max_doc_iter=5)
        if bound + lda.global_bound(params) >= target:
            break
        params = lda.m_step(stats)
    return params.lambda_, gamma


def online(corpus, seed):
    """One pass of online variational Bayes; return λ."""
    n_documents, n_words = corpus.counts.shape
    rng = np.random.default_rng(seed)
    lambda_ = rng.gamma(100, 0.01, (corpus.n_topics, n_words))
    params = lda.Params(lambda_, corpus.alpha, corpus.eta)
    for step, first in enumerate(range(0, n_documents, BATCH)):
        stats, _, _ = lda.e_step(params, corpus.counts[first : first + BATCH])
        rho = (OFFSET + step + 1) ** -DECAY
        params = lda.online_step(params, stats, rho, n_documents)
    return params.lambda_


def bound_of(corpus, lambda_, gamma=None):
    """Exact bound at λ, and at the best γ for it unless one is given."""
    if gamma is None:
        params = lda.Params(lambda_, corpus.alpha, corpus.eta)
        _, _, gamma = lda.e_step(params, corpus.counts, max_doc_iter=1000)
    return lda.elbo(corpus.counts, gamma, lambda_, corpus.alpha, corpus.eta)


def timed(function, *arguments):
    """Return the result, and seconds on the clock and of the processor."""
    start = np.array([time.perf_counter(), time.process_time()])
    result = function(*arguments)
    return result, np.array([time.perf_counter(), time.process_time()]) - start


def measure(corpus, threads, seed):
    """Four rows of the table."""
    with threadpool_limits({"one": 1, "default": None}[threads]):
        peer, peer_seconds = timed(scikit_learn, corpus, seed, "batch", 10)
        target = bound_of(corpus, peer)
        ours, our_seconds = timed(climb, corpus, seed, target)
        peer_once, peer_once_seconds = timed(scikit_learn, corpus, seed, "online", 1)
        our_once, our_once_seconds = timed(online, corpus, seed)
    rows = [
        ("scikit-learn", peer_seconds, target),
        ("latent_em", our_seconds, bound_of(corpus, *ours)),
        ("scikit-learn online", peer_once_seconds, bound_of(corpus, peer_once)),
        ("latent_em online", our_once_seconds, bound_of(corpus, our_once)),
    ]
    return [
        (
            corpus.name,
            method,
            threads,
            seed,
            *seconds,
            bound,
            int(bound >= target - 1e-9 * abs(target)),
        )
        for method, seconds, bound in rows
    ]


def main(corpora):
    """Measure, write the table, and print medians."""
    rows = []
    for corpus in (make() for make in corpora):
        for seed in corpus.seeds:
            for threads in ("one", "default"):
                rows += measure(corpus, threads, seed)
    results.write("lda_speed", COLUMNS, rows)
    print(
        "corpus     method               threads    seconds     (CPU)       bound reached (medians)"
    )
    for key in dict.fromkeys(row[:3] for row in rows):
        some = np.array([row[4:] for row in rows if row[:3] == key])
        *medians, _ = np.median(some, axis=0)
        reached = f"{some[:, -1].sum():.0f} of {len(some)}"
        print("{:10} {:20} {:8} {:9.2f} {:9.2f} {:11.0f} {}".format(*key, *medians, reached))


if __name__ == "__main__":
    corpora = {"reuters": reuters, "synthetic": small, "large": large}
    main([corpora[name] for name in sys.argv[1:] or corpora])
