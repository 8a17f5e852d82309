"""How well topics predict the other half of a story, and how long learning them takes.

    python benchmarks/lda_heldout.py

Document completion on the 395 Reuters stories. For each seed, 316 stories are learned from. Of
each of the other 79, half the tokens are observed and give θ; the other half are held out, and
their perplexity is exp(−Σ log Σ_k θ_mk β_kw / number of tokens). θ comes once from one fold-in
that is the same for all (column `perplexity`), and once from the library's own
(`perplexity_own`). With one thread, `seconds` on the clock exceed `cpu_seconds` if the machine
had other work. A table goes to results/lda_heldout.csv, its medians to the screen.
"""

import time

import numpy as np
import results
from lda_methods import METHODS
from scipy.sparse import csr_array
from scipy.special import digamma
from threadpoolctl import threadpool_limits

from latent_em.datasets import load_reuters

K, ALPHA, ETA = 20, 1 / 20, 1 / 20
SEEDS, THREADS = range(5), ("one",)
# Each with two numbers of passes over the documents: what a hurried user takes, and a patient one.
RUNS = [
    ("latent_em", 10),
    ("latent_em", 50),
    ("latent_em, priors learned", 10),
    ("latent_em, priors learned", 50),
    ("latent_em, collapsed", 20),
    ("latent_em, collapsed", 100),
    ("scikit-learn", 10),
    ("scikit-learn", 50),
    ("scikit-learn online", 10),
    ("gensim", 10),
    ("gensim", 50),
    ("lda", 500),
    ("tomotopy", 200),
    ("tomotopy", 1000),
]
COLUMNS = [
    "method",
    "n_iter",
    "threads",
    "seed",
    "seconds",
    "cpu_seconds",
    "perplexity",
    "perplexity_own",
]


def split(counts, seed):
    """Stories to learn from, and two halves of each of the others."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(counts.shape[0])
    n_train = counts.shape[0] * 4 // 5
    test = counts[order[n_train:]].toarray()
    observed = np.array([rng.multivariate_hypergeometric(row, row.sum() // 2) for row in test])
    return counts[order[:n_train]], csr_array(observed), csr_array(test - observed)


def fold_in(topics, observed, alpha=ALPHA, n_iter=100):
    """Mean θ of new documents under known topics, by mean-field updates of γ."""
    observed = observed.toarray()
    gamma = np.ones((observed.shape[0], topics.shape[0]))
    for _ in range(n_iter):
        expelog = np.exp(digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True)))
        gamma = alpha + expelog * ((observed / (expelog @ topics)) @ topics.T)
    return gamma / gamma.sum(axis=1, keepdims=True)


def perplexity(theta, topics, heldout):
    """Inverse of the geometric mean of the probabilities of the held-out tokens."""
    document, word = heldout.nonzero()
    log_prob = np.log(np.einsum("ik,ki->i", theta[document], topics[:, word]))
    return np.exp(-(heldout.data @ log_prob) / heldout.sum())


def measure(method, n_iter, threads, seed, counts):
    """One row of the table."""
    train, observed, heldout = split(counts, seed)
    workers = {"one": 1, "default": 0}[threads]
    with threadpool_limits(workers or None):
        start = np.array([time.perf_counter(), time.process_time()])
        fit = METHODS[method](train, K, ALPHA, ETA, n_iter, seed, workers)
        seconds = np.array([time.perf_counter(), time.process_time()]) - start
        thetas = fold_in(fit.topics, observed), fit.fold_in(observed)
    return (
        *(method, n_iter, threads, seed, *seconds),
        *(perplexity(theta, fit.topics, heldout) for theta in thetas),
    )


def main():
    """Measure all methods in turn, seed by seed, so that other work strikes all of them."""
    counts, _, _ = load_reuters()
    rows = [
        measure(method, n_iter, threads, seed, counts)
        for seed in SEEDS
        for threads in THREADS
        for method, n_iter in RUNS
        if method in METHODS
    ]
    results.write("lda_heldout", COLUMNS, rows)
    print(f"{'method':25} passes threads   seconds     (CPU) perplexity  own fold-in  (medians)")
    for key in dict.fromkeys(row[:3] for row in rows):
        medians = np.median([row[4:] for row in rows if row[:3] == key], axis=0)
        print("{:25} {:6} {:8} {:9.2f} {:9.2f} {:10.0f} {:12.0f}".format(*key, *medians))


if __name__ == "__main__":
    main()
