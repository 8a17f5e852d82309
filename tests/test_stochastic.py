"""Averages of statistics: by hand, and on streams."""

import numpy as np
import pytest

from latent_em import bernoulli_mixture, gaussian_mixture
from latent_em.covariances import DIAG, FULL, SPHERICAL, TIED
from latent_em.em import fit_em
from latent_em.examples.exponential_family import Stats
from latent_em.stochastic import stochastic_step


def test_the_average_is_per_sample_and_counts_all_samples():
    """10 of 2 samples are 5 each, 12 of 4 are 3 each: a quarter of 3 and the rest of 5, times 6."""
    stats = stochastic_step(Stats(2.0, np.array([10.0])), Stats(4.0, np.array([12.0])), 0.25)
    assert stats.n_samples == 6
    np.testing.assert_allclose(stats.total, [27.0])


@pytest.mark.parametrize("kind", [FULL, TIED, DIAG, SPHERICAL], ids=lambda kind: kind.name)
def test_steps_in_proportion_to_the_samples_give_the_statistics_of_all(kind):
    rng = np.random.default_rng(0)
    X, resp = rng.normal(size=(90, 2)), rng.dirichlet(np.ones(3), size=90)
    whole = gaussian_mixture.moments(X, resp, kind)
    stats, seen = gaussian_mixture.moments(X[:20], resp[:20], kind), 20
    for rows in (slice(20, 50), slice(50, 90)):
        new = gaussian_mixture.moments(X[rows], resp[rows], kind)
        seen += new.n_samples
        stats = stochastic_step(stats, new, new.n_samples / seen)
    for one, other in zip(stats[:4], whole[:4], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_counts_of_classes_are_averaged_too():
    rng = np.random.default_rng(1)
    X, resp = (rng.random((40, 5)) < 0.4).astype(float), rng.dirichlet(np.ones(2), size=40)
    whole = bernoulli_mixture.counts(X, resp)
    halves = [bernoulli_mixture.counts(X[rows], resp[rows]) for rows in np.split(np.arange(40), 2)]
    for one, other in zip(stochastic_step(*halves, 0.5), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_no_step_and_a_whole_one():
    old, new = Stats(2.0, np.array([10.0])), Stats(2.0, np.array([6.0]))
    np.testing.assert_allclose(stochastic_step(old, new, 0).total, [20.0])
    np.testing.assert_allclose(stochastic_step(old, new, 1).total, [12.0])
    with pytest.raises(ValueError, match=r"rho: got 1\.5, must be at most 1"):
        stochastic_step(old, new, 1.5)
    with pytest.raises(ValueError, match="rho: got -1, must be a finite number of at least 0"):
        stochastic_step(old, new, -1)


def test_one_pass_of_small_steps_goes_farther_than_a_pass_for_one_step():
    """Twenty streams of 20 000 samples in batches of 200, from a poor start."""
    truth = gaussian_mixture.Params(
        np.array([0.3, 0.7]), np.array([[0.0], [3.0]]), np.array([[[1.0]], [[0.5]]])
    )
    start = gaussian_mixture.Params(
        np.array([0.5, 0.5]), np.array([[1.0], [2.0]]), np.array([[[2.0]], [[2.0]]])
    )
    for seed in range(20):
        X, _ = gaussian_mixture.sample(truth, 20_000, seed)
        params, stats = start, None
        for t, batch in enumerate(np.split(X, 100), start=1):
            new, _, _ = gaussian_mixture.e_step(params, batch)
            stats = new if stats is None else stochastic_step(stats, new, (1 + t) ** -0.6)
            params = gaussian_mixture.m_step(stats)
        assert stats.n_samples == pytest.approx(20_000)
        top = fit_em(gaussian_mixture, truth, [X], tol=1e-6).lower_bounds[-1]
        one = fit_em(gaussian_mixture, start, [X], tol=0, max_iter=1).lower_bounds[-1]
        assert top - gaussian_mixture.log_likelihood(params, X) < (top - one) / 10
