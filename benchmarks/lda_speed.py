"""Seconds until `latent_em` is as good as another library.

    python benchmarks/lda_speed.py [reuters] [synthetic] [docstrings] [large]

For each seed the other library fits first. Then `latent_em` fits afresh, with more and more
sweeps, until it is as good; `seconds` are of that fit alone, its start included, called as an
estimator with default settings but for priors, sweeps and seed. If no number of sweeps will do,
the row has `reached` 0 and the last of them. They take turns, so that other work strikes both.

As good is, by `goal`: `bound`, the bound on the log-evidence of all documents, in nats, exact for
both (`latent_em.lda.elbo` at the λ of each; γ as fitted for `latent_em`, settled to a thousand
updates for others); `held-out`, perplexity of half the words of documents that were not learned
from, as in lda_heldout.py. A table goes to results/lda_speed_<corpus>.csv, median ratios to the
screen.
"""

import sys
import time
from typing import NamedTuple

import numpy as np
import results
from corpora import docstrings, synthetic
from lda_heldout import fold_in, perplexity, split
from lda_methods import METHODS
from scipy import sparse
from threadpoolctl import threadpool_limits

from latent_em import lda
from latent_em.datasets import load_reuters

SEEDS = range(5)
VB, CVB0, ONCE = (0, 1, 2, 3, 4, 6, 8, 12), (20, 30, 40, 60, 80, 100, 150, 200), (1,)
COLUMNS = [
    *("corpus", "goal", "threads", "seed"),
    *("peer", "peer_passes", "peer_seconds", "peer_value"),
    *("method", "sweeps", "seconds", "value", "reached", "ratio"),
]


class Corpus(NamedTuple):
    """A corpus, and the model that all fit to it."""

    counts: sparse.csr_array
    n_topics: int
    alpha: float
    eta: float


class Contest(NamedTuple):
    """Another library with its passes, and a method of this one with the sweeps to try."""

    goal: str
    threads: str
    peer: str
    passes: int
    method: str
    sweeps: tuple


BATCH = [
    Contest("bound", "default", "scikit-learn", 10, "latent_em", VB),
    Contest("bound", "default", "gensim", 10, "latent_em", VB),
    Contest("held-out", "default", "scikit-learn", 10, "latent_em", VB),
    Contest("held-out", "default", "gensim", 10, "latent_em", VB),
]
ONLINE = [
    Contest("held-out", "default", "scikit-learn online", 1, "latent_em, online", ONCE),
    Contest("held-out", "default", "gensim online", 1, "latent_em, online", ONCE),
]
SMALL = [
    Contest("bound", "one", "scikit-learn", 10, "latent_em", VB),
    Contest("held-out", "one", "tomotopy", 200, "latent_em, collapsed", CVB0),
    Contest("held-out", "one", "tomotopy", 1000, "latent_em, collapsed", CVB0),
]
CONTESTS = {
    "reuters": BATCH + SMALL,
    "synthetic": BATCH + SMALL + ONLINE,
    "docstrings": BATCH,
    "large": BATCH[:2] + ONLINE[:1],
}


def corpus(name):
    """395 stories, a made-up corpus of 1600 documents, and two about ten times the stories."""
    if name == "reuters":
        return Corpus(load_reuters().counts, 20, 1 / 20, 1 / 20)
    if name == "synthetic":
        return Corpus(synthetic(1600, 2000, 20, 125, alpha=0.1, eta=0.02, seed=0), 20, 0.1, 0.02)
    if name == "docstrings":
        return Corpus(docstrings(), 50, 1 / 50, 1 / 50)
    return Corpus(synthetic(3950, 4258, 50, 213, alpha=0.1, eta=0.02, seed=0), 50, 0.1, 0.02)


def judge(goal, corpus, seed):
    """What to learn from, and how good a fit is: the higher the better."""
    if goal == "held-out":
        train, observed, heldout = split(corpus.counts, seed)

        def value(fit):
            theta = fold_in(fit.topics, observed, corpus.alpha)
            return -perplexity(theta, fit.topics, heldout)

        return train, value

    def bound(fit):
        if fit.bound is not None:
            return fit.bound
        params = lda.Params(fit.lambda_, corpus.alpha, corpus.eta)
        _, of_documents, _ = lda.e_step(params, corpus.counts, max_doc_iter=1000)
        return of_documents + lda.global_bound(params)

    return corpus.counts, bound


def timed(method, corpus, train, n_iter, seed, workers):
    """Return the fit, and its seconds on the clock."""
    start = time.perf_counter()
    fit = METHODS[method](train, *corpus[1:], n_iter, seed, workers)
    return fit, time.perf_counter() - start


def measure(name, corpus, contest, seed):
    """One row of the table."""
    workers = {"one": 1, "default": 0}[contest.threads]
    train, value = judge(contest.goal, corpus, seed)
    with threadpool_limits(workers or None):
        peer, peer_seconds = timed(contest.peer, corpus, train, contest.passes, seed, workers)
        target = value(peer)
        for n_iter in contest.sweeps:
            fit, seconds = timed(contest.method, corpus, train, n_iter, seed, workers)
            if (reached := value(fit)) >= target:
                break
    return (
        *(name, contest.goal, contest.threads, seed),
        *(contest.peer, contest.passes, peer_seconds, abs(target) if target > -1e5 else target),
        *(contest.method, n_iter, seconds, abs(reached) if reached > -1e5 else reached),
        *(int(reached >= target), peer_seconds / seconds),
    )


def main(names):
    """Measure, write the tables, and print medians."""
    for name in names:
        here = corpus(name)
        METHODS["latent_em"](here.counts[:50], 2, 0.1, 0.1, 1, 0, 1)  # what is done once
        rows = [measure(name, here, c, seed) for seed in SEEDS for c in CONTESTS[name]]
        results.write(f"lda_speed_{name}", COLUMNS, rows)
        print(f"{name}: {here.counts.shape}, {here.counts.nnz} pairs, K = {here.n_topics}")
        for c in CONTESTS[name]:
            some = [r for r in rows if r[1:3] == c[:2] and r[4:6] == c[2:4] and r[8] == c.method]
            medians = np.median([[row[6], row[10], row[13]] for row in some], axis=0)
            print(
                "{:9}{:8} {:19} {:5} {:7.3f} s {:21} {:7.3f} s, {:5.1f} times as fast,".format(
                    *c[:4], medians[0], c.method, *medians[1:]
                ),
                f"reached {sum(row[12] for row in some)} of {len(some)}",
            )


if __name__ == "__main__":
    main(sys.argv[1:] or list(CONTESTS))
