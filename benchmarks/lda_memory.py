"""Peak memory of topic models with many words and topics, each in a process of its own.

    python benchmarks/lda_memory.py

500 documents of 5000 words from a vocabulary of 100 000, 50 topics, two passes. In MB: the
counts, the topics (λ), all responsibilities were they stored, and the peak of the process less
its peak once the counts were there.
"""

import resource
import subprocess
import sys

import numpy as np
import results
from lda_methods import METHODS
from scipy.sparse import csr_array, vstack

N_DOCUMENTS, LENGTH, V, K = 500, 5000, 100_000, 50
RUNS = [
    ("latent_em", 2),
    ("latent_em, start by CVB0", 2),
    ("latent_em, random start", 2),
    ("latent_em, collapsed", 2),
    ("scikit-learn", 2),
]
COLUMNS = ["method", "pairs", "counts", "topics", "responsibilities", "peak"]


def corpus():
    """Documents whose words follow Zipf's law; memory does not ask what they say."""
    rng = np.random.default_rng(0)
    p = 1 / np.arange(1, V + 1)
    p /= p.sum()

    def document():
        words, times = np.unique(rng.choice(V, LENGTH, p=p), return_counts=True)
        return csr_array((times, (np.zeros_like(words), words)), shape=(1, V))

    return vstack([document() for _ in range(N_DOCUMENTS)], "csr")


def peak():
    """Largest resident memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure(method, n_iter):
    """Print one row of the table."""
    counts = corpus()
    before = peak()
    METHODS[method](counts, K, 1 / K, 1 / K, n_iter, 0, 1)
    size = counts.data.nbytes + counts.indices.nbytes + counts.indptr.nbytes
    megabytes = [size / 1e6, K * V * 8 / 1e6, counts.nnz * K * 8 / 1e6, peak() - before]
    print(method, counts.nnz, *(f"{number:.0f}" for number in megabytes), sep=";")


def main():
    """Measure every method in a new process."""
    rows = []
    for method, n_iter in RUNS:
        command = [sys.executable, __file__, method, str(n_iter)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(done.stdout.strip().split(";"))
        print(dict(zip(COLUMNS, rows[-1], strict=True)))
    results.write("lda_memory", COLUMNS, rows)


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()
