"""The core of the Bernoulli mixture: against SciPy, against published fits, at the boundary."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bernoulli, beta

from latent_em import bernoulli_mixture as bm
from latent_em.bernoulli_mixture import Boundary
from latent_em.datasets import load_carcinoma
from latent_em.em import fit_em
from latent_em.weighted import Weighted

CARCINOMA = Weighted(*load_carcinoma())


def random_params(rng, n_components, n_features):
    means = rng.uniform(0.05, 0.95, size=(n_components, n_features))
    return bm.Params(rng.dirichlet(np.full(n_components, 5.0)), means)


def restarts(n_components, n_starts, **options):
    """Fits of the carcinoma ratings from random starts, the best first."""
    rng = np.random.default_rng(n_components)
    starts = [bm.random_start(n_components, 7, rng) for _ in range(n_starts)]
    fits = [fit_em(bm, start, [CARCINOMA], max_iter=20_000, **options) for start in starts]
    return sorted(fits, key=lambda fit: -fit.lower_bounds[-1])


@pytest.mark.parametrize(("n_components", "n_features"), [(1, 1), (3, 5), (4, 2)])
def test_log_joint_is_the_product_of_scipys_bernoulli(n_components, n_features):
    rng = np.random.default_rng(0)
    params = random_params(rng, n_components, n_features)
    X, _ = bm.sample(params, 40, rng)
    factors = bernoulli.logpmf(X[:, np.newaxis, :].astype(int), params.means)
    expected = np.log(params.weights) + factors.sum(axis=2)
    np.testing.assert_allclose(bm.log_joint(params, X), expected, rtol=1e-12)
    log_prob = np.logaddexp.reduce(expected, axis=1)
    np.testing.assert_allclose(bm.log_prob(params, X), log_prob, rtol=1e-12)
    assert bm.log_likelihood(params, X) == pytest.approx(log_prob.sum())
    resp = np.exp(expected - log_prob[:, np.newaxis])
    np.testing.assert_allclose(bm.responsibilities(params, X), resp, rtol=1e-10)


def test_ten_thousand_features_do_not_underflow():
    n_features = 10_000
    rng = np.random.default_rng(1)
    means = np.stack([np.full(n_features, 0.5), rng.uniform(0.3, 0.7, n_features)])
    params = bm.Params(np.array([0.5, 0.5]), means)
    X, z = bm.sample(params, 40, rng)
    log_joint = bm.log_joint(params, X)
    fair = math.log(0.5) - n_features * math.log(2)
    np.testing.assert_allclose(log_joint[:, 0], fair, rtol=1e-12)
    exact = [
        math.log(0.5) + math.fsum(np.log(np.where(row == 1, means[1], 1 - means[1])).tolist())
        for row in X
    ]
    np.testing.assert_allclose(log_joint[:, 1], exact, rtol=1e-13)
    resp = bm.responsibilities(params, X)
    np.testing.assert_array_equal(resp.argmax(axis=1), z)
    np.testing.assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    result = fit_em(bm, params, [X[:11], X[11:]], tol=1e-9)
    assert result.converged
    assert -7000 * 40 < result.lower_bounds[0] < result.lower_bounds[-1] < 0


def test_means_on_the_boundary_exclude_what_differs_and_nothing_else():
    params = bm.Params(np.array([0.5, 0.5]), np.array([[0.0, 1.0, 0.5], [0.25, 0.5, 0.5]]))
    X = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        np.exp(bm.log_joint(params, X)),
        [[0.25, 0.75 / 8], [0, 0.25 / 8], [0, 0.75 / 8]],
        rtol=1e-14,
    )
    np.testing.assert_allclose(bm.responsibilities(params, X)[1:], [[0, 1], [0, 1]])
    alone = bm.Params([1.0], [[0.0, 1.0]])
    np.testing.assert_array_equal(bm.log_prob(alone, [[0, 1], [1, 1]]), [0, -np.inf])
    no_weight = bm.Params([1.0, 0.0], [[0.5], [0.5]])
    np.testing.assert_array_equal(bm.log_joint(no_weight, [[1]])[0, 1], -np.inf)


def test_a_feature_that_never_changes_has_a_mean_of_exactly_zero_or_one():
    rng = np.random.default_rng(2)
    resp = rng.dirichlet(np.ones(2), size=2000)
    for value in (0.0, 1.0):
        alone = bm.m_step(bm.counts(np.full((2000, 1), value), resp))
        np.testing.assert_array_equal(alone.means, value)
    X = np.column_stack([np.ones(50), np.zeros(50), rng.integers(0, 2, size=(50, 3))])
    params = fit_em(bm, random_params(rng, 3, 5), [X[:20], X[20:]], tol=1e-8).params
    np.testing.assert_array_equal(params.means[:, 0], 1)
    np.testing.assert_array_equal(params.means[:, 1], 0)
    assert np.isfinite(bm.log_prob(params, X)).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_components=st.integers(1, 4),
    n_features=st.integers(1, 6),
    cut=st.integers(1, 39),
)
def test_e_step_gives_the_counts_however_the_data_are_cut(seed, n_components, n_features, cut):
    rng = np.random.default_rng(seed)
    params = random_params(rng, n_components, n_features)
    X, _ = bm.sample(params, 40, rng)
    resp = bm.responsibilities(params, X)
    whole, bound, _ = bm.e_step(params, X)
    (a, bound_a, _), (b, bound_b, _) = bm.e_step(params, X[:cut]), bm.e_step(params, X[cut:])
    assert bound == pytest.approx(bm.log_likelihood(params, X))
    assert bound_a + bound_b == pytest.approx(bound)
    for stats in (whole, bm.Counts(*map(np.add, a, b))):
        assert stats.n_samples == pytest.approx(40)
        np.testing.assert_allclose(stats.nk, resp.sum(axis=0), rtol=1e-10)
        np.testing.assert_allclose(stats.ones, np.einsum("nk,nd->kd", resp, X), atol=1e-10)
        np.testing.assert_allclose(stats.zeros, np.einsum("nk,nd->kd", resp, 1 - X), atol=1e-10)


def test_the_m_step_is_a_weighted_mean_and_beats_every_neighbour():
    rng = np.random.default_rng(3)
    X = rng.integers(0, 2, size=(40, 3)).astype(float)
    resp = rng.dirichlet(np.ones(2), size=40)
    best = bm.m_step(bm.counts(X, resp))
    np.testing.assert_allclose(best.weights, resp.mean(axis=0), rtol=1e-13)
    for k in range(2):
        np.testing.assert_allclose(best.means[k], np.average(X, axis=0, weights=resp[:, k]))
    for _ in range(100):
        weights = best.weights * np.exp(1e-3 * rng.standard_normal(2))
        means = best.means * np.exp(1e-3 * rng.standard_normal((2, 3)))
        moved = bm.Params(weights / weights.sum(), means)
        assert (resp * bm.log_joint(moved, X)).sum() < (resp * bm.log_joint(best, X)).sum()


@pytest.mark.parametrize(
    ("n_components", "published", "df", "n_starts", "share"),
    [
        (1, -524.4648, 7, 3, 1.0),
        (2, -317.2568, 15, 10, 1.0),
        (3, -293.705, 23, 20, 0.5),
        (4, -289.2858, 31, 10, 0.1),
    ],
)
def test_carcinoma_fits_are_the_published_ones(n_components, published, df, n_starts, share):
    """Agresti (2002), table 13.2; poLCA. From K = 3 on, some starts end lower."""
    fits = restarts(n_components, n_starts, tol=1e-9)
    best = fits[0].lower_bounds[-1]
    assert best == pytest.approx(published, abs=1e-4)
    assert all(fit.converged for fit in fits)
    assert np.mean([fit.lower_bounds[-1] > best - 1e-3 for fit in fits]) >= share
    assert (fits[-1].lower_bounds[-1] < best - 1) == (n_components > 2)
    assert bm.degrees_of_freedom(fits[0].params) == df
    assert bm.bic(fits[0].params, CARCINOMA) == pytest.approx(
        df * math.log(118) - 2 * published, abs=2e-4
    )


def test_three_classes_of_carcinoma():
    """Shares of poLCA; every estimate on the boundary is named (Agresti 2002, table 13.3)."""
    params = restarts(3, 5, tol=1e-12)[0].params
    order = np.argsort(params.weights)
    params = bm.Params(params.weights[order], params.means[order])
    np.testing.assert_allclose(params.weights, [0.1817, 0.3736, 0.4447], atol=5e-5)
    np.testing.assert_allclose(
        params.means[0], [0.5128, 1, 0, 0.0576, 0.7506, 0, 0.6307], atol=5e-5
    )
    assert bm.boundary_estimates(params) == [
        Boundary(0, 1, 1),
        Boundary(0, 2, 0),
        Boundary(0, 5, 0),
        Boundary(1, 2, 0),
        Boundary(1, 3, 0),
        Boundary(1, 5, 0),
        Boundary(1, 6, 0),
        Boundary(2, 0, 1),
        Boundary(2, 4, 1),
        Boundary(2, 6, 1),
    ]


def test_bic_chooses_three_classes():
    best = [bm.bic(restarts(k, 5, tol=1e-7)[0].params, CARCINOMA) for k in (1, 2, 3, 4)]
    assert np.argmin(best) == 2


def test_a_table_fits_as_its_rows_repeated():
    rows = np.repeat(CARCINOMA.X, CARCINOMA.sample_weight.astype(int), axis=0)
    start = bm.random_start(3, 7, 5)
    table = fit_em(bm, start, [CARCINOMA], tol=1e-8)
    repeated = fit_em(bm, start, [rows[:50], rows[50:]], tol=1e-8)
    assert table.n_iter == repeated.n_iter
    np.testing.assert_allclose(table.lower_bounds, repeated.lower_bounds, rtol=1e-12)
    np.testing.assert_allclose(table.params.means, repeated.params.means, atol=1e-9)
    assert bm.bic(start, CARCINOMA) == pytest.approx(bm.bic(start, rows))


def test_a_beta_prior_keeps_estimates_inside_and_its_posterior_rises():
    model = bm.BetaPrior(2, 1.5)
    result = fit_em(model, bm.random_start(3, 7, 6), [CARCINOMA], tol=1e-10)
    assert (np.diff(result.lower_bounds) > -1e-9).all()
    assert bm.boundary_estimates(result.params, atol=1e-3) == []
    log_prior = beta(2, 1.5).logpdf(result.params.means).sum()
    assert model.global_bound(result.params) == pytest.approx(log_prior, rel=1e-12)
    assert result.lower_bounds[-1] == pytest.approx(
        bm.log_likelihood(result.params, CARCINOMA) + log_prior
    )
    stats, _, _ = model.e_step(result.params, CARCINOMA)
    np.testing.assert_allclose(
        model.m_step(stats).means, (stats.ones + 1) / (stats.nk[:, np.newaxis] + 1.5), rtol=1e-12
    )


def test_a_flat_prior_changes_nothing():
    start = bm.random_start(3, 7, 7)
    flat = fit_em(bm.BetaPrior(1, 1), start, [CARCINOMA], tol=1e-7)
    plain = fit_em(bm, start, [CARCINOMA], tol=1e-7)
    np.testing.assert_array_equal(flat.lower_bounds, plain.lower_bounds)


def test_samples_have_the_shares_of_the_mixture():
    params = random_params(np.random.default_rng(8), 3, 4)
    X, z = bm.sample(params, 100_000, 9)
    np.testing.assert_allclose(np.bincount(z) / len(z), params.weights, atol=0.01)
    for k in range(3):
        np.testing.assert_allclose(X[z == k].mean(axis=0), params.means[k], atol=0.02)
    np.testing.assert_array_equal(bm.sample(params, 5, 1)[0], bm.sample(params, 5, 1)[0])
    rng = np.random.default_rng(1)
    assert not np.array_equal(bm.sample(params, 9, rng)[0], bm.sample(params, 9, rng)[0])


def test_a_random_start_is_inside_and_follows_its_seed():
    a, b = bm.random_start(3, 4, 1), bm.random_start(3, 4, 2)
    np.testing.assert_array_equal(a.weights, [1 / 3] * 3)
    assert ((a.means > 0) & (a.means < 1)).all()
    np.testing.assert_array_equal(a.means, bm.random_start(3, 4, 1).means)
    assert not np.array_equal(a.means, b.means)


GOOD = bm.Params([0.4, 0.6], [[0.1, 0.2], [0.3, 0.4]])


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        (GOOD, [[1, 2]], r"X: got 2.0 at \(0, 1\), must be 0 or 1"),
        (GOOD, [[0, 0.5]], r"X: got 0.5 at \(0, 1\), must be 0 or 1"),
        (GOOD, [[0, np.nan]], r"X: got nan at \(0, 1\), must be finite"),
        (GOOD, [0, 1], r"X: got shape \(2,\), must be \(n_samples, 2\)"),
        (GOOD, [[0, 1, 1]], r"X: got shape \(1, 3\), must be \(n_samples, 2\)"),
        (GOOD, np.empty((0, 2)), "X: got no samples, must be at least one"),
        (GOOD._replace(weights=[0.4, 0.5]), [[0, 1]], "weights: got a sum of 0.9"),
        (GOOD._replace(weights=[-0.4, 1.4]), [[0, 1]], "weights: got -0.4, must not be neg"),
        (GOOD._replace(means=[[0.1, 0.2]]), [[0, 1]], r"means: got shape \(1, 2\), must be \(2"),
        (
            GOOD._replace(means=[[0.1, 1.2], [0, 0]]),
            [[0, 1]],
            r"means: got 1.2 at \(0, 1\), must be from 0 to 1",
        ),
        (
            bm.Params([0.5, 0.5], [[0.0, 0.5], [0.0, 0.5]]),
            [[0, 0], [1, 0]],
            "X: got sample 1, which every class excludes",
        ),
    ],
)
def test_bad_input_is_named(params, X, message):
    with pytest.raises(ValueError, match=message):
        bm.e_step(params, X)


def test_other_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"a: got 0\.5, must be a finite number of at least 1"):
        fit_em(bm.BetaPrior(0.5, 1), GOOD, [np.eye(2)])
    with pytest.raises(ValueError, match="b: got 0, must be a finite number of at least 1"):
        fit_em(bm.BetaPrior(1, 0), GOOD, [np.eye(2)])
    with pytest.raises(ValueError, match="n_components: got 0, must be at least 1"):
        bm.random_start(0, 3, 1)
    with pytest.raises(ValueError, match="n_samples: got 0, must be at least 1"):
        bm.sample(GOOD, 0, 1)
    with pytest.raises(ValueError, match="atol: got -1"):
        bm.boundary_estimates(GOOD, atol=-1)


def test_an_empty_class_is_named():
    with pytest.raises(ValueError, match=r"components \[1\] have lost all their samples"):
        fit_em(bm, bm.Params([0.5, 0.5], [[0.5], [0.0]]), [np.ones((3, 1))])


def test_blocks_of_rows_do_not_show():
    rng = np.random.default_rng(5)
    X = (rng.random((3000, 70)) < 0.4).astype(float)  # 936 rows to a block
    X[:, 3] = 1
    params = bm.random_start(3, 70, rng)
    stats, bound, _ = bm.e_step(params, X)
    resp = bm.responsibilities(params, X)
    np.testing.assert_allclose(stats.ones, resp.T @ X, rtol=1e-12)
    np.testing.assert_allclose(stats.zeros, resp.T @ (1 - X), rtol=1e-12)
    assert bound == pytest.approx(bm.log_prob(params, X).sum(), rel=1e-13)
    means = params.means.copy()
    means[:, 0] = 1
    X[:, 0], X[2500, 0] = 1, 0
    with pytest.raises(ValueError, match="X: got sample 2500, which every class excludes"):
        bm.e_step(params._replace(means=means), X)


def test_zeros_that_are_rare_are_counted_to_all_digits():
    X = np.ones((4, 1))
    X[0] = 0
    tiny = 2.0**-60
    stats = bm.counts(X, np.array([[tiny], [1.0], [1.0], [1.0]]))
    assert stats.zeros[0, 0] == tiny
