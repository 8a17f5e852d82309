"""Ranks that decide whether binary data can tell parameters apart."""

import numpy as np
import pytest

from latent_em import bernoulli_bernoulli as bb
from latent_em import bernoulli_mixture as bm
from latent_em import identifiability


def random_params(n_components, n_features, seed=0):
    rng = np.random.default_rng(seed)
    means = rng.uniform(0.1, 0.9, size=(n_components, n_features))
    return bm.Params(rng.dirichlet(np.full(n_components, 5.0)), means)


def rank(n_components, n_features):
    return np.linalg.matrix_rank(
        identifiability.jacobian(random_params(n_components, n_features)), tol=1e-10
    )


def test_patterns_are_all_of_them_in_order():
    np.testing.assert_array_equal(
        identifiability.patterns(2), [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    )
    assert len(np.unique(identifiability.patterns(5), axis=0)) == 32


@pytest.mark.parametrize(("n_components", "n_features"), [(1, 3), (2, 1), (2, 4), (3, 3)])
def test_the_jacobian_is_that_of_the_pattern_probabilities(n_components, n_features):
    params, h = random_params(n_components, n_features), 1e-6
    patterns = identifiability.patterns(n_features)

    def probabilities(free):
        tail, means = np.split(free, [n_components - 1])
        weights = np.concatenate([[1 - tail.sum()], tail])
        return np.exp(bm.log_prob(bm.Params(weights, means.reshape(n_components, -1)), patterns))

    free = np.concatenate([params.weights[1:], params.means.ravel()])
    numeric = [
        (probabilities(free + h * e) - probabilities(free - h * e)) / (2 * h)
        for e in np.eye(len(free))
    ]
    jacobian = identifiability.jacobian(params)
    np.testing.assert_allclose(jacobian, np.transpose(numeric), atol=1e-9)
    # Probabilities sum to one wherever the parameters go.
    np.testing.assert_allclose(jacobian.sum(axis=0), 0, atol=1e-14)


def test_one_observation_a_latent_identifies_one_number():
    assert rank(2, 1) == 1
    jacobian = identifiability.jacobian(bm.Params([0.7, 0.3], [[0.2], [0.6]]))
    information = jacobian.T @ np.diag(1 / np.array([0.68, 0.32])) @ jacobian
    # The same order as π, μ₀, μ₁.
    expected = bb.fisher_information(bb.Params(0.3, 0.6, 0.2))[np.ix_([0, 2, 1], [0, 2, 1])]
    np.testing.assert_allclose(information, expected, rtol=1e-12)


def test_two_are_not_enough_and_three_are():
    assert rank(2, 2) == 3  # of 5
    assert rank(2, 3) == 7  # of 7
    assert rank(2, 4) == 9  # of 9


def test_observations_with_equal_means_two_are_not_enough_and_three_are():
    """Tie the features: π, μ₁, μ₂ only."""
    for n_features, expected in [(1, 1), (2, 2), (3, 3), (4, 3)]:
        params = bm.Params([0.4, 0.6], np.repeat([[0.2], [0.7]], n_features, axis=1))
        tie = np.zeros((1 + 2 * n_features, 3))
        tie[0, 0] = tie[1 : 1 + n_features, 1] = tie[1 + n_features :, 2] = 1
        jacobian = identifiability.jacobian(params) @ tie
        assert np.linalg.matrix_rank(jacobian, tol=1e-10) == expected


def test_equal_classes_are_never_identified():
    """At μ₁ = μ₂ no weight can be told from another, however many features."""
    params = bm.Params([0.4, 0.6], np.full((2, 5), 0.3))
    assert np.linalg.matrix_rank(identifiability.jacobian(params), tol=1e-10) < 11


def test_the_boundary_is_no_special_case():
    params = bm.Params([0.4, 0.6], [[0.0, 0.5, 1.0], [0.3, 0.2, 0.6]])
    assert np.isfinite(identifiability.jacobian(params)).all()


@pytest.mark.parametrize(
    ("n_features", "error"), [(0, ValueError), (17, ValueError), (2.5, TypeError)]
)
def test_bad_sizes_are_named(n_features, error):
    with pytest.raises(error, match="n_features: got"):
        identifiability.patterns(n_features)
