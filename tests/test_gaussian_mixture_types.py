"""Every covariance type as a model for the loop: ascent, invariants, equivariance, limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_em import gaussian_mixture as gm
from latent_em.covariances import COVARIANCE_TYPES, DIAG, FULL, TIED
from latent_em.em import LowerBoundDecreaseWarning, fit_em
from latent_em.inverse_wishart import InverseWishart
from latent_em.weighted import Weighted

TYPES = pytest.mark.parametrize("kind", COVARIANCE_TYPES.values(), ids=COVARIANCE_TYPES)


def random_data(rng, n_components, n_features, n_samples):
    """Clusters of different spreads."""
    centres = 3 * rng.standard_normal((n_components, n_features))
    spreads = rng.uniform(0.3, 1.5, size=(n_components, n_features))
    z = rng.integers(0, n_components, size=n_samples)
    return centres[z] + spreads[z] * rng.standard_normal((n_samples, n_features))


def random_start(rng, X, n_components, kind, prior=None):
    resp = rng.dirichlet(np.ones(n_components), size=len(X))
    return gm.Model(kind, prior).m_step(gm.moments(X, resp, kind))


def assert_a_sound_fit(seed):
    """The bound never falls; weights, covariances and responsibilities are what they must be.

    Returns whether the fit went through: without a prior the likelihood may run to infinity, and
    a component collapse. Until that step all must be well.
    """
    rng = np.random.default_rng(seed)
    kind = list(COVARIANCE_TYPES.values())[seed % 4]
    n_components, n_features = (int(n) for n in rng.integers(1, 5, size=2))
    X = random_data(rng, n_components, n_features, 60 * n_components)
    prior = InverseWishart(np.eye(n_features), n_features + 2) if seed % 3 == 0 else None
    start = random_start(rng, X, n_components, kind, prior)
    model = gm.Model(kind, prior)
    try:
        result, whole = fit_em(model, start, [X], tol=0, max_iter=25), True
    except ValueError as error:
        if prior is not None or "collapses" not in str(error):
            raise
        result, whole = error.em_result, False
    params = result.params
    assert np.diff(result.lower_bounds).min() > -1e-10 * max(len(X), abs(result.lower_bounds[-1]))
    assert params.weights.sum() == pytest.approx(1, abs=1e-12)
    matrices = kind.matrices(params.covariances, n_components, n_features)
    np.testing.assert_array_equal(matrices, matrices.swapaxes(1, 2))
    assert (np.linalg.eigvalsh(matrices) > 0).all()
    resp = gm.responsibilities(params, X, kind)
    np.testing.assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    total = gm.log_likelihood(params, X, kind) + model.global_bound(params)
    assert result.lower_bounds[-1] == pytest.approx(total, rel=1e-12)
    return whole


@pytest.mark.parametrize("seed", range(60))
def test_random_fits_are_sound(seed):
    assert assert_a_sound_fit(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_a_thousand_random_fits_are_sound(block):
    seeds = range(1_000 + 100 * block, 1_100 + 100 * block)
    assert sum(assert_a_sound_fit(seed) for seed in seeds) >= 98


@TYPES
def test_the_densities_are_those_of_the_matrices_written_out(kind):
    rng = np.random.default_rng(0)
    X = random_data(rng, 3, 4, 200)
    params = random_start(rng, X, 3, kind)
    full = params._replace(covariances=kind.matrices(params.covariances, 3, 4))
    np.testing.assert_allclose(gm.log_joint(params, X, kind), gm.log_joint(full, X), rtol=1e-10)
    np.testing.assert_allclose(gm.sample(params, 9, 1, kind)[0], gm.sample(full, 9, 1)[0])


@TYPES
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 149))
def test_however_the_data_are_cut_the_moments_are_the_same(kind, seed, cut):
    rng = np.random.default_rng(seed)
    X = random_data(rng, 3, 3, 150)
    params = random_start(rng, X, 3, kind)
    expected = gm.moments(X, gm.responsibilities(params, X, kind), kind)
    whole, bound, _ = gm.e_step(params, X, None, kind)
    (a, bound_a, _), (b, bound_b, _) = (
        gm.e_step(params, part, None, kind) for part in np.split(X, [cut])
    )
    assert bound == pytest.approx(gm.log_likelihood(params, X, kind), rel=1e-12)
    assert bound_a + bound_b == pytest.approx(bound, rel=1e-12)
    for stats in (whole, a + b):
        for ours, exact in zip(stats[:4], expected[:4], strict=True):
            np.testing.assert_allclose(ours, exact, rtol=1e-9, atol=1e-9)


@TYPES
def test_weights_are_repeated_rows(kind):
    rng = np.random.default_rng(1)
    X = random_data(rng, 2, 3, 80)
    counts = rng.integers(0, 4, size=80)
    start = random_start(rng, X, 2, kind)
    model = gm.Model(kind)
    weighted = fit_em(model, start, [Weighted(X, counts)], tol=1e-6)
    repeated = fit_em(model, start, [np.repeat(X, counts, axis=0)], tol=1e-6)
    assert weighted.n_iter == repeated.n_iter
    np.testing.assert_allclose(weighted.lower_bounds, repeated.lower_bounds, rtol=1e-11)
    for a, b in zip(weighted.params, repeated.params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


@TYPES
@pytest.mark.parametrize("offset", [1e6, 1e8])
def test_data_far_from_the_origin_give_the_same_fit(kind, offset):
    rng = np.random.default_rng(2)
    X = np.round(random_data(rng, 2, 2, 200) * 64) / 64  # so that the offset rounds nothing
    resp = np.eye(2)[(X[:, 0] > np.median(X[:, 0])).astype(int)]
    start = gm.m_step(gm.moments(X, resp, kind))
    near = fit_em(gm.Model(kind), start, [X], tol=1e-8)
    moved = start._replace(means=start.means + offset)
    far = fit_em(gm.Model(kind), moved, [X + offset], tol=1e-8)
    assert far.n_iter == near.n_iter
    np.testing.assert_allclose(far.lower_bounds, near.lower_bounds, rtol=1e-8)
    np.testing.assert_allclose(far.params.means - offset, near.params.means, atol=1e-6)
    np.testing.assert_allclose(far.params.covariances, near.params.covariances, rtol=1e-5)


@TYPES
def test_a_start_far_from_the_data_loses_no_digits(kind):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((100, 2))
    start = random_start(rng, X, 1, kind)
    far = start._replace(means=start.means + 1e7)
    near, away = (gm.m_step(gm.e_step(s, X, None, kind)[0]) for s in (start, far))
    np.testing.assert_allclose(away.covariances, near.covariances, rtol=1e-12)


@TYPES
def test_components_tight_against_their_distance_keep_their_variance(kind):
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1e-7, (200, 1)), rng.normal(0, 1e-7, (200, 1))
    X = np.concatenate([a, b + 2])
    variance = {"tied": (a.var() + b.var()) / 2}.get(kind.name, [a.var(), b.var()])
    resp = np.repeat(np.eye(2), 200, axis=0)
    params = fit_em(gm.Model(kind), gm.m_step(gm.moments(X, resp, kind)), [X], tol=1e-9).params
    np.testing.assert_allclose(np.squeeze(params.covariances), variance, rtol=1e-6)


@TYPES
def test_translation_rescaling_and_permutation_change_the_fit_as_they_must(kind):
    rng = np.random.default_rng(5)
    X = random_data(rng, 2, 3, 150)
    start = random_start(rng, X, 2, kind)
    shift, scale = np.array([3.0, -5.0, 7.0]), 2.5
    columns, rows = rng.permutation(3), rng.permutation(150)

    def moved(params):
        """Of scale · x[columns] + shift."""
        weights, means, covariances = params
        if kind in (FULL, TIED):
            covariances = covariances[..., columns, :][..., columns]
        elif kind is DIAG:
            covariances = covariances[:, columns]
        return gm.Params(weights, scale * means[:, columns] + shift, scale**2 * covariances)

    here = fit_em(gm.Model(kind), start, [X], tol=1e-7)
    there = fit_em(gm.Model(kind), moved(start), [scale * X[rows][:, columns] + shift], tol=1e-7)
    assert here.n_iter == there.n_iter
    for ours, expected in zip(there.params, moved(here.params), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-7, atol=1e-7)
    jacobian = 150 * 3 * np.log(scale)
    np.testing.assert_allclose(there.lower_bounds, here.lower_bounds - jacobian, rtol=1e-9)


@TYPES
def test_a_ridge_can_make_the_bound_fall_and_a_prior_cannot(kind):
    rng = np.random.default_rng(6)
    X = random_data(rng, 2, 2, 200)
    best = fit_em(gm.Model(kind), random_start(rng, X, 2, kind), [X], tol=1e-9).params
    with pytest.warns(LowerBoundDecreaseWarning):
        fit_em(gm.Model(kind, reg_covar=0.5), best, [X], max_iter=1)
    prior = InverseWishart(0.5 * np.eye(2), 4)
    result = fit_em(gm.Model(kind, prior), best, [X], tol=0, max_iter=50)
    assert np.diff(result.lower_bounds).min() > -1e-9


@TYPES
def test_a_prior_keeps_a_component_on_one_point_from_collapsing(kind):
    X = np.array([[0.0], [0.1], [0.2], [0.3], [9.0]])
    start = gm.m_step(gm.moments(X, np.eye(2)[[0, 0, 0, 0, 1]], kind), InverseWishart(np.eye(1), 3))
    with_prior = fit_em(gm.Model(kind, InverseWishart(np.eye(1), 3)), start, [X], tol=1e-9)
    assert np.isfinite(with_prior.lower_bounds).all()
    if kind.name != "tied":
        assert with_prior.params.covariances.ravel()[1] == pytest.approx(1 / 6)
        with pytest.raises(
            ValueError, match=r"component 1 has smallest variance .* must be positive"
        ):
            fit_em(gm.Model(kind), start, [X], tol=1e-9)


@TYPES
def test_a_component_on_one_point_is_named_though_rounding_leaves_it_a_variance(kind):
    X = np.array([[0.1], [0.1], [0.1]])  # whose mean is not 0.1
    stats = gm.moments(X, np.ones((3, 1)), kind)
    if kind in (FULL, TIED):
        assert stats.scatter.sum() > 0
    with pytest.raises(ValueError, match=r"covariances: .* variance .* beyond rounding"):
        gm.m_step(stats)


@pytest.mark.parametrize("kind", [FULL, TIED], ids=["full", "tied"])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_component_on_a_plane_is_named_whatever_the_units(kind, scale):
    x = np.random.default_rng(8).standard_normal((50, 2))
    X = np.column_stack([x, x @ [0.3, 0.7]]) * [1.0, scale, 1.0]
    params = gm.m_step(gm.moments(X, np.ones((50, 1)), kind))
    with pytest.raises(ValueError, match=r"smallest eigenvalue .* beyond rounding"):
        gm.log_joint(params, X, kind)
    params = gm.m_step(gm.moments(x * [1.0, scale], np.ones((50, 1)), kind))
    gm.log_joint(params, x * [1.0, scale], kind)


def test_the_model_is_the_module():
    rng = np.random.default_rng(7)
    X = random_data(rng, 2, 2, 100)
    start = random_start(rng, X, 2, FULL)
    model, module = (fit_em(m, start, [X], tol=1e-6) for m in (gm.Model(), gm))
    np.testing.assert_array_equal(model.lower_bounds, module.lower_bounds)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -1.0], "sample_weight: got -1.0, must not be negative"),
        ([0.0, 0.0], "sample_weight: got zero for every row"),
        ([1.0], r"sample_weight: got shape \(1,\), must be \(2,\)"),
    ],
)
def test_bad_weights_are_named(weights, message):
    params = gm.Params([1.0], [[0.0]], [[[1.0]]])
    with pytest.raises(ValueError, match=message):
        gm.e_step(params, Weighted([[0.0], [1.0]], weights))


@TYPES
def test_weights_count_rows_in_the_likelihood_and_in_bic(kind):
    rng = np.random.default_rng(0)
    X, counts = rng.standard_normal((40, 2)), rng.integers(0, 4, size=40)
    params = gm.m_step(gm.moments(X, rng.dirichlet(np.ones(3), size=40), kind))
    weighted, repeated = Weighted(X, counts), np.repeat(X, counts, axis=0)
    expected = gm.log_prob(params, repeated, kind).sum()
    assert gm.log_likelihood(params, weighted, kind) == pytest.approx(expected, rel=1e-12)
    free = 2 + 6 + kind.n_parameters(3, 2)
    assert gm.degrees_of_freedom(params, kind) == free
    bic = free * np.log(counts.sum()) - 2 * expected
    assert gm.bic(params, weighted, kind) == pytest.approx(bic, rel=1e-12)
    assert gm.bic(params, repeated, kind) == pytest.approx(bic, rel=1e-12)
