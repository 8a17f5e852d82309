"""Missing entries: against brute force, and against complete data when none is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from latent_em import gaussian_mixture as gm
from latent_em import incomplete_mixture as im
from latent_em.em import fit_em
from latent_em.weighted import Weighted


def random_params(rng, n_components, n_features):
    roots = rng.standard_normal((n_components, n_features, n_features + 2))
    return gm.Params(
        rng.dirichlet(np.full(n_components, 5.0)),
        3 * rng.standard_normal((n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) / n_features,
    )


def with_gaps(X, rng, share=0.3):
    return np.where(rng.random(X.shape) < share, np.nan, X)


def densities(params, x):
    """π_k p(x_o | k), one marginal normal at a time."""
    seen = ~np.isnan(x)
    return np.array(
        [
            weight * multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).pdf(x[seen])
            if seen.any()
            else weight
            for weight, mean, covariance in zip(*params, strict=True)
        ]
    )


def test_likelihood_and_responsibilities_are_those_of_what_was_seen():
    rng = np.random.default_rng(0)
    params = random_params(rng, 3, 4)
    X = with_gaps(gm.sample(params, 60, rng)[0], rng)
    X[0] = np.nan
    expected = np.stack([densities(params, x) for x in X])
    np.testing.assert_allclose(im.log_prob(params, X), np.log(expected.sum(axis=1)), atol=1e-10)
    assert im.log_prob(params, X)[0] == pytest.approx(0, abs=1e-12)
    resp = im.responsibilities(params, X)
    np.testing.assert_allclose(resp, expected / expected.sum(axis=1, keepdims=True), atol=1e-12)
    _, bound, _ = im.e_step(params, X)
    assert bound == pytest.approx(np.log(expected.sum(axis=1)).sum(), rel=1e-12)
    assert im.log_likelihood(params, X) == pytest.approx(bound, rel=1e-12)


def test_nothing_missing_is_the_complete_mixture():
    rng = np.random.default_rng(1)
    params = random_params(rng, 3, 4)
    X, _ = gm.sample(params, 200, rng)
    start = gm.m_step(gm.moments(X, rng.dirichlet(np.ones(3), size=200)))
    ours, complete = (fit_em(model, start, [X], tol=0, max_iter=8) for model in (im, gm))
    np.testing.assert_allclose(ours.lower_bounds, complete.lower_bounds, rtol=1e-12)
    for a, b in zip(ours.params, complete.params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(im.complete(params, X), X)


def test_weights_are_repeated_rows():
    rng = np.random.default_rng(2)
    params = random_params(rng, 2, 3)
    X = with_gaps(gm.sample(params, 100, rng)[0], rng)
    counts = rng.integers(0, 4, size=100)
    weighted, repeated = Weighted(X, counts), np.repeat(X, counts, axis=0)
    ours, other = (
        fit_em(im, params, [chunk], tol=1e-4, max_iter=50) for chunk in (weighted, repeated)
    )
    assert ours.n_iter == other.n_iter > 1
    np.testing.assert_allclose(ours.lower_bounds, other.lower_bounds, rtol=1e-11)
    np.testing.assert_allclose(ours.params.covariances, other.params.covariances, rtol=1e-8)
    total = im.log_likelihood(ours.params, weighted)
    assert total == pytest.approx(ours.lower_bounds[-1], rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 3), share=st.floats(0.05, 0.5))
def test_the_bound_never_falls_and_chunks_do_not_show(seed, k, share):
    rng = np.random.default_rng(seed)
    params = random_params(rng, k, 3)
    X = with_gaps(gm.sample(params, 80 * k, rng)[0], rng, share)
    X[0] = np.nan
    start = gm.m_step(gm.moments(np.nan_to_num(X), rng.dirichlet(np.ones(k), size=len(X))))
    whole = fit_em(im, start, [X], tol=0, max_iter=10)
    assert np.diff(whole.lower_bounds).min() > -1e-8
    assert whole.lower_bounds[-1] == pytest.approx(im.log_likelihood(whole.params, X))
    pieces = fit_em(im, start, [X[:17], X[17:]], tol=0, max_iter=10)
    np.testing.assert_allclose(pieces.lower_bounds, whole.lower_bounds, rtol=1e-9)
    np.testing.assert_allclose(pieces.params.covariances, whole.params.covariances, atol=1e-6)


def test_a_step_beats_every_neighbour_in_the_expected_log_joint():
    """Q(θ, θ_old) by drawing the missing entries from the conditional distribution."""
    rng = np.random.default_rng(3)
    params = random_params(rng, 2, 2)
    X = with_gaps(gm.sample(params, 40, rng)[0], rng)
    best = im.m_step(im.e_step(params, X)[0])
    draws = []
    for x, mixture in zip(X, im.conditional(params, X), strict=True):
        drawn, z = gm.sample(mixture, 4_000, rng)
        full = np.repeat(x[None], 4_000, axis=0)
        full[:, np.isnan(x)] = drawn
        draws.append((full, z))
    full, z = (np.concatenate(part) for part in zip(*draws, strict=True))
    np.testing.assert_allclose(np.bincount(z) / len(z), best.weights, atol=0.01)
    for k in range(2):
        scale = np.sqrt(np.diag(best.covariances[k]))
        np.testing.assert_allclose(
            full[z == k].mean(axis=0), best.means[k], atol=0.03 * scale.max()
        )
        covariance = np.cov(full[z == k].T, bias=True)
        np.testing.assert_allclose(covariance, best.covariances[k], atol=0.05 * scale.max() ** 2)


def test_the_conditional_is_the_joint_over_the_marginal():
    rng = np.random.default_rng(4)
    params = random_params(rng, 3, 4)
    X = gm.sample(params, 5, rng)[0]
    gaps = X.copy()
    gaps[:, [1, 3]] = np.nan
    for x, gap, mixture in zip(X, gaps, im.conditional(params, gaps), strict=True):
        expected = gm.log_prob(params, x[None])[0] - im.log_prob(params, gap[None])[0]
        assert gm.log_prob(mixture, x[None, [1, 3]])[0] == pytest.approx(expected, abs=1e-9)
    mixtures = im.conditional(params, gaps)
    assert mixtures[0].covariances is mixtures[4].covariances
    mean = np.stack([m.weights @ m.means for m in mixtures])
    np.testing.assert_allclose(im.complete(params, gaps)[:, [1, 3]], mean, rtol=1e-12)
    np.testing.assert_array_equal(im.complete(params, gaps)[:, [0, 2]], X[:, [0, 2]])


def test_rows_of_which_all_or_nothing_is_missing():
    params = random_params(np.random.default_rng(5), 2, 3)
    nothing_seen, all_seen = im.conditional(params, [[np.nan] * 3, [0.0, 1.0, 2.0]])
    for a, b in zip(nothing_seen, params, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert all_seen.means.shape == (2, 0)


def test_missing_at_random_is_recovered_where_dropping_rows_is_not():
    """Rows are cut where the first entry is large: dropping them biases the second."""
    params = gm.Params(np.ones(1), np.zeros((1, 2)), np.array([[[1.0, 0.9], [0.9, 1.0]]]))
    X, _ = gm.sample(params, 4_000, 6)
    gaps = X.copy()
    gaps[X[:, 0] > 0, 1] = np.nan
    fitted = fit_em(im, params._replace(means=np.ones((1, 2))), [gaps], tol=1e-10).params
    assert np.nanmean(gaps[:, 1]) < -0.5
    assert fitted.means[0, 1] == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[0.0, np.inf]], r"X: got inf at \(0, 1\), must be finite"),
        ([[0.0]], r"X: got shape \(1, 1\), must be \(n_samples, 2\)"),
        (np.empty((0, 2)), "X: got no samples"),
    ],
)
def test_bad_input_is_named(X, message):
    params = random_params(np.random.default_rng(7), 2, 2)
    for function in (im.e_step, im.log_likelihood, im.conditional, im.complete):
        with pytest.raises(ValueError, match=message):
            function(params, X)
