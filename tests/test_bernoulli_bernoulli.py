"""Bernoulli–Bernoulli: the closed form against the loop, and what EM cannot change."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_em import bernoulli_bernoulli as bb
from latent_em.em import fit_em, iterates
from latent_em.weighted import Weighted

inside = st.floats(0.01, 0.99)


def two_steps(params, x_mean):
    chunk = Weighted(np.array([0, 1]), np.array([1 - x_mean, x_mean]))
    return list(islice(iterates(bb, params, [chunk]), 3))[1:]


def test_the_published_step():
    """x̄ = .7 from (.5, .6, .4): (.54, .777778, .608696) = (.54, 7/9, 14/23), then unchanged."""
    first, second = two_steps(bb.Params(0.5, 0.6, 0.4), 0.7)
    np.testing.assert_allclose(first, [0.54, 7 / 9, 14 / 23], rtol=1e-14)
    np.testing.assert_allclose(second, first, rtol=1e-14)
    np.testing.assert_allclose(bb.em_step(bb.Params(0.5, 0.6, 0.4), 0.7), first, rtol=1e-14)


@settings(max_examples=100, deadline=None)
@given(pi=inside, mu1=inside, mu0=inside, x_mean=inside)
def test_one_step_reaches_the_data_and_the_next_stands_still(pi, mu1, mu0, x_mean):
    start = bb.Params(pi, mu1, mu0)
    first, second = two_steps(start, x_mean)
    np.testing.assert_allclose(bb.em_step(start, x_mean), first, rtol=1e-10)
    assert bb.marginal(first) == pytest.approx(x_mean, abs=1e-13)
    np.testing.assert_allclose(second, first, rtol=1e-10)
    assert bb.log_odds_ratio(first) == pytest.approx(bb.log_odds_ratio(start), abs=1e-9)


def test_the_best_marginal_is_reached_and_kept():
    x = np.repeat([1, 0], [7, 3])
    result = fit_em(bb, bb.Params(0.2, 0.9, 0.1), [x], tol=0, max_iter=3)
    best = 7 * np.log(0.7) + 3 * np.log(0.3)
    assert result.lower_bounds[0] < best - 0.1
    np.testing.assert_allclose(result.lower_bounds[1:], best, rtol=1e-14)


def test_a_symmetric_start_stays_symmetric():
    first, second = two_steps(bb.Params(0.3, 0.4, 0.4), 0.7)
    np.testing.assert_allclose(first, [0.3, 0.7, 0.7], rtol=1e-14)
    np.testing.assert_allclose(second, first, rtol=1e-14)


@pytest.mark.parametrize("x_mean", [0.0, 1.0])
def test_data_all_alike_are_reached_on_the_boundary(x_mean):
    step = bb.em_step(bb.Params(0.3, 0.6, 0.2), x_mean)
    assert (step.mu1, step.mu0) == (x_mean, x_mean)
    np.testing.assert_allclose(two_steps(bb.Params(0.3, 0.6, 0.2), x_mean)[0], step, rtol=1e-14)


def test_fisher_information_is_the_expected_square_of_the_score_and_has_rank_one():
    params, h = bb.Params(0.3, 0.8, 0.25), 1e-6
    scores = []
    for x in (0, 1):
        change = []
        for i in range(3):
            ends = [
                np.logaddexp.reduce(bb.log_joint(params._replace(**{name: value}), [x]), axis=1)[0]
                for name in [params._fields[i]]
                for value in (params[i] - h, params[i] + h)
            ]
            change.append((ends[1] - ends[0]) / (2 * h))
        scores.append(change)
    p = bb.marginal(params)
    expected = sum(w * np.outer(s, s) for w, s in zip([1 - p, p], scores, strict=True))
    information = bb.fisher_information(params)
    np.testing.assert_allclose(information, expected, rtol=1e-6)
    assert np.linalg.matrix_rank(information) == 1


def test_the_fixed_points_are_the_surface_where_the_marginal_is_the_data():
    mu1, mu0 = np.meshgrid(np.linspace(0.05, 0.95, 10), np.linspace(0.05, 0.95, 10))
    pi = bb.fixed_point_pi(0.7, mu1, mu0)
    between = (np.minimum(mu1, mu0) <= 0.7) & (np.maximum(mu1, mu0) >= 0.7) & (mu1 != mu0)
    np.testing.assert_array_equal(np.isfinite(pi), between)
    strictly = np.isfinite(pi) & (pi > 0) & (pi < 1)
    assert strictly.sum() > 20
    for point in zip(pi[strictly], mu1[strictly], mu0[strictly], strict=True):
        np.testing.assert_allclose(bb.em_step(bb.Params(*point), 0.7), point, rtol=1e-12)
    assert bb.fixed_point_pi(0.7, 0.9, 0.5) == pytest.approx(0.5)
    assert np.isnan(bb.fixed_point_pi(0.7, 0.7, 0.7))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bb.marginal(bb.Params(1.2, 0.5, 0.5)), "pi: got 1.2"),
        (lambda: bb.marginal(bb.Params(0.5, np.nan, 0.5)), "mu1: got nan"),
        (lambda: bb.em_step(bb.Params(0.0, 0.5, 0.5), 0.5), "pi: got 0.0, must be inside"),
        (lambda: bb.em_step(bb.Params(0.5, 0.5, 1.0), 0.5), "mu0: got 1.0, must be inside"),
        (lambda: bb.em_step(bb.Params(0.5, 0.5, 0.5), 1.5), "x_mean: got 1.5"),
        (lambda: bb.log_odds_ratio(bb.Params(0.5, 1.0, 0.5)), "mu1: got 1.0, must be inside"),
        (lambda: bb.fisher_information(bb.Params(0.5, 1.0, 1.0)), "params: got a marginal of 1.0"),
        (lambda: bb.fixed_point_pi(0.5, 2.0, 0.5), "mu1: got 2.0"),
        (lambda: bb.e_step(bb.Params(0.5, 0.5, 0.5), [0, 2]), r"X: got 2.0 at \(1,\), must be 0"),
        (lambda: bb.e_step(bb.Params(0.5, 0.0, 0.0), [1]), "log_joint: got -inf"),
        (
            lambda: fit_em(bb, bb.Params(0.0, 0.5, 0.5), [np.array([0, 1])]),
            r"z: got 2.0 expected zeros and 0.0 ones",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
