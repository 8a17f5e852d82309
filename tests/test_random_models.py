"""Random models against enumeration: the decomposition of the evidence, and the ascent of EM.

Joint probabilities come from SciPy or are written out; evidence, posterior and KL are sums of
them with ``math.fsum``. None of it goes through the code of the bound.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import bernoulli, multivariate_normal, poisson

from latent_em import bernoulli_bernoulli, bernoulli_mixture, bounds
from latent_em import gaussian_mixture as gm
from latent_em.em import fit_em
from latent_em.examples import coins, linkage, poisson_mixture
from latent_em.weighted import Weighted

TOLERANCE = 1e-10


class Case(NamedTuple):
    model: object
    params: object
    X: object  # rows for log_joint
    chunk: object  # what the E-step takes
    counts: np.ndarray  # how often each row occurs
    joint: np.ndarray  # p(x_n, z_n = k), not through the package


def bernoulli_mixture_case(rng):
    n_components, n_features = rng.integers(1, 5), rng.integers(1, 7)
    means = rng.beta(0.7, 0.7, size=(n_components, n_features))
    if rng.uniform() < 0.3:  # estimates on the boundary, as EM makes them
        means[rng.uniform(size=means.shape) < 0.2] = rng.integers(0, 2)
    params = bernoulli_mixture.Params(rng.dirichlet(np.full(n_components, 2.0)), means)
    X, _ = bernoulli_mixture.sample(params, 30, rng)
    joint = params.weights * bernoulli.pmf(X[:, None, :].astype(int), means).prod(axis=2)
    counts = rng.integers(1, 5, size=30)
    return Case(bernoulli_mixture, params, X, Weighted(X, counts), counts, joint)


def linkage_case(rng):
    n_categories = rng.integers(2, 7)
    cells = rng.dirichlet(np.full(n_categories, 0.7), size=3)
    cells[cells < 0.05] = 0  # most categories lack one kind of cell or two
    cells /= cells.sum(axis=1, keepdims=True)
    fixed = rng.uniform(0, 0.8)
    cells *= [[fixed], [1 - fixed], [1 - fixed]]
    theta = rng.uniform(0.05, 0.95)
    table = cells.T * [1, theta, 1 - theta]
    counts = rng.multinomial(100, table.sum(axis=1) / table.sum())
    params = linkage.Params(theta)
    return Case(linkage.Model(cells.T), params, np.arange(n_categories), counts, counts, table)


def coins_case(rng):
    theta = rng.uniform(0.05, 0.95, size=rng.integers(1, 4))
    heads = rng.integers(0, 9, size=12)
    X = np.column_stack([heads, 8 - heads])
    joint = theta ** X[:, :1] * (1 - theta) ** X[:, 1:] / len(theta)
    return Case(coins, coins.Params(theta), X, X, np.ones(12), joint)


def bernoulli_bernoulli_case(rng):
    params = bernoulli_bernoulli.Params(*rng.uniform(0.05, 0.95, size=3).tolist())
    X, counts = np.array([0, 1]), rng.integers(1, 20, size=2)
    pi, mu1, mu0 = params
    joint = np.array([[(1 - pi) * (1 - mu0), pi * (1 - mu1)], [(1 - pi) * mu0, pi * mu1]])
    return Case(bernoulli_bernoulli, params, X, Weighted(X, counts), counts, joint)


def poisson_mixture_case(rng):
    n_components = rng.integers(1, 4)
    rates = rng.gamma(2.0, 2.0, size=n_components)
    params = poisson_mixture.Params(rng.dirichlet(np.full(n_components, 2.0)), rates)
    X = rng.poisson(rng.choice(rates, size=40))
    joint = params.weights * poisson.pmf(X[:, None], rates)
    return Case(poisson_mixture, params, X, X, np.ones(40), joint)


def gaussian_mixture_case(rng):
    n_components, n_features = rng.integers(1, 4), rng.integers(1, 3)
    roots = rng.standard_normal((n_components, n_features, n_features + 3))
    params = gm.Params(
        rng.dirichlet(np.full(n_components, 5.0)),
        2 * rng.standard_normal((n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) / n_features + 0.1 * np.eye(n_features),
    )
    X, _ = gm.sample(params, 150, rng)
    density = [multivariate_normal.pdf(X, *moments) for moments in zip(*params[1:], strict=True)]
    joint = params.weights * np.transpose(density)
    return Case(gm, params, X, X, np.ones(150), joint)


CASES = [
    bernoulli_mixture_case,
    linkage_case,
    bernoulli_mixture_case,
    poisson_mixture_case,
    linkage_case,
    gaussian_mixture_case,
    bernoulli_mixture_case,
    coins_case,
    linkage_case,
    bernoulli_bernoulli_case,
]


def random_q(rng, joint):
    """Any distributions where the joint allows them: some with zeros, some all but certain."""
    q = rng.dirichlet(np.full(joint.shape[1], rng.choice([0.1, 1.0, 10.0])), size=len(joint))
    q = np.where(joint > 0, q, 0)
    lost = q.sum(axis=1) == 0
    q[lost] = joint[lost] > 0
    return q / q.sum(axis=1, keepdims=True)


def kl_by_enumeration(q, p):
    return math.fsum(a * math.log(a / b) for a, b in zip(q, p, strict=True) if a > 0)


def check_case(seed):
    rng = np.random.default_rng(seed)
    case = CASES[seed % len(CASES)](rng)
    seen = np.flatnonzero(case.joint.sum(axis=1) > 0)
    assert case.counts[seen].sum() == case.counts.sum()
    log_joint = case.model.log_joint(case.params, case.X)[seen]
    joint = case.joint[seen]

    evidence = [math.fsum(row) for row in joint]
    posterior = [[p / total for p in row] for row, total in zip(joint, evidence, strict=True)]
    log_evidence = np.array([math.log(total) for total in evidence])

    q = random_q(rng, joint)
    kl = np.array([kl_by_enumeration(*pair) for pair in zip(q, posterior, strict=True)])
    elbo = bounds.elbo(log_joint, q)
    residual = np.abs(elbo + kl - log_evidence).max()
    assert residual <= TOLERANCE, f"seed {seed}: ELBO + KL - log p = {residual}"
    assert (elbo <= log_evidence + TOLERANCE).all(), f"seed {seed}: the bound is above"
    np.testing.assert_allclose(bounds.gap(log_joint, q), kl, rtol=0, atol=TOLERANCE)

    touching = bounds.elbo(log_joint, bounds.posterior(log_joint))
    np.testing.assert_allclose(touching, log_evidence, rtol=0, atol=TOLERANCE)

    _, bound, _ = case.model.e_step(case.params, case.chunk)
    total = math.fsum(case.counts[seen] * log_evidence)
    assert bound == pytest.approx(total, rel=1e-12, abs=TOLERANCE), f"seed {seed}: the E-step"

    # A fall beyond rounding is a warning too, and a warning is an error here.
    fit = fit_em(case.model, case.params, [case.chunk], tol=0, max_iter=12)
    fall = -np.diff(fit.lower_bounds).min()
    assert fall <= 1e-12 * max(1, abs(total)), f"seed {seed}: the bound fell by {fall}"
    assert fit.lower_bounds[0] == bound


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_elbo_and_kl_make_the_evidence_and_the_bound_never_falls(first):
    for seed in range(first, first + 20):
        check_case(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(60, 1060, 100))
def test_a_thousand_more(first):
    for seed in range(first, first + 100):
        check_case(seed)
