"""The prior: its density is that of SciPy, and the M-step its maximum."""

import numpy as np
import pytest
from scipy.stats import invwishart

from latent_em.covariances import COVARIANCE_TYPES, FULL
from latent_em.gaussian_mixture import m_step, moments
from latent_em.inverse_wishart import InverseWishart, inverse_wishart

K, D = 3, 4
TYPES = pytest.mark.parametrize("kind", COVARIANCE_TYPES.values(), ids=COVARIANCE_TYPES)


def random_covariances(kind, rng, n_components, n_features):
    """Of the type's shape, well conditioned."""
    deviations = rng.standard_normal((n_components, n_features, 3 * n_features + 3))
    nk = np.full(n_components, deviations.shape[2], dtype=float)
    return kind.average(kind.scatter(deviations, np.ones((n_components, int(nk[0])))), nk)


@TYPES
@pytest.mark.parametrize("n_features", [1, D])
def test_the_m_step_with_a_prior_beats_every_neighbour(kind, n_features):
    rng = np.random.default_rng(3)
    X, resp = rng.standard_normal((60, n_features)), rng.dirichlet(np.ones(K), size=60)
    root = rng.standard_normal((n_features, 2 * n_features))
    prior = InverseWishart(root @ root.T, n_features + 1.5)
    stats = moments(X, resp, kind)
    best = m_step(stats, prior)

    def log_posterior(covariances):
        U = kind.precisions_cholesky(covariances)
        distances = kind.mahalanobis(U, best.means)(X.T)
        log_likelihood = -stats.nk @ np.broadcast_to(kind.half_log_det(U, n_features), K)
        log_likelihood -= (resp.T * distances).sum() / 2
        return log_likelihood + prior.log_density(covariances, kind)

    at_best = log_posterior(best.covariances)
    for _ in range(50):
        other = random_covariances(kind, rng, K, n_features)
        for step in (1e-3, -1e-3):
            assert log_posterior(best.covariances + step * (other - best.covariances)) < at_best


def test_the_prior_is_the_inverse_wishart_up_to_a_constant():
    rng = np.random.default_rng(4)
    prior = InverseWishart(np.diag([1.0, 2.0, 3.0]) + 0.5, 6.5)
    covariances = random_covariances(FULL, rng, 20, 3)
    exact = [invwishart(6.5, prior.scale).logpdf(matrix) for matrix in covariances]
    ours = [prior.log_density(matrix[None], FULL) for matrix in covariances]
    assert np.ptp(exact) > 1
    assert np.ptp(np.subtract(exact, ours)) < 1e-10
    assert prior.log_density(covariances, FULL) == pytest.approx(sum(ours))


def test_the_prior_comes_from_a_number_a_diagonal_or_a_matrix():
    expected = inverse_wishart(0.5 * np.eye(3), 3)
    assert expected.degrees_of_freedom == 5
    for given in (0.5, [0.5, 0.5, 0.5]):
        np.testing.assert_array_equal(inverse_wishart(given, 3).scale, expected.scale)
    assert inverse_wishart(1.0, 3, 2.5).pseudo_count == 6.5


@pytest.mark.parametrize(
    ("prior", "degrees", "message"),
    [
        ([1.0, 2.0, 3.0], None, r"covariance_prior: got shape \(3,\), must be \(2,\)"),
        (np.eye(3), None, r"covariance_prior: got shape \(3, 3\), must be \(2, 2\)"),
        ([[1.0, 0.5], [0.0, 1.0]], None, "covariance_prior: got an asymmetric matrix"),
        ([[1.0, 2.0], [2.0, 1.0]], None, "covariance_prior: got smallest eigenvalue -1, must be"),
        (
            0.0,
            None,
            "covariance_prior: got smallest eigenvalue 0, must be .* beyond rounding$",
        ),
        (np.nan, None, "covariance_prior: got nan"),
        (1.0, 1.0, "degrees_of_freedom_prior: got 1.0, must be more than n_features - 1 = 1"),
    ],
)
def test_a_bad_prior_is_named(prior, degrees, message):
    with pytest.raises(ValueError, match=message):
        inverse_wishart(prior, 2, degrees)
