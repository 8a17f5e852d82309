"""Importance sampling: against plain arithmetic, exact enumeration, and its own promises."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import norm

from latent_em import bounds, importance


def draws(log_joint, q, n_draws, seed):
    """Log-weights of draws from one proposal for one observation."""
    z = np.random.default_rng(seed).choice(len(q), size=n_draws, p=q)
    return log_joint[z] - np.log(q[z])


LOG_JOINT = np.log([0.02, 0.1, 0.03])
Q = np.array([0.5, 0.2, 0.3])


def test_summaries_are_those_of_the_plain_weights():
    log_weights = np.random.default_rng(0).normal(size=(4, 50))
    weights = np.exp(log_weights)
    mean, variance = weights.mean(axis=1), weights.var(axis=1, ddof=1)
    ess = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    np.testing.assert_allclose(importance.log_evidence(log_weights), np.log(mean), rtol=1e-12)
    np.testing.assert_allclose(importance.log_variance(log_weights), np.log(variance), rtol=1e-10)
    np.testing.assert_allclose(importance.effective_sample_size(log_weights), ess, rtol=1e-12)
    np.testing.assert_allclose(
        importance.standard_error(log_weights), np.sqrt(variance / 50) / mean, rtol=1e-12
    )


@pytest.mark.parametrize("level", [-1e6, 1e6])
def test_nothing_overflows_or_underflows(level):
    log_weights = np.random.default_rng(0).normal(size=50)
    moved = log_weights + level
    for summary, shift in [
        (importance.log_evidence, level),
        (importance.log_variance, 2 * level),
        (importance.effective_sample_size, 0),
        (importance.standard_error, 0),
    ]:
        np.testing.assert_allclose(summary(moved), summary(log_weights) + shift, rtol=1e-8)


def test_zero_weights_count_as_draws():
    log_weights = np.array([-np.inf, math.log(2.0), -np.inf, math.log(2.0)])
    assert importance.log_evidence(log_weights) == pytest.approx(0)
    assert importance.effective_sample_size(log_weights) == pytest.approx(2)
    assert importance.log_variance(log_weights) == pytest.approx(math.log(4 / 3))
    assert importance.log_evidence([-np.inf, -np.inf]) == -np.inf


def test_equal_weights_have_no_variance_and_full_effective_size():
    assert importance.log_variance([3.0, 3.0, 3.0]) == -np.inf
    assert importance.standard_error([3.0, 3.0, 3.0]) == 0
    assert importance.effective_sample_size([3.0, 3.0, 3.0]) == pytest.approx(3)


def test_the_mean_weight_is_the_evidence_by_enumeration():
    """E_q[w] = p(x), and Var_q(w) is what exact_log_variance says."""
    weights = np.exp(LOG_JOINT) / Q
    evidence = math.fsum(Q * weights)
    assert evidence == pytest.approx(0.15, abs=1e-16)
    variance = math.fsum(Q * (weights - evidence) ** 2)
    exact = importance.exact_log_variance([LOG_JOINT], Q)
    assert exact == pytest.approx(math.log(variance), abs=1e-12)


def test_the_variance_of_simulated_weights_is_the_exact_one():
    log_weights = draws(LOG_JOINT, Q, 400_000, seed=1)
    exact = importance.exact_log_variance([LOG_JOINT], Q)[0]
    assert importance.log_variance(log_weights) == pytest.approx(exact, abs=0.01)


def test_the_posterior_is_the_optimal_proposal_and_the_only_one():
    posterior = bounds.posterior([LOG_JOINT])[0]
    log_weights = draws(LOG_JOINT, posterior, 100, seed=2)
    np.testing.assert_allclose(log_weights, math.log(0.15), rtol=1e-14)
    assert importance.exact_log_variance([LOG_JOINT], posterior) < -60
    for other in np.random.default_rng(3).dirichlet(np.ones(3), size=50):
        assert importance.exact_log_variance([LOG_JOINT], other) > -20


def test_errors_are_as_large_as_the_standard_error_says():
    """z-scores of 500 independent estimates have mean 0 and deviation 1."""
    log_weights = draws(LOG_JOINT, Q, 500 * 2000, seed=4).reshape(500, 2000)
    errors = importance.log_evidence(log_weights) - math.log(0.15)
    scores = errors / importance.standard_error(log_weights)
    assert abs(scores.mean()) < 4 / math.sqrt(500)
    assert scores.std() == pytest.approx(1, abs=4 / math.sqrt(2 * 500))


def test_a_continuous_latent():
    """z ~ N(0, 1), x | z ~ N(z, 1), so x ~ N(0, 2)."""
    x = 1.3
    z = np.random.default_rng(5).normal(0.5, 1.2, size=100_000)
    log_weights = norm.logpdf(z) + norm.logpdf(x, loc=z) - norm.logpdf(z, 0.5, 1.2)
    estimate = importance.log_evidence(log_weights)
    error = importance.standard_error(log_weights)
    assert abs(estimate - norm.logpdf(x, scale=math.sqrt(2))) < 4 * error
    assert error < 0.01


@pytest.mark.parametrize("n_draws", [1, 2, 3, 5])
def test_the_exact_multi_sample_bound_is_the_mean_over_all_sequences(n_draws):
    weights = np.exp(LOG_JOINT) / Q
    expected = math.fsum(
        math.prod(Q[list(z)]) * math.log(weights[list(z)].mean())
        for z in itertools.product(range(3), repeat=n_draws)
    )
    exact = importance.exact_multi_sample_bound([LOG_JOINT], Q, n_draws)
    assert exact == pytest.approx(expected, abs=1e-13)


def test_the_multi_sample_bound_starts_at_the_elbo_and_rises_to_the_evidence():
    rng = np.random.default_rng(6)
    log_joint = rng.normal(size=(5, 3)) - 2000
    q = rng.dirichlet(np.ones(3), size=5)
    curve = np.array(
        [importance.exact_multi_sample_bound(log_joint, q, s) for s in (1, 2, 4, 8, 16, 32, 64)]
    )
    np.testing.assert_allclose(curve[0], bounds.elbo(log_joint, q), rtol=0, atol=1e-11)
    assert (np.diff(curve, axis=0) > 0).all()
    below = bounds.log_evidence(log_joint) - curve
    assert (below > 0).all()
    # The gap shrinks like Var(w) / (2 S p(x)²).
    assert (below[-1] < below[0] / 20).all()


def test_at_the_posterior_one_draw_is_enough():
    posterior = bounds.posterior([LOG_JOINT])
    exact = importance.exact_multi_sample_bound([LOG_JOINT], posterior, 4)
    assert exact == pytest.approx(math.log(0.15), abs=1e-14)


def test_a_value_that_is_never_drawn_and_never_needed_costs_nothing():
    log_joint = [[math.log(0.1), math.log(0.05), -np.inf]]
    two = importance.exact_multi_sample_bound([log_joint[0][:2]], [0.5, 0.5], 3)
    three = importance.exact_multi_sample_bound(log_joint, [0.5, 0.5, 0], 3)
    assert three == pytest.approx(two, abs=1e-15)
    np.testing.assert_allclose(
        importance.exact_log_variance(log_joint, [0.5, 0.5, 0]),
        importance.exact_log_variance([log_joint[0][:2]], [0.5, 0.5]),
    )


def test_a_single_component_has_one_sample_to_enumerate():
    assert importance.exact_multi_sample_bound([[-3.0]], [1.0], 7) == pytest.approx(-3.0)


def test_the_simulated_multi_sample_bound_agrees_with_the_exact_one():
    log_weights = draws(LOG_JOINT, Q, 20_000 * 5, seed=7).reshape(20_000, 5)
    value, error = importance.multi_sample_bound(log_weights)
    exact = importance.exact_multi_sample_bound([LOG_JOINT], Q, 5)[0]
    assert abs(value - exact) < 4 * error
    spread = importance.log_evidence(log_weights).std()
    assert error == pytest.approx(spread / math.sqrt(20_000), rel=1e-3)
    zero = importance.multi_sample_bound([[-np.inf], [0.0]])
    assert zero.value == -np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: importance.log_evidence([]), ValueError, "log_weights: got 0 draws"),
        (lambda: importance.log_evidence(0.0), ValueError, r"log_weights: got shape \(\)"),
        (lambda: importance.log_evidence([np.nan]), ValueError, "log_weights: got nan at"),
        (lambda: importance.log_evidence([np.inf]), ValueError, "log_weights: got inf at"),
        (lambda: importance.log_variance([1.0]), ValueError, "got 1 draws, must be at least 2"),
        (lambda: importance.standard_error([1.0]), ValueError, "got 1 draws, must be at least 2"),
        (
            lambda: importance.effective_sample_size([-np.inf]),
            ValueError,
            "log_weights: got only -inf",
        ),
        (
            lambda: importance.multi_sample_bound([[0.0, 1.0]]),
            ValueError,
            "log_weights: got 1 repeats, must be at least 2",
        ),
        (
            lambda: importance.exact_log_variance([LOG_JOINT], [0.5, 0.5, 0.0]),
            ValueError,
            r"q: got 0 at \(0, 2\), must be positive",
        ),
        (
            lambda: importance.exact_multi_sample_bound([LOG_JOINT], Q, 0),
            ValueError,
            "n_draws: got 0, must be at least 1",
        ),
        (
            lambda: importance.exact_multi_sample_bound([LOG_JOINT], Q, 2.0),
            TypeError,
            "n_draws: got 2.0, must be an integer",
        ),
        (
            lambda: importance.exact_multi_sample_bound([LOG_JOINT], Q, 10_000),
            ValueError,
            "n_draws: got 10000, which makes 50015001 samples",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
