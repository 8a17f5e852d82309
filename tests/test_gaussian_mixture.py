"""The core of the Gaussian mixture: against SciPy, against published fits, at its limits."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from latent_em import gaussian_mixture as gm
from latent_em.datasets import load_old_faithful
from latent_em.em import fit_em


def random_params(rng, n_components, n_features, spread=3.0):
    roots = rng.standard_normal((n_components, n_features, n_features + 2))
    return gm.Params(
        rng.dirichlet(np.full(n_components, 5.0)),
        spread * rng.standard_normal((n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) / n_features,
    )


def waiting_times():
    return load_old_faithful().waiting[:, np.newaxis]


def start_1d(weights, means, sigmas):
    return gm.Params(
        np.array(weights), np.array(means)[:, None], np.square(sigmas)[:, None, None].astype(float)
    )


def bic(result, X, df):
    """mclust's sign: larger is better."""
    return 2 * result.lower_bounds[-1] - df * np.log(len(X))


@pytest.mark.parametrize(("n_components", "n_features"), [(1, 1), (3, 1), (2, 3), (5, 4)])
def test_log_joint_is_the_density_of_scipy(n_components, n_features):
    rng = np.random.default_rng(1)
    params = random_params(rng, n_components, n_features)
    X, _ = gm.sample(params, 300, rng)
    expected = np.stack(
        [
            np.log(weight) + multivariate_normal(mean, covariance).logpdf(X)
            for weight, mean, covariance in zip(*params, strict=True)
        ],
        axis=1,
    )
    np.testing.assert_allclose(gm.log_joint(params, X), expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        gm.log_likelihood(params, X), np.logaddexp.reduce(expected, axis=1).sum(), rtol=1e-12
    )


def test_responsibilities_are_the_posterior_by_bayes_rule():
    rng = np.random.default_rng(2)
    params = random_params(rng, 3, 2)
    X, _ = gm.sample(params, 50, rng)
    joint = np.exp(gm.log_joint(params, X))
    resp = gm.responsibilities(params, X)
    np.testing.assert_allclose(resp, joint / joint.sum(axis=1, keepdims=True), rtol=1e-12)


