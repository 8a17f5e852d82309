"""The normal distribution with missing entries: densities, closed forms, a saddle point."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from latent_em import incomplete_normal
from latent_em.datasets import load_murray, load_old_faithful
from latent_em.em import fit_em
from latent_em.incomplete_normal import Params

NAN = np.nan


def random_params(rng, n_features):
    root = rng.normal(size=(n_features, n_features + 2))
    return Params(rng.normal(size=n_features), root @ root.T)


def with_gaps(rng, params, n_samples, share=0.3):
    X = rng.multivariate_normal(*params, size=n_samples)
    X[rng.uniform(size=X.shape) < share] = NAN
    return X


def fit(X, mean=None, covariance=None, **options):
    n_features = X.shape[1]
    mean = np.zeros(n_features) if mean is None else mean
    covariance = np.eye(n_features) if covariance is None else covariance
    return fit_em(incomplete_normal, Params(mean, covariance), [X], **options)


def test_log_prob_is_the_marginal_density_of_what_was_seen():
    rng = np.random.default_rng(0)
    params = random_params(rng, 4)
    X = with_gaps(rng, params, 60, share=0.5)
    assert np.isnan(X).all(axis=1).any()
    expected = []
    for x in X:
        o = np.flatnonzero(~np.isnan(x))
        moments = params.mean[o], params.covariance[np.ix_(o, o)]
        expected.append(multivariate_normal.logpdf(x[o], *moments) if o.size else 0.0)
    np.testing.assert_allclose(incomplete_normal.complete(params, X).log_prob, expected, rtol=1e-10)
    assert incomplete_normal.log_likelihood(params, X) == pytest.approx(sum(expected))


def test_gaps_are_filled_from_the_regression_on_what_was_seen():
    params = Params(np.array([1.0, 2.0]), np.array([[4.0, 3.0], [3.0, 9.0]]))
    X = np.array([[NAN, 5.0], [3.0, NAN], [1.0, 1.0], [NAN, NAN]])
    completion = incomplete_normal.complete(params, X)
    expected = [[1 + 3 / 9 * 3, 5], [3, 2 + 3 / 4 * 2], [1, 1], [1, 2]]
    np.testing.assert_allclose(completion.X, expected, rtol=1e-14)
    spread = [[4 - 9 / 9 + 4, 3], [3, 9 - 9 / 4 + 9]]
    np.testing.assert_allclose(completion.covariance, spread, rtol=1e-14)
    assert np.isnan(X[0, 0])


def test_complete_data_take_one_step_to_the_mean_and_covariance():
    X = np.column_stack(load_old_faithful())
    result = fit(X, max_iter=1)
    np.testing.assert_allclose(result.params.mean, X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(result.params.covariance, np.cov(X.T, bias=True), rtol=1e-12)


def test_a_monotone_pattern_reaches_the_closed_form():
    """One column complete: regress the other on it where both are seen (Anderson 1957)."""
    X = np.column_stack(load_old_faithful())
    X[X[:, 0] > 4, 1] = NAN  # missing at random: it depends on what is seen
    both = X[~np.isnan(X[:, 1])]
    slope = np.cov(both.T, bias=True)[0, 1] / both[:, 0].var()
    residual = np.var(both[:, 1] - slope * both[:, 0])
    mean, variance = X[:, 0].mean(), X[:, 0].var()
    result = fit(X, mean=np.array([3.0, 70.0]), covariance=np.diag([1.0, 100.0]), tol=1e-14)
    params = result.params
    np.testing.assert_allclose(params.mean[0], mean, rtol=1e-12)
    np.testing.assert_allclose(
        params.mean[1], both[:, 1].mean() + slope * (mean - both[:, 0].mean()), rtol=1e-5
    )
    np.testing.assert_allclose(
        params.covariance,
        [[variance, slope * variance], [slope * variance, residual + slope**2 * variance]],
        rtol=1e-5,
    )
    # The complete rows alone miss the long eruptions, and say 62 minutes where all rows say 71.
    assert both[:, 1].mean() < params.mean[1] - 5


def test_murray_from_zero_correlation_stops_at_the_saddle_point():
    """Murray (1977): variances 5/2 at correlation 0; maxima 8/3 at ±1/2."""
    saddle = fit(load_murray(), tol=1e-15)
    np.testing.assert_allclose(saddle.params.covariance, [[2.5, 0], [0, 2.5]], atol=1e-6)
    assert saddle.converged
    for sign in (-1, 1):
        start = np.array([[1.0, 0.01 * sign], [0.01 * sign, 1.0]])
        best = fit(load_murray(), covariance=start, tol=1e-15)
        off = sign * 8 / 3 / 2
        np.testing.assert_allclose(best.params.covariance, [[8 / 3, off], [off, 8 / 3]], rtol=1e-5)
        assert best.lower_bounds[-1] > saddle.lower_bounds[-1] + 0.05


def test_the_bound_never_falls_and_the_cut_does_not_matter():
    rng = np.random.default_rng(1)
    for n_features in (1, 2, 4):
        X = with_gaps(rng, random_params(rng, n_features), 80)
        start = Params(np.zeros(n_features), np.eye(n_features))
        whole = fit_em(incomplete_normal, start, [X], tol=0, max_iter=20)
        parts = fit_em(incomplete_normal, start, [X[:17], X[17:]], tol=0, max_iter=20)
        assert (np.diff(whole.lower_bounds) > -1e-9).all()
        np.testing.assert_allclose(whole.lower_bounds, parts.lower_bounds, rtol=1e-11)
        np.testing.assert_allclose(whole.params.covariance, parts.params.covariance, rtol=1e-9)


def test_data_far_from_the_origin_lose_no_digits():
    rng = np.random.default_rng(2)
    X = with_gaps(rng, random_params(rng, 2), 80)
    near = fit(X, tol=1e-9)
    far = fit(X + 1e8, mean=np.full(2, 1e8), tol=1e-9)
    np.testing.assert_allclose(far.params.covariance, near.params.covariance, rtol=1e-6)


GOOD = Params(np.zeros(2), np.eye(2))


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        (GOOD, [[np.inf, 1.0]], r"X: got inf at \(0, 0\), must be finite"),
        (GOOD, [[1.0, 2.0, 3.0]], r"X: got shape \(1, 3\), must be \(n_samples, 2\)"),
        (GOOD, np.empty((0, 2)), "X: got no samples"),
        (Params([0.0, NAN], np.eye(2)), [[1.0, 1.0]], r"mean: got nan at \(1,\)"),
        (Params(np.zeros(2), np.eye(3)), [[1.0, 1.0]], r"covariance: got shape \(3, 3\)"),
        (Params(np.zeros(2), [[1, 2], [0, 1]]), [[1.0, 1.0]], "covariance: got an asymmetric"),
        (Params(np.zeros(2), [[1, 2], [2, 1]]), [[1.0, 1.0]], "smallest eigenvalue -1, must be p"),
    ],
)
def test_bad_input_is_named(params, X, message):
    with pytest.raises(ValueError, match=message):
        incomplete_normal.e_step(params, X)
