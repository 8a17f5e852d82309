"""Against scikit-learn: equal where it is right, and right where it is not."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer

from latent_em import GaussianMixture
from latent_em.datasets import load_old_faithful
from latent_em.em import LowerBoundDecreaseWarning

TYPES = ["full", "tied", "diag", "spherical"]
STARTS = ["kmeans", "random", "k-means++", "random_from_data"]
OLD_FAITHFUL = np.column_stack(load_old_faithful())  # with 16 repeated rows

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::latent_em.em.LowerBoundDecreaseWarning",
)


def two_clusters(offset=0.0):
    """On a grid of 1/64, which an offset of up to 1e8 does not round."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (150, 2)), rng.normal(4, 1.5, (150, 2))])
    return np.round(64 * X) / 64 + offset


def assert_equal_fits(ours, peer, X, atol=1e-6):
    for name in ("weights_", "means_", "covariances_"):
        expected = getattr(peer, name)
        scale = max(1, np.abs(expected).max())
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=0, atol=atol * scale)
    for name in ("precisions_", "precisions_cholesky_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(peer, name), rtol=1e-4, atol=atol)
    assert (ours.n_iter_, ours.converged_) == (peer.n_iter_, peer.converged_)
    # Those of scikit-learn begin at the start, and lack that of the parameters returned.
    np.testing.assert_allclose(ours.lower_bounds_[1:-1], peer.lower_bounds_[1:], atol=atol)
    np.testing.assert_array_equal(ours.predict(X), peer.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(ours.score_samples(X), peer.score_samples(X), rtol=1e-5, atol=1e-5)
    assert ours.bic(X) == pytest.approx(peer.bic(X), rel=1e-6)
    assert ours.aic(X) == pytest.approx(peer.aic(X), rel=1e-6)


@pytest.mark.parametrize("seed", range(80))
def test_from_the_same_start_after_the_same_steps(seed):
    rng = np.random.default_rng(seed)
    n_components, n_features = (int(n) for n in rng.integers(1, 5, size=2))
    centres = 3 * rng.standard_normal((n_components, n_features))
    z = rng.integers(0, n_components, size=int(rng.integers(25, 60)) * n_components)
    X = centres[z] + rng.uniform(0.3, 1.5, centres.shape)[z] * rng.standard_normal((len(z), 1))
    X += 0.3 * rng.standard_normal(X.shape)
    if seed % 3 == 0:
        X = np.round(X, 1)
    if seed % 4 == 0:
        X = np.concatenate([X, X[:10]])
    if seed % 5 == 0:
        X = np.column_stack([X, np.full(len(X), 2.5)])
    options = {
        "covariance_type": TYPES[seed % 4],
        # A tied start from single samples is no start of scikit-learn's: it depends on the origin.
        "init_params": STARTS[rng.integers(2 if seed % 4 == 1 else 4)],
        "max_iter": int(rng.integers(1, 25)),
        "tol": float(rng.choice([0, 1e-3, 1e-6])),
        "reg_covar": float(rng.choice([1e-6, 1e-3, 0.1])),
        "random_state": seed,
    }
    ours = GaussianMixture(n_components, **options).fit(X)
    assert_equal_fits(ours, Peer(n_components, **options).fit(X), X)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_from_a_start_that_is_given(covariance_type):
    X = two_clusters()
    first = Peer(2, covariance_type=covariance_type, random_state=0, max_iter=1).fit(X)
    options = {
        "covariance_type": covariance_type,
        "weights_init": [0.3, 0.7],
        "means_init": first.means_ + 1,
        "precisions_init": first.precisions_ / 2,
        "tol": 1e-7,
    }
    ours, peer = (cls(2, **options).fit(X) for cls in (GaussianMixture, Peer))
    assert_equal_fits(ours, peer, X)
    assert ours.n_iter_ > 5
    partly = {**options, "weights_init": None, "precisions_init": None, "random_state": 0}
    ours, peer = (cls(2, **partly).fit(X) for cls in (GaussianMixture, Peer))
    assert_equal_fits(ours, peer, X)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_digits_with_three_constant_columns(covariance_type):
    X = load_digits().data[:600]
    assert (np.ptp(X, axis=0) == 0).sum() >= 3
    options = {"covariance_type": covariance_type, "max_iter": 5, "random_state": 0}
    ours, peer = (cls(5, **options).fit(X) for cls in (GaussianMixture, Peer))
    assert_equal_fits(ours, peer, X)


@pytest.mark.parametrize("max_iter", [1, 2, 7])
def test_a_warm_start_stops_at_the_same_step(max_iter):
    options = {"warm_start": True, "max_iter": max_iter, "tol": 1e-4, "random_state": 0}
    ours, peer = GaussianMixture(3, **options), Peer(3, **options)
    fits = []
    while not fits or not fits[-1][1]:
        ours.fit(OLD_FAITHFUL)
        peer.fit(OLD_FAITHFUL)
        fits.append((ours.n_iter_, ours.converged_))
        assert fits[-1] == (peer.n_iter_, peer.converged_)
    assert sum(n_iter for n_iter, _ in fits) > 10
    assert_equal_fits(ours, peer, OLD_FAITHFUL)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("offset", [1e6, 1e8])
def test_data_far_from_the_origin(covariance_type, offset):
    """scikit-learn's diag, spherical and tied never converge at 1e6 and raise at 1e8."""
    options = {"covariance_type": covariance_type, "tol": 1e-8, "max_iter": 500, "random_state": 0}
    near = GaussianMixture(2, **options).fit(two_clusters())
    far = GaussianMixture(2, **options).fit(two_clusters(offset))
    assert far.converged_
    assert far.n_iter_ == near.n_iter_
    np.testing.assert_allclose(far.covariances_, near.covariances_, rtol=1e-5)
    np.testing.assert_allclose(far.means_ - offset, near.means_, atol=1e-6)
    np.testing.assert_allclose(far.lower_bounds_, near.lower_bounds_, rtol=1e-6)


@pytest.mark.parametrize("init_params", STARTS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_starts_do_not_depend_on_the_origin(covariance_type, init_params):
    """scikit-learn's tied start from single samples does, and its k-means++ at large offsets."""
    options = {"covariance_type": covariance_type, "init_params": init_params, "max_iter": 0}
    near, far = (
        GaussianMixture(2, random_state=0, **options).fit(two_clusters(offset))
        for offset in (0, 1e8)
    )
    np.testing.assert_allclose(far.means_ - 1e8, near.means_, atol=1e-6)
    np.testing.assert_allclose(far.covariances_, near.covariances_, rtol=1e-6)


@pytest.mark.parametrize("max_iter", [0, 1, 3, 100])
def test_the_bound_is_that_of_the_parameters_returned(max_iter):
    """scikit-learn's is that of the step before, and −∞ if there was none."""
    ours = GaussianMixture(3, max_iter=max_iter, random_state=0).fit(OLD_FAITHFUL)
    assert ours.lower_bound_ == pytest.approx(ours.score(OLD_FAITHFUL), rel=1e-13)
    assert ours.lower_bounds_[-1] == ours.lower_bound_
    assert len(ours.lower_bounds_) == ours.n_iter_ + 1


def test_the_best_start_is_that_with_the_best_parameters():
    """scikit-learn chooses by the bound of the step before."""
    options = {"max_iter": 2, "init_params": "random_from_data"}
    rng = np.random.RandomState(0)
    single = [GaussianMixture(3, random_state=rng, **options).fit(OLD_FAITHFUL) for _ in range(8)]
    several = GaussianMixture(3, n_init=8, random_state=0, **options).fit(OLD_FAITHFUL)
    assert several.lower_bound_ == pytest.approx(max(s.lower_bound_ for s in single), rel=1e-13)
    assert np.ptp([s.lower_bound_ for s in single]) > 1e-3


def test_a_ridge_that_makes_the_bound_fall_is_told_and_a_prior_does_not():
    """scikit-learn hides the fall in the absolute value of the change."""
    X = OLD_FAITHFUL
    best = GaussianMixture(2, reg_covar=0, tol=1e-9, random_state=0).fit(X)
    start = {
        "weights_init": best.weights_,
        "means_init": best.means_,
        "precisions_init": best.precisions_,
    }
    with pytest.warns(LowerBoundDecreaseWarning, match="reg_covar=0.5 is added after each M-step"):
        ridge = GaussianMixture(2, reg_covar=0.5, **start).fit(X)
    assert np.diff(ridge.lower_bounds_).min() < -1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Peer(2, reg_covar=0.5, **start).fit(X)
        prior = GaussianMixture(2, covariance_prior=0.5, tol=1e-9, max_iter=500, **start).fit(X)
    assert np.diff(prior.lower_bounds_).min() > -1e-13


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_default_ridge_is_quiet(covariance_type):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LowerBoundDecreaseWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        for X in (OLD_FAITHFUL, load_digits().data[:400]):
            GaussianMixture(4, covariance_type=covariance_type, random_state=0).fit(X)


def test_a_seed_does_not_repeat_one_sample_for_ever():
    """scikit-learn's sample is the same at every call."""
    ours = GaussianMixture(2, random_state=0).fit(OLD_FAITHFUL)
    (first, _), (second, _) = ours.sample(20), ours.sample(20)
    assert not np.array_equal(first, second)
    again = GaussianMixture(2, random_state=0).fit(OLD_FAITHFUL)
    np.testing.assert_array_equal(again.sample(20)[0], first)
    np.testing.assert_array_equal(again.sample(20)[0], second)


def test_what_is_given_stays_as_it_was():
    """scikit-learn puts its own arrays in the place of what was given."""
    X, weights, means = OLD_FAITHFUL.copy(), [0.4, 0.6], [[2, 54], [4, 80]]
    precisions, prior = [[[1, 0], [0, 1]]] * 2, [1.0, 2.0]
    ours = GaussianMixture(
        2,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
        covariance_prior=prior,
    )
    before = ours.get_params()
    ours.fit(X)
    assert ours.get_params() == before
    assert ours.weights_init is weights
    assert ours.means_init is means
    assert ours.precisions_init is precisions
    assert ours.covariance_prior is prior
    np.testing.assert_array_equal(X, OLD_FAITHFUL)


def test_covariances_of_a_start_that_is_given_are_there_without_a_step():
    """scikit-learn leaves None."""
    X = two_clusters()
    best = GaussianMixture(2, random_state=0).fit(X)
    start = GaussianMixture(
        2,
        max_iter=0,
        weights_init=best.weights_,
        means_init=best.means_,
        precisions_init=best.precisions_,
    ).fit(X)
    np.testing.assert_allclose(start.covariances_, best.covariances_, rtol=1e-9)
    assert start.lower_bound_ == pytest.approx(best.lower_bound_, rel=1e-12)
