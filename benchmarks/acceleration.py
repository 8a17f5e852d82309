"""Passes over the data that EM, SQUAREM and Anderson's rule take to the same tolerance.

    python benchmarks/acceleration.py

Problems of the book, eight starts each. A table and not a cell of the chapter, since the last
digits of a machine's arithmetic can change the number of passes by a few.
"""

import numpy as np
import results

from latent_em import bernoulli_mixture, datasets, gaussian_mixture, incomplete_normal, lda
from latent_em.em import fit_em
from latent_em.examples import coins, poisson_mixture
from latent_em.weighted import Weighted

SCHEMES = (None, "squarem", "anderson")
N_STARTS = 8
COLUMNS = ["problem", "start", *(f"{s or 'em'}_passes" for s in SCHEMES)]
COLUMNS += [f"{s or 'em'}_bound" for s in SCHEMES]
FAITHFUL = np.column_stack(datasets.load_old_faithful())


def gaps():
    """Rows of a normal distribution in three dimensions, half of the entries missing."""
    rng = np.random.default_rng(0)
    covariance = [[1, 0.8, 0.3], [0.8, 2, 0.5], [0.3, 0.5, 1]]
    X = rng.multivariate_normal([1, 2, 3], covariance, 200)
    X[rng.random(X.shape) < 0.5] = np.nan
    return X


def deaths(rng):
    """Two rates."""
    return poisson_mixture.Params(rng.dirichlet([5, 5]), np.sort(rng.uniform(0.5, 4, 2)))


def eruptions(n_components):
    """Return a function for a start from shares that are drawn."""

    def start(rng):
        shares = rng.dirichlet(np.full(n_components, 0.2), len(FAITHFUL))
        return gaussian_mixture.m_step(gaussian_mixture.moments(FAITHFUL, shares))

    return start


def ratings(rng):
    """Three classes of seven ratings."""
    return bernoulli_mixture.random_start(3, 7, rng)


def entries(rng):
    """A mean that is drawn, and no correlation."""
    return incomplete_normal.Params(rng.normal(size=3), np.eye(3))


def two_coins(rng):
    """Two biases."""
    return coins.Params(rng.uniform(0.2, 0.8, 2))


def bars():
    """One hundred documents of 50 dots from ten bars, the rows and columns of a square of five."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(5), 5, axis=1) / 5
    columns = np.tile(np.eye(5), 5) / 5
    shares = rng.dirichlet(np.full(10, 0.1), 100)
    return rng.multinomial(50, shares @ np.vstack([rows, columns])).astype(float)


def swept(rng):
    """Ten topics, after twenty sweeps from ones that are drawn."""
    start = lda.Params(rng.gamma(100, 0.01, (10, 25)), 0.1, 0.1)
    return fit_em(SWEEP, start, [BARS], tol=0, max_iter=20).params


SWEEP, BARS = lda.Model(max_doc_iter=5), bars()
PROBLEMS = {
    "deaths": (poisson_mixture, deaths, Weighted(*datasets.load_london_times())),
    "eruptions, K = 2": (gaussian_mixture, eruptions(2), FAITHFUL),
    "eruptions, K = 3": (gaussian_mixture, eruptions(3), FAITHFUL),
    "ratings, K = 3": (
        bernoulli_mixture.BetaPrior(1.01, 1.01),
        ratings,
        Weighted(*datasets.load_carcinoma()),
    ),
    "half the entries": (incomplete_normal, entries, gaps()),
    "coins": (coins, two_coins, datasets.load_two_coins()),
    "bars, swept": (SWEEP, swept, BARS),
}


def race():
    """Yield the rows of the table."""
    for problem, (model, start, data) in PROBLEMS.items():
        for seed in range(N_STARTS):
            first = start(np.random.default_rng(seed))
            options = {"tol": 1e-9, "max_iter": 9000}
            fits = [fit_em(model, first, [data], accelerate=s, **options) for s in SCHEMES]
            passes = [fit.n_evaluations for fit in fits]
            yield [problem, seed, *passes, *(float(fit.lower_bounds[-1]) for fit in fits)]


if __name__ == "__main__":
    results.write("acceleration", COLUMNS, list(race()))
