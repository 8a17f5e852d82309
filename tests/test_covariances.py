"""Every covariance type against NumPy."""

import numpy as np
import pytest

from latent_em.covariances import COVARIANCE_TYPES, FULL, TIED
from latent_em.gaussian_mixture import m_step, moments

K, D, N = 3, 4, 50
TYPES = pytest.mark.parametrize("kind", COVARIANCE_TYPES.values(), ids=COVARIANCE_TYPES)


def random_covariances(kind, rng, n_components=K, n_features=D):
    """Of the type's shape, well conditioned."""
    deviations = rng.standard_normal((n_components, n_features, 3 * n_features + 3))
    nk = np.full(n_components, deviations.shape[2], dtype=float)
    return kind.average(kind.scatter(deviations, np.ones((n_components, int(nk[0])))), nk)


@TYPES
def test_distances_and_determinants_are_those_of_the_matrices(kind):
    rng = np.random.default_rng(0)
    covariances, means = random_covariances(kind, rng), rng.standard_normal((K, D))
    X = rng.standard_normal((D, N))
    assert covariances.shape == kind.shape(K, D)
    matrices = kind.matrices(covariances, K, D)
    U = kind.precisions_cholesky(covariances)
    distances = kind.mahalanobis(U, means)(X)
    for k, matrix in enumerate(matrices):
        apart = X - means[k][:, None]
        expected = np.einsum("dn,dn->n", apart, np.linalg.solve(matrix, apart))
        np.testing.assert_allclose(distances[k], expected, rtol=1e-10)
    half_log_det = np.broadcast_to(kind.half_log_det(U, D), K)
    np.testing.assert_allclose(half_log_det, np.linalg.slogdet(matrices)[1] / 2, rtol=1e-12)
    precisions = kind.matrices(kind.precisions(U), K, D)
    np.testing.assert_allclose(precisions @ matrices, np.stack([np.eye(D)] * K), atol=1e-12)


@TYPES
def test_means_far_from_the_origin_lose_no_digits(kind):
    rng = np.random.default_rng(1)
    U = kind.precisions_cholesky(random_covariances(kind, rng))
    means, X = rng.integers(-9, 9, size=(K, D)), rng.integers(-9, 9, size=(D, N))
    far = kind.mahalanobis(U, means + 2.0**40)(X + 2.0**40)
    np.testing.assert_allclose(far, kind.mahalanobis(U, means)(X), rtol=1e-12)


def test_each_type_keeps_its_part_of_the_full_scatter():
    rng = np.random.default_rng(2)
    X, resp = rng.standard_normal((N, D)), rng.dirichlet(np.ones(K), size=N)
    fit = {name: m_step(moments(X, resp, kind)) for name, kind in COVARIANCE_TYPES.items()}
    full, weights = fit["full"].covariances, fit["full"].weights
    np.testing.assert_allclose(fit["tied"].covariances, np.einsum("k,kij->ij", weights, full))
    np.testing.assert_allclose(fit["diag"].covariances, np.einsum("kii->ki", full))
    np.testing.assert_allclose(fit["spherical"].covariances, np.einsum("kii->k", full) / D)
    for name in COVARIANCE_TYPES:
        np.testing.assert_allclose(fit[name].means, fit["full"].means, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "expected"), [("full", 30), ("tied", 10), ("diag", 12), ("spherical", 3)]
)
def test_free_parameters_are_counted(name, expected):
    assert COVARIANCE_TYPES[name].n_parameters(K, D) == expected


@TYPES
def test_a_covariance_that_is_not_positive_definite_is_named(kind):
    covariances = random_covariances(kind, np.random.default_rng(5))
    which = "got" if kind.name == "tied" else r"component \d has"
    with pytest.raises(ValueError, match=rf"covariances: {which} smallest .* must be positive"):
        kind.precisions_cholesky(-covariances)
    with pytest.raises(ValueError, match=r"covariances: got shape .* must be"):
        kind.check("covariances", covariances, K + 1, D + 1)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_positive_definite_by_rounding_alone_is_not_enough(scale):
    matrix = np.array([[1.0, 1.0], [1.0, 1.0 + 2e-16]])
    np.linalg.cholesky(matrix)  # does not mind
    with pytest.raises(ValueError, match="must be positive definite beyond rounding"):
        FULL.precisions_cholesky((matrix * np.outer([1, scale], [1, scale]))[None])
    FULL.precisions_cholesky(np.diag([1.0, 1e-30])[None])


def test_an_asymmetric_matrix_is_named():
    with pytest.raises(ValueError, match="start: got an asymmetric matrix, must be symmetric"):
        FULL.check("start", [[[1.0, 0.5], [0.0, 1.0]]], 1, 2)


@TYPES
def test_components_tight_against_their_distance_lose_no_digits(kind):
    """Whole multiples of 2⁻³⁰ about 0 and about 1, so that differences are exact."""
    steps = np.array([-2.0, -1.0, 1.0, 2.0])
    X = np.hstack([steps, 2**30 + steps])[None] / 2**30
    means = np.array([[0.0], [1.0]])
    covariances = np.full(kind.shape(2, 1), 9 * 2.0**-60)
    distances = kind.mahalanobis(kind.precisions_cholesky(covariances), means)(X)
    np.testing.assert_allclose(distances[0, :4], steps**2 / 9, rtol=1e-14)
    np.testing.assert_allclose(distances[1, 4:], steps**2 / 9, rtol=1e-14)
    found, scatter = kind.means_and_scatter(X, np.repeat(np.eye(2), 4, axis=1), np.full(2, 4.0))
    np.testing.assert_array_equal(found, means)
    of_each = 10 * 2.0**-60
    of_all = 2 * of_each if kind is TIED else of_each
    np.testing.assert_allclose(np.ravel(scatter), of_all, rtol=1e-14)
