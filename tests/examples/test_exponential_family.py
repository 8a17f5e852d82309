"""The general E-step, and the two mixtures that are little more: coins and Poisson."""

from itertools import islice, pairwise

import numpy as np
import pytest
from scipy.stats import binom, poisson

from latent_em import bernoulli_bernoulli as bb
from latent_em import bernoulli_mixture as bm
from latent_em.datasets import load_london_times, load_two_coins
from latent_em.em import fit_em, iterates
from latent_em.examples import coins, exponential_family
from latent_em.examples import poisson_mixture as pm
from latent_em.weighted import Weighted

DEATHS = Weighted(*load_london_times())


def test_the_general_e_step_is_that_of_the_bernoulli_mixture():
    """T(x, k) = the indicator of k, times (1, x_1 … x_D)."""
    rng = np.random.default_rng(0)
    params = bm.Params(np.array([0.3, 0.7]), rng.uniform(0.1, 0.9, size=(2, 4)))
    X, _ = bm.sample(params, 30, rng)
    weighted = Weighted(X, rng.integers(0, 4, size=30))

    def statistics(X, n_components):
        row = np.column_stack([np.ones(len(X)), X])
        return np.eye(n_components)[:, :, np.newaxis] * row[:, np.newaxis, np.newaxis, :]

    stats, bound, local = exponential_family.e_step(bm.log_joint, statistics, params, weighted)
    counts, expected_bound, _ = bm.e_step(params, weighted)
    assert local is None
    assert stats.n_samples == weighted.sample_weight.sum()
    assert bound == pytest.approx(expected_bound, rel=1e-14)
    np.testing.assert_allclose(stats.total[:, 0], counts.nk, rtol=1e-13)
    np.testing.assert_allclose(stats.total[:, 1:], counts.ones, rtol=1e-13)


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (coins, coins.Params(np.array([0.3, 0.9]))),
        (pm, pm.Params(np.array([0.3, 0.7]), np.array([1.0, 6.0]))),
        (bb, bb.Params(0.3, 0.9, 0.2)),
    ],
)
def test_the_m_step_matches_the_moments(model, params):
    """With statistics expected under θ itself, over all x and z, the M-step returns θ."""
    if model is coins:
        heads = np.arange(6)
        X = np.column_stack([heads, 5 - heads])
        weight = binom.pmf(heads[:, None], 5, params.theta).mean(axis=1)
    elif model is pm:
        X = np.arange(60)
        weight = poisson.pmf(X[:, None], params.rates) @ params.weights
    else:
        X = np.arange(2)
        weight = np.array([1 - bb.marginal(params), bb.marginal(params)])
    stats, _, _ = model.e_step(params, Weighted(X, weight))
    for got, want in zip(model.m_step(stats), params, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("model", [coins, pm, bb])
def test_the_m_step_beats_every_neighbour(model):
    rng = np.random.default_rng(1)
    old, X = {
        coins: (coins.Params(np.array([0.3, 0.6])), load_two_coins()),
        pm: (pm.Params(np.array([0.3, 0.7]), np.array([1.0, 3.0])), np.arange(10)),
        bb: (bb.Params(0.3, 0.6, 0.2), np.array([0, 1, 1])),
    }[model]
    log_joint = model.log_joint(old, X)
    resp = np.exp(log_joint - np.logaddexp.reduce(log_joint, axis=1, keepdims=True))
    best = model.m_step(model.e_step(old, X)[0])

    def q_function(params):
        return (resp * model.log_joint(params, X)).sum()

    for _ in range(100):
        moved = [np.exp(1e-3 * rng.standard_normal(np.shape(value))) * value for value in best]
        if model is pm:
            moved[0] = moved[0] / moved[0].sum()
        assert q_function(type(best)(*moved)) < q_function(best)


def test_two_coins_give_the_published_biases():
    """Do and Batzoglou (2008) print .71, .58 after one step and .80, .52 after ten."""
    steps = iterates(coins, coins.Params(np.array([0.6, 0.5])), [load_two_coins()])
    path = np.array([params.theta for params in islice(steps, 11)])
    np.testing.assert_allclose(path[1], [0.7130, 0.5813], atol=5e-5)
    np.testing.assert_allclose(path[10], [0.7967, 0.5197], atol=5e-5)


def test_coins_are_the_sequences_of_tosses():
    theta = np.array([0.2, 0.9, 0.5])
    X = np.array([[3, 2], [0, 4]])
    expected = np.log(theta ** X[:, :1] * (1 - theta) ** X[:, 1:] / 3)
    np.testing.assert_allclose(coins.log_joint(coins.Params(theta), X), expected, rtol=1e-14)


def test_coins_that_never_show_tails():
    log_joint = coins.log_joint(coins.Params([1.0, 0.5]), [[3, 0], [2, 1]])
    np.testing.assert_allclose(log_joint[0], [np.log(0.5), np.log(0.5**4)])
    assert log_joint[1, 0] == -np.inf


def test_poisson_log_joint_is_that_of_scipy():
    params = pm.Params(np.array([0.3, 0.7]), np.array([0.5, 8.0]))
    x = np.array([0, 3, 40])
    expected = np.log(params.weights) + poisson.logpmf(x[:, None], params.rates)
    np.testing.assert_allclose(pm.log_joint(params, x), expected, rtol=1e-12)
    certain = pm.log_joint(pm.Params([1.0, 0.0], [0.0, 2.0]), [0, 1])
    np.testing.assert_array_equal(certain, [[0, -np.inf], [-np.inf, -np.inf]])


@pytest.mark.parametrize(
    ("weight", "rates", "published"), [(0.4, (1.0, 2.0), 2061), (0.3, (1.0, 2.5), 2335)]
)
def test_london_times_takes_the_published_steps_to_the_published_fit(weight, rates, published):
    """Varadhan and Roland (2008), plain EM, stopped at ‖Δ‖ < 1e-8 ‖θ‖; fit of Hasselblad (1969)."""
    start = pm.Params(np.array([weight, 1 - weight]), np.array(rates))

    def stands_still(old, new):
        old, new = (np.array([params.weights[0], *params.rates]) for params in (old, new))
        return np.linalg.norm(new - old) < 1e-8 * np.linalg.norm(old)

    steps = enumerate(pairwise(iterates(pm, start, [DEATHS])), start=1)
    n_steps, new = next((t, new) for t, (old, new) in steps if stands_still(old, new))
    assert n_steps == published
    # The stop leaves 3e-6 to the limit, since the rate of convergence is .995.
    np.testing.assert_allclose(new.weights[1], 0.6401146, atol=4e-6)
    np.testing.assert_allclose(new.rates, [1.2560951, 2.6634044], atol=8e-6)
    assert pm.e_step(new, DEATHS)[1] == pytest.approx(-1989.94586, abs=5e-6)


def test_london_times_at_the_limit():
    start = pm.Params(np.array([0.36, 0.64]), np.array([1.256, 2.663]))
    params, bounds, *_ = fit_em(pm, start, [DEATHS], tol=0, max_iter=4000)
    np.testing.assert_allclose(params.weights[1], 0.6401146, atol=1e-7)
    np.testing.assert_allclose(params.rates, [1.2560951, 2.6634044], atol=1e-7)
    assert (np.diff(bounds) > -1e-9).all()


def test_a_table_fits_as_its_rows_repeated():
    start = pm.Params(np.array([0.4, 0.6]), np.array([1.0, 2.0]))
    table = fit_em(pm, start, [DEATHS], tol=1e-5)
    rows = np.repeat(DEATHS.X, DEATHS.sample_weight.astype(int))
    repeated = fit_em(pm, start, [rows[:500], rows[500:]], tol=1e-5)
    assert table.n_iter == repeated.n_iter
    np.testing.assert_allclose(table.lower_bounds, repeated.lower_bounds, rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "params", "X", "message"),
    [
        (coins, coins.Params([0.5, 1.5]), [[1, 2]], r"theta: got 1.5 at \(1,\), must be from 0"),
        (coins, coins.Params(0.5), [[1, 2]], r"theta: got shape \(\), must be \(n_components,\)"),
        (coins, coins.Params([0.5]), [1, 2], r"X: got shape \(2,\), must be \(n_samples, 2\)"),
        (coins, coins.Params([0.5]), [[1, -2]], "X: got -2.0, must not be negative"),
        (coins, coins.Params([1.0]), [[1, 2]], "log_joint: got -inf for every component in row 0"),
        (pm, pm.Params([0.5, 0.6], [1, 2]), [1], "weights: got a sum of 1.1, must sum to 1"),
        (pm, pm.Params([0.5, 0.5], [1]), [1], r"rates: got shape \(1,\), must be \(2,\)"),
        (pm, pm.Params([0.5, 0.5], [1, -1]), [1], "rates: got -1.0, must not be negative"),
        (pm, pm.Params([1.0], [1.0]), [1.5], "X: got 1.5, must be a whole number"),
        (pm, pm.Params([1.0], [1.0]), [-1], "X: got -1.0, must be a whole number"),
        (pm, pm.Params([1.0], [1.0]), [np.inf], r"X: got inf at \(0,\), must be finite"),
    ],
)
def test_bad_input_is_named(model, params, X, message):
    with pytest.raises(ValueError, match=message):
        model.e_step(params, X)


def test_an_empty_component_is_named():
    with pytest.raises(ValueError, match="components: got nk = "):
        fit_em(pm, pm.Params([0.5, 0.5], [1.0, 5000.0]), [np.array([0, 1])])
    with pytest.raises(ValueError, match="coins: got "):
        fit_em(coins, coins.Params([1.0, 0.5]), [np.array([[0, 1]])])
