"""The Dirichlet distribution: against SciPy, against integrals, and at its limits."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from latent_em import dirichlet

ALPHAS = [[0.3, 0.7], [1.0, 1.0, 1.0], [5.0, 0.01, 2.0, 100.0], [1e4, 3e4]]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_density_entropy_and_mean_are_those_of_scipy(alpha):
    peer = stats.dirichlet(alpha)
    p = np.random.default_rng(0).dirichlet(np.ones(len(alpha)), 20)
    expected = [peer.logpdf(row) for row in p]
    np.testing.assert_allclose(dirichlet.log_prob(alpha, p), expected, rtol=1e-11)
    np.testing.assert_allclose(dirichlet.entropy(alpha), peer.entropy(), rtol=1e-9)
    np.testing.assert_allclose(dirichlet.mean(alpha), peer.mean(), rtol=1e-14)


@pytest.mark.parametrize("a", [(0.6, 0.9), (2.0, 5.0), (30.0, 1.5)])
@pytest.mark.parametrize("b", [(0.6, 0.9), (1.0, 1.0), (4.0, 20.0)])
def test_expected_logarithms_and_divergence_are_integrals(a, b):
    density, other = stats.beta(*a), stats.beta(*b)
    pieces = [(0, 1e-6), (1e-6, 0.5), (0.5, 1 - 1e-6), (1 - 1e-6, 1)]

    def integral(f):
        return sum(quad(lambda p: density.pdf(p) * f(p), *ends, limit=200)[0] for ends in pieces)

    np.testing.assert_allclose(
        dirichlet.expected_log(a), [integral(np.log), integral(lambda p: np.log1p(-p))], rtol=1e-6
    )
    divergence = integral(lambda p: density.logpdf(p) - other.logpdf(p))
    np.testing.assert_allclose(dirichlet.kl(a, b), divergence, rtol=1e-6, atol=1e-8)


def test_divergence_is_zero_for_equals_and_positive_otherwise():
    rng = np.random.default_rng(1)
    a, b = np.exp(rng.normal(0, 3, (2, 200, 5)))
    np.testing.assert_array_equal(dirichlet.kl(a, a), 0)
    assert (dirichlet.kl(a, b) > 0).all()


def test_log_partition_has_the_expected_logarithms_as_gradient():
    alpha, h = np.array([0.4, 2.0, 7.0]), 1e-5
    up, down = alpha + h * np.eye(3), alpha - h * np.eye(3)
    slope = (dirichlet.log_partition(up) - dirichlet.log_partition(down)) / (2 * h)
    np.testing.assert_allclose(dirichlet.expected_log(alpha), slope, rtol=1e-7)


def test_everything_works_along_the_last_axis():
    alpha = np.exp(np.random.default_rng(2).normal(size=(2, 3, 4)))
    for name in ("log_partition", "mean", "expected_log", "entropy"):
        function = getattr(dirichlet, name)
        rows = [[function(row) for row in block] for block in alpha]
        np.testing.assert_allclose(function(alpha), rows, rtol=1e-14)
    assert dirichlet.kl(alpha, alpha[0, 0]).shape == (2, 3)
    assert dirichlet.log_prob(alpha, np.full(4, 0.25)).shape == (2, 3)


def test_density_at_the_edge():
    assert dirichlet.log_prob([2.0, 1.0], [0.0, 1.0]) == -np.inf
    assert dirichlet.log_prob([0.5, 1.0], [0.0, 1.0]) == np.inf
    assert dirichlet.log_prob([1.0, 3.0], [0.0, 1.0]) == pytest.approx(np.log(3))


def test_draws_have_the_mean_and_the_seed_repeats_them():
    alpha = np.array([0.5, 2.0, 4.0])
    draws = dirichlet.sample(alpha, (200, 100), 3)
    assert draws.shape == (200, 100, 3)
    np.testing.assert_allclose(draws.mean(axis=(0, 1)), dirichlet.mean(alpha), atol=0.005)
    np.testing.assert_array_equal(draws, dirichlet.sample(alpha, (200, 100), 3))
    assert dirichlet.sample(alpha, random_state=0).shape == (3,)


@pytest.mark.parametrize("scale", 10.0 ** np.arange(-3, 7))
@pytest.mark.parametrize("n_components", [2, 7, 300])
def test_maximum_likelihood_finds_the_parameters_whatever_their_size(scale, n_components):
    rng = np.random.default_rng(4)
    alpha = scale * np.exp(rng.normal(0, 0.7, n_components))
    rounding = 3e-13 * (1 + scale)  # the mean logarithms hardly depend on a large alpha
    found = dirichlet.maximum_likelihood(dirichlet.expected_log(alpha))
    np.testing.assert_allclose(found, alpha, rtol=rounding)
    t = dirichlet.expected_log(np.full(n_components, scale))
    assert dirichlet.symmetric_maximum_likelihood(t) == pytest.approx(scale, rel=rounding)


def test_maximum_likelihood_where_components_differ_by_many_orders():
    alpha = np.array([1e-3, 1.0, 1e3, 1e6])
    found = dirichlet.maximum_likelihood(dirichlet.expected_log(alpha))
    np.testing.assert_allclose(found, alpha, rtol=1e-6)


def test_maximum_likelihood_climbs_to_the_top():
    """The draws themselves, so no alpha fits their mean logarithms by construction."""
    p = np.random.default_rng(5).dirichlet([0.5, 1.0, 3.0], 50)
    t = np.log(p).mean(axis=0)

    def height(alpha):
        return dirichlet.log_prob(alpha, p).sum()

    best = dirichlet.maximum_likelihood(t)
    shared = dirichlet.symmetric_maximum_likelihood(t)
    for step in 1e-3 * np.vstack([np.eye(3), -np.eye(3), np.ones(3)]):
        assert height(best * (1 + step)) < height(best)
    for factor in (0.999, 1.001):
        assert height(np.full(3, factor * shared)) < height(np.full(3, shared))


def test_symmetric_maximum_likelihood_takes_only_the_mean():
    t = np.array([-3.0, -1.0, -2.0])
    expected = dirichlet.symmetric_maximum_likelihood(np.full(3, -2.0))
    assert dirichlet.symmetric_maximum_likelihood(t) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "fit", [dirichlet.maximum_likelihood, dirichlet.symmetric_maximum_likelihood]
)
@pytest.mark.parametrize("p", [[0.5, 0.5], [0.9, 0.2], [1.0]])
def test_mean_logarithms_that_no_dirichlet_has_are_refused(fit, p):
    with pytest.raises(ValueError, match="mean_log: got exponentials that sum to 1"):
        fit(np.log(p))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("name", ["log_partition", "mean", "expected_log", "entropy", "sample"])
def test_parameters_that_are_not_positive_are_refused(name, bad):
    with pytest.raises(ValueError, match=f"alpha: got {bad}, must be positive and finite"):
        getattr(dirichlet, name)([1.0, bad])


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"alpha: got the number 2.0, must be an array of shape"):
        dirichlet.log_partition(2.0)
    with pytest.raises(ValueError, match=r"b: got -1.0, must be positive"):
        dirichlet.kl([1.0, 1.0], [1.0, -1.0])
    for p in ([0.5, 0.6], [-0.1, 1.1], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="p: got"):
            dirichlet.log_prob([1.0, 1.0], p)
    with pytest.raises(ValueError, match="mean_log: got nan"):
        dirichlet.maximum_likelihood([np.nan, -1.0])
