"""How long an import takes in a fresh process, beside the libraries that it stands on.

    python benchmarks/imports.py

Twenty processes for each, in turn. The time is that of the statement alone, when the files are in
the machine's memory already. The difference is to the statement in the column "beside".
"""

import statistics
import subprocess
import sys

import results

REPEATS = 20
NUMERIC = "import numpy, scipy.special"
SPARSE = "import numpy, scipy.special, scipy.sparse"
PEER = "from sklearn.mixture import GaussianMixture"
FIT = "; GaussianMixture(2).fit([[float(i % 7)] for i in range(100)])"
MIXTURES = ["bernoulli_mixture", "gaussian_mixture", "incomplete_mixture"]
EXAMPLES = ["examples.coins", "examples.linkage", "examples.poisson_mixture"]
MODULES = ["em", "bernoulli_bernoulli", *MIXTURES, "incomplete_normal", *EXAMPLES]
BESIDE = {f"import latent_em.{module}": NUMERIC for module in MODULES}
BESIDE |= {"import latent_em.lda": SPARSE}
BESIDE |= {f"from latent_em import GaussianMixture{then}": PEER + then for then in ("", FIT)}
COLUMNS = ["statement", "seconds", "beside", "seconds_beside", "difference"]


def seconds(statement):
    """Return the time that a statement takes in a process of its own."""
    clock = "from time import perf_counter; begin = perf_counter()"
    command = [sys.executable, "-c", f"{clock}; {statement}; print(perf_counter() - begin)"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure():
    """Return the rows of the table."""
    times = {statement: [] for pair in BESIDE.items() for statement in pair}
    for statement in times:
        seconds(statement)  # brings the files into memory
    for _ in range(REPEATS):
        for statement, taken in times.items():
            taken.append(seconds(statement))
    median = {statement: statistics.median(taken) for statement, taken in times.items()}
    return [[s, median[s], b, median[b], median[s] - median[b]] for s, b in BESIDE.items()]


if __name__ == "__main__":
    rows = measure()
    for row in rows:
        print(f"{row[0]:60s} {row[1]:.3f}  {row[3]:.3f}  {row[4]:+.3f}")
    results.write("imports", COLUMNS, rows)
