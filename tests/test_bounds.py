"""The bound and its gap, against sums written out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_em import bounds

# One observation, three values of z: p(x, z) = .1, .2, .05, so p(x) = .35.
JOINT = np.array([[0.1, 0.2, 0.05]])
Q = np.array([[0.5, 0.25, 0.25]])


def test_terms_of_one_observation_written_out():
    log_joint = np.log(JOINT)
    expected_log_joint = 0.5 * math.log(0.1) + 0.25 * math.log(0.2) + 0.25 * math.log(0.05)
    entropy = 0.5 * math.log(2) + 2 * 0.25 * math.log(4)
    kl = (
        0.5 * math.log(0.5 / (0.1 / 0.35))
        + 0.25 * math.log(0.25 / (0.2 / 0.35))
        + 0.25 * math.log(0.25 / (0.05 / 0.35))
    )
    assert bounds.log_evidence(log_joint) == pytest.approx(math.log(0.35), abs=1e-15)
    assert bounds.expected_log_joint(log_joint, Q) == pytest.approx(expected_log_joint, abs=1e-15)
    assert bounds.entropy(Q) == pytest.approx(entropy, abs=1e-15)
    assert bounds.elbo(log_joint, Q) == pytest.approx(expected_log_joint + entropy, abs=1e-15)
    assert bounds.gap(log_joint, Q) == pytest.approx(kl, abs=1e-15)
    np.testing.assert_allclose(bounds.posterior(log_joint), JOINT / 0.35, rtol=1e-15)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_components=st.integers(1, 6),
    level=st.sampled_from([0.0, -800.0, -5000.0]),
)
def test_elbo_and_gap_make_the_evidence_and_the_gap_is_never_negative(seed, n_components, level):
    rng = np.random.default_rng(seed)
    log_joint = level + rng.normal(size=(7, n_components))
    q = rng.dirichlet(np.full(n_components, 0.3), size=7)
    largest = log_joint.max(axis=1)
    evidence = [
        m + math.log(math.fsum(math.exp(v - m) for v in row))
        for m, row in zip(largest, log_joint, strict=True)
    ]
    gap = bounds.gap(log_joint, q)
    assert (gap >= 0).all()
    np.testing.assert_allclose(bounds.elbo(log_joint, q) + gap, evidence, rtol=0, atol=1e-10)


def test_the_bound_touches_at_the_posterior_and_nowhere_else():
    rng = np.random.default_rng(1)
    log_joint = rng.normal(size=(5, 4))
    posterior = bounds.posterior(log_joint)
    np.testing.assert_allclose(bounds.gap(log_joint, posterior), 0, atol=1e-15)
    for other in rng.dirichlet(np.ones(4), size=20):
        assert (bounds.gap(log_joint, 0.99 * posterior + 0.01 * other) > 1e-9).all()


@pytest.mark.parametrize("level", [0.0, -5000.0, 5000.0])
def test_normalise_gives_posterior_and_evidence_along_either_axis(level):
    log_joint = level + np.random.default_rng(3).normal(size=(5, 4))
    log_joint[2, 1] = -np.inf
    for array, axis in ((log_joint, 1), (log_joint.T, 0)):
        resp, log_prob = bounds.normalise(array, axis)
        resp = resp if axis == 1 else resp.T
        np.testing.assert_allclose(np.log(resp[:2]), bounds.log_posterior(log_joint)[:2], rtol=1e-9)
        assert resp[2, 1] == 0
        np.testing.assert_allclose(resp.sum(axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(log_prob, bounds.log_evidence(log_joint), rtol=1e-14)
    log_joint[3] = -np.inf
    with pytest.raises(ValueError, match="got -inf for every component in row 3"):
        bounds.normalise(log_joint)


def test_one_q_for_all_observations_costs_their_mutual_information():
    """The best single q is the mean posterior; what it loses is the mean KL from it."""
    log_joint = np.log([[0.4, 0.1], [0.1, 0.4]])
    shared = bounds.gap(log_joint, [0.5, 0.5])
    assert shared.shape == (2,)
    # KL of (1/2, 1/2) from (4/5, 1/5).
    np.testing.assert_allclose(shared, -math.log(2 * math.sqrt(0.8 * 0.2)), rtol=1e-14)
    np.testing.assert_array_equal(shared, bounds.gap(log_joint, [[0.5, 0.5], [0.5, 0.5]]))


def test_zeros_are_limits():
    log_joint = np.log([[0.3, 0.2]] * 2)
    log_joint[1, 1] = -np.inf
    certain = [[1.0, 0.0], [1.0, 0.0]]
    np.testing.assert_allclose(bounds.elbo(log_joint, certain), math.log(0.3), rtol=1e-15)
    np.testing.assert_allclose(bounds.gap(log_joint, certain), [math.log(0.5 / 0.3), 0], atol=1e-15)
    np.testing.assert_array_equal(bounds.elbo(log_joint, [0.5, 0.5])[1], -np.inf)
    np.testing.assert_array_equal(bounds.gap(log_joint, [0.5, 0.5])[1], np.inf)
    np.testing.assert_array_equal(bounds.log_evidence([[-np.inf, -np.inf]]), [-np.inf])
    np.testing.assert_array_equal(bounds.entropy([0.0, 1.0]), 0)


def test_a_posterior_that_underflows_still_has_a_finite_gap():
    gap = bounds.gap([[0.0, -2000.0]], [[0.5, 0.5]])
    np.testing.assert_allclose(gap, 1000 - math.log(2), rtol=1e-14)


def test_kl_takes_single_distributions_and_broadcasts():
    log_p = np.log([0.5, 0.25, 0.25])
    expected = 0.2 * math.log(0.4) + 0.3 * math.log(1.2) + 0.5 * math.log(2)
    assert bounds.kl([0.2, 0.3, 0.5], log_p) == pytest.approx(expected, abs=1e-15)
    both = bounds.kl([[0.2, 0.3, 0.5], [0.5, 0.25, 0.25]], log_p)
    np.testing.assert_allclose(both, [expected, 0], atol=1e-15)


LOG_JOINT = np.log(np.full((2, 3), 0.1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bounds.log_evidence([1.0]), r"log_joint: got shape \(1,\), must be \(n_samples"),
        (lambda: bounds.log_evidence([[np.nan]]), r"log_joint: got nan at \(0, 0\), must be fin"),
        (lambda: bounds.log_evidence([[np.inf]]), r"log_joint: got inf at \(0, 0\)"),
        (lambda: bounds.elbo(LOG_JOINT, [[1.0, 0, 0]]), r"q: got shape \(1, 3\), must be \(2, 3\)"),
        (lambda: bounds.elbo(LOG_JOINT, [0.5, 0.5]), r"q: got shape \(2,\), must be \(3,\)"),
        (
            lambda: bounds.elbo(LOG_JOINT, [[1, 0, 0], [0.5, 0.4, 0]]),
            "q: got a sum of 0.9 in row 1, must sum to 1",
        ),
        (lambda: bounds.elbo(LOG_JOINT, [1.5, -0.5, 0]), "q: got -0.5, must not be negative"),
        (lambda: bounds.entropy([0.5, 0.4]), "q: got a sum of 0.9, must sum to 1"),
        (
            lambda: bounds.kl([0.5, 0.5], np.log([0.5, 0.4])),
            r"exp\(log_p\): got a sum of 0.9, must sum to 1",
        ),
        (
            lambda: bounds.kl([0.5, 0.5], np.log([0.5, 0.25, 0.25])),
            r"log_p: got shape \(3,\), must be \(2,\)",
        ),
        (
            lambda: bounds.posterior([[0.0, 0.0], [-np.inf, -np.inf]]),
            "log_joint: got -inf for every component in row 1",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