def test_responsibilities_survive_where_densities_underflow():
    params = start_1d([0.5, 0.5], [0.0, 1.0], [1e-3, 1e-3])
    resp = gm.responsibilities(params, np.array([[1e4], [-1e4]]))
    np.testing.assert_array_equal(resp, [[0, 1], [1, 0]])


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_components=st.integers(1, 4),
    n_features=st.integers(1, 4),
    cut=st.integers(1, 199),
)
def test_e_step_gives_the_moments_however_the_data_are_cut(seed, n_components, n_features, cut):
    rng = np.random.default_rng(seed)
    params = random_params(rng, n_components, n_features)
    X, _ = gm.sample(params, 200, rng)
    expected = gm.moments(X, gm.responsibilities(params, X))
    whole, bound, _ = gm.e_step(params, X)
    (a, bound_a, _), (b, bound_b, _) = gm.e_step(params, X[:cut]), gm.e_step(params, X[cut:])
    np.testing.assert_allclose(bound, gm.log_likelihood(params, X), rtol=1e-12)
    np.testing.assert_allclose(bound_a + bound_b, bound, rtol=1e-12)
    for stats in (whole, a + b):
        assert stats.n_samples == 200
        np.testing.assert_allclose(stats.nk, expected.nk, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(stats.means, expected.means, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(stats.scatter, expected.scatter, rtol=1e-7, atol=1e-7)


def test_m_step_is_the_weighted_mean_and_covariance_of_numpy():
    rng = np.random.default_rng(3)
    X, resp = rng.standard_normal((40, 3)), rng.dirichlet(np.ones(2), size=40)
    params = gm.m_step(gm.moments(X, resp))
    for k in range(2):
        np.testing.assert_allclose(params.weights[k], resp[:, k].mean())
        np.testing.assert_allclose(params.means[k], np.average(X, axis=0, weights=resp[:, k]))
        np.testing.assert_allclose(
            params.covariances[k], np.cov(X.T, aweights=resp[:, k], bias=True), rtol=1e-12
        )


def test_m_step_beats_every_neighbour():
    rng = np.random.default_rng(4)
    X, resp = rng.standard_normal((60, 2)), rng.dirichlet(np.ones(3), size=60)
    best = gm.m_step(gm.moments(X, resp))

    def expected_log_joint(params):
        return (resp * gm.log_joint(params, X)).sum()

    for _ in range(200):
        shift = rng.standard_normal(2) * 1e-3
        factor = np.eye(2) + 1e-3 * rng.standard_normal((2, 2))
        weights = best.weights * np.exp(1e-3 * rng.standard_normal(3))
        moved = gm.Params(
            weights / weights.sum(), best.means + shift, factor @ best.covariances @ factor.T
        )
        assert expected_log_joint(moved) < expected_log_joint(best)


def test_fit_of_the_waiting_times_is_the_published_one():
    """mixtools vignette, unequal σ: stopped at a gain of 1e-8, so 4e-5 from the limit.

    T. Benaglia, D. Chauveau, D. R. Hunter and D. S. Young (2009), Journal of Statistical
    Software 32(6).
    """
    start = start_1d([0.5, 0.5], [55.0, 80.0], [5.0, 5.0])
    params, bounds, converged, *_ = fit_em(gm, start, [waiting_times()], tol=1e-13)
    sigmas = np.sqrt(params.covariances[:, 0, 0])
    assert converged
    np.testing.assert_allclose(params.weights[0], 0.360887, atol=2e-6)
    np.testing.assert_allclose(params.means[:, 0], [54.61489, 80.09109], atol=4e-5)
    np.testing.assert_allclose(sigmas, [5.87124, 5.86772], atol=4e-5)
    assert (np.diff(bounds) > -1e-9).all()


def test_a_common_sigma_takes_the_published_path():
    """mixtools vignette: 9 steps from λ = 1/2, μ = (55, 80), σ = 5 to a gain below 1e-8."""

    def m_step(stats):
        params = gm.m_step(stats)
        pooled = stats.scatter.sum(axis=0) / stats.n_samples
        return params._replace(covariances=np.stack([pooled] * 2))

    model = SimpleNamespace(e_step=gm.e_step, m_step=m_step, global_bound=gm.global_bound)
    start = start_1d([0.5, 0.5], [55.0, 80.0], [5.0, 5.0])
    result = fit_em(model, start, [waiting_times()], tol=1e-8 / 272)
    assert result.n_iter == 9
    np.testing.assert_allclose(result.params.weights[0], 0.36085, atol=5e-6)
    np.testing.assert_allclose(result.params.means[:, 0], [54.61364, 80.09031], atol=5e-6)
    np.testing.assert_allclose(result.params.covariances[:, 0, 0], 5.86909**2, atol=1e-4)
    np.testing.assert_allclose(result.lower_bounds[-1], -1034.002, atol=5e-4)


@pytest.mark.parametrize(("n_components", "published"), [(1, -2607.623), (2, -2322.192)])
def test_bic_of_old_faithful_is_that_of_mclust(n_components, published):
    X = np.column_stack(load_old_faithful())
    order = np.argsort(X[:, 1])
    resp = np.zeros((272, n_components))
    for k, rows in enumerate(np.array_split(order, n_components)):
        resp[rows, k] = 1
    result = fit_em(gm, gm.m_step(gm.moments(X, resp)), [X], tol=1e-11)
    assert bic(result, X, 6 * n_components - 1) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("offset", [1e6, 1e8])
def test_data_far_from_the_origin_give_the_same_fit(offset):
    X = waiting_times()
    start = start_1d([0.5, 0.5], [55.0, 80.0], [5.0, 5.0])
    near = fit_em(gm, start, [X[:100], X[100:]], tol=1e-9)
    moved = start._replace(means=start.means + offset)
    far = fit_em(gm, moved, [X[:100] + offset, X[100:] + offset], tol=1e-9)
    assert far.n_iter == near.n_iter
    np.testing.assert_allclose(far.lower_bounds, near.lower_bounds, rtol=1e-9)
    np.testing.assert_allclose(far.params.covariances, near.params.covariances, rtol=1e-5)


def test_components_tight_against_their_distance_keep_their_variance():
    rng = np.random.default_rng(5)
    X = np.concatenate([rng.normal(0, 1e-7, (200, 1)), rng.normal(2, 1e-7, (200, 1))])
    exact = [X[:200].var(), X[200:].var()]
    start = start_1d([0.5, 0.5], [0.0, 2.0], [1e-6, 1e-6])
    params = fit_em(gm, start, [X], tol=1e-9).params
    np.testing.assert_allclose(params.covariances[:, 0, 0], exact, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 4), d=st.integers(1, 3))
def test_the_bound_never_falls_and_the_invariants_hold(seed, k, d):
    rng = np.random.default_rng(seed)
    X, _ = gm.sample(random_params(rng, k, d), 60 * k, rng)
    resp = rng.dirichlet(np.ones(k), size=len(X))
    try:
        result = fit_em(gm, gm.m_step(gm.moments(X, resp)), [X], tol=0, max_iter=25)
    except ValueError as error:  # a likelihood that runs to infinity: all was well until then
        result = error.em_result
        assume(result.n_iter > 0)
    assert np.diff(result.lower_bounds).min() > -1e-8
    assert result.params.weights.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_array_equal(
        result.params.covariances, result.params.covariances.transpose(0, 2, 1)
    )
    assert (np.linalg.eigvalsh(result.params.covariances) > 0).all()
    np.testing.assert_allclose(gm.responsibilities(result.params, X).sum(axis=1), 1, rtol=1e-12)
    assert result.lower_bounds[-1] == pytest.approx(gm.log_likelihood(result.params, X))


def test_samples_have_the_moments_of_the_mixture():
    params = random_params(np.random.default_rng(6), 3, 2)
    X, z = gm.sample(params, 200_000, 7)
    share = np.bincount(z, minlength=3) / len(z)
    np.testing.assert_allclose(share, params.weights, atol=4 * 0.5 / np.sqrt(len(z)))
    for k in range(3):
        own = X[z == k]
        scale = np.abs(params.covariances[k]).max()
        tolerance = 5 * np.sqrt(scale / len(own))
        np.testing.assert_allclose(own.mean(axis=0), params.means[k], atol=tolerance)
        np.testing.assert_allclose(np.cov(own.T), params.covariances[k], rtol=0, atol=0.05 * scale)


def test_a_seed_repeats_the_sample_and_a_generator_moves_on():
    params = random_params(np.random.default_rng(8), 2, 2)
    np.testing.assert_array_equal(gm.sample(params, 5, 1)[0], gm.sample(params, 5, 1)[0])
    rng = np.random.default_rng(1)
    assert not np.array_equal(gm.sample(params, 5, rng)[0], gm.sample(params, 5, rng)[0])


GOOD = start_1d([0.4, 0.6], [0.0, 1.0], [1.0, 1.0])
X3 = np.array([[0.0], [1.0], [2.0]])


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        (GOOD, [[0.0], [np.nan]], r"X: got nan at \(1, 0\), must be finite"),
        (GOOD, [[np.inf]], r"X: got inf at \(0, 0\)"),
        (GOOD, [0.0, 1.0], r"X: got shape \(2,\), must be \(n_samples, 1\); one feature is"),
        (GOOD, [[0.0, 1.0]], r"X: got shape \(1, 2\), must be \(n_samples, 1\)"),
        (GOOD, np.empty((0, 1)), r"X: got no samples, must be at least one"),
        (GOOD._replace(weights=[0.5, 0.6]), X3, "weights: got a sum of 1.1, must sum to 1"),
        (GOOD._replace(weights=[-0.5, 1.5]), X3, "weights: got -0.5, must not be negative"),
        (GOOD._replace(means=np.zeros((3, 1))), X3, r"means: got shape \(3, 1\), must be \(2, n"),
        (GOOD._replace(covariances=np.ones((2, 1))), X3, r"covariances: got shape \(2, 1\)"),
        (GOOD._replace(covariances=[[[1.0]], [[-1.0]]]), X3, "covariances: component 1 has"),
    ],
)
def test_bad_input_is_named(params, X, message):
    with pytest.raises(ValueError, match=message):
        gm.e_step(params, X)
    with pytest.raises(ValueError, match=message):
        gm.log_likelihood(params, X)


def test_asymmetric_covariances_are_refused():
    params = gm.Params([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.0, 1.0]]])
    with pytest.raises(ValueError, match="covariances: got an asymmetric matrix"):
        gm.log_joint(params, [[0.0, 0.0]])


def test_an_empty_component_is_named():
    far = start_1d([0.5, 0.5], [1.0, 1e6], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"components \[1\] have lost all their samples"):
        fit_em(gm, far, [X3])


def test_a_collapsing_component_is_named_and_the_fit_survives():
    start = start_1d([0.5, 0.5], [0.0, 50.0], [8.0, 10.0])
    X = np.array([[0.0], [0.0], [40.0], [50.0], [60.0]])
    with pytest.raises(ValueError, match="component 0 has smallest eigenvalue") as caught:
        fit_em(gm, start, [X])
    assert caught.value.em_result.n_iter >= 1
