"""The scikit-learn estimator: its conventions, mclust's values, and every refusal."""

import pickle
import subprocess
import sys
import warnings
from importlib import import_module

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import latent_em
from latent_em import BernoulliMixture, GaussianMixture
from latent_em import gaussian_mixture as core
from latent_em.covariances import COVARIANCE_TYPES
from latent_em.datasets import load_old_faithful
from latent_em.em import fit_em
from latent_em.inverse_wishart import inverse_wishart

TYPES = ["full", "tied", "diag", "spherical"]
STARTS = ["kmeans", "random", "k-means++", "random_from_data"]
OLD_FAITHFUL = np.column_stack(load_old_faithful())
TWO = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [9.0, 8.0], [8.0, 9.0], [9.0, 9.0]])


def expected_failures(estimator):
    """Weights are repeated rows from the same start; k-means draws others from repeated rows."""
    check = "check_sample_weight_equivalence_on_dense_data"
    return {check: "k-means starts otherwise"} if estimator.n_components > 1 else {}


@parametrize_with_checks(
    [GaussianMixture(k, covariance_type=name) for k in (1, 3) for name in TYPES],
    expected_failed_checks=expected_failures,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_importing_the_package_does_not_load_scikit_learn():
    program = (
        "import sys, latent_em, latent_em.gaussian_mixture;"
        "assert 'GaussianMixture' in dir(latent_em);"
        "assert not any(name.startswith('sklearn') for name in sys.modules);"
        "assert latent_em.GaussianMixture.__name__ == 'GaussianMixture'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="module 'latent_em' has no attribute 'Mixture'"):
        _ = latent_em.Mixture


# BIC and ICL, with mclust's sign: the maximum next to the start from k-means, by mclust 6.0.0,
# me(data, modelName, z, control=emControl(tol=1e-14)) with VVV, EEE, VVI, VII.
# L. Scrucca, M. Fop, T. B. Murphy and A. E. Raftery (2016), The R Journal 8(1), 289–317.
MCLUST = {
    ("faithful", 1): (-2607.6225, -2607.6225, -3055.8349, -4024.7215),
    ("faithful", 2): (-2322.1917, -2325.2199, -2346.0649, -3458.2992),
    ("faithful", 3): (-2333.7266, -2314.2957, -2342.1183, -3336.5327),
    ("iris", 1): (-829.9782, -829.9782, -1522.1202, -1804.0854),
    ("iris", 2): (-574.0178, -688.0972, -857.5515, -1012.2352),
    ("iris", 3): (-580.8389, -632.9633, None, -853.8090),
}
MCLUST_ICL = {
    ("faithful", 2): (-2322.7047, -2326.7094, -2346.1608, -3460.8767),
    ("iris", 2): (-574.0191, -688.0985, -857.5515, -1012.2352),
    ("iris", 3): (-584.0455, -637.7945, None, -860.9007),
}


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize(("data", "n_components"), MCLUST)
def test_bic_and_icl_are_those_of_mclust(data, n_components, covariance_type):
    X = {"faithful": OLD_FAITHFUL, "iris": load_iris().data}[data]
    options = {"tol": 1e-9, "reg_covar": 0, "max_iter": 1000, "random_state": 0}
    mixture = GaussianMixture(n_components, covariance_type=covariance_type, **options).fit(X)
    column = TYPES.index(covariance_type)
    bic = MCLUST[data, n_components][column]
    if bic is not None:  # where k-means leads to another maximum
        assert -mixture.bic(X) == pytest.approx(bic, abs=2e-4)
    icl = MCLUST_ICL.get((data, n_components), [None] * 4)[column]
    if icl is not None:
        assert -mixture.icl(X) == pytest.approx(icl, abs=2e-3)
    assert mixture.icl(X) >= mixture.bic(X)


def test_aic_counts_every_parameter_once():
    mixture = GaussianMixture(2, random_state=0).fit(OLD_FAITHFUL)
    log_likelihood = mixture.score(OLD_FAITHFUL) * 272
    assert mixture.aic(OLD_FAITHFUL) == pytest.approx(2 * 11 - 2 * log_likelihood, rel=1e-12)
    assert mixture.bic(OLD_FAITHFUL) == pytest.approx(
        11 * np.log(272) - 2 * log_likelihood, rel=1e-12
    )


@pytest.mark.parametrize("covariance_type", TYPES)
def test_it_is_the_core_and_a_last_step(covariance_type):
    kind = COVARIANCE_TYPES[covariance_type]
    mixture = GaussianMixture(2, covariance_type=covariance_type, max_iter=0, random_state=0)
    start = mixture.fit(OLD_FAITHFUL)._params
    model = core.Model(kind, reg_covar=1e-6)
    expected = fit_em(model, start, [OLD_FAITHFUL], tol=1e-6)
    mixture.set_params(max_iter=200, tol=1e-6).fit(OLD_FAITHFUL)
    assert mixture.n_iter_ == expected.n_iter + 1
    np.testing.assert_allclose(mixture.lower_bounds_[:-1], expected.lower_bounds / 272, rtol=1e-14)
    last = model.m_step(model.e_step(expected.params, OLD_FAITHFUL)[0])
    for ours, exact in zip(mixture._params, last, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-12)


@pytest.mark.parametrize("estimator", [GaussianMixture, BernoulliMixture])
@pytest.mark.parametrize("max_iter", [0, 1, 2, 100])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_n_steps_cost_n_plus_one_e_steps_and_one_bar(estimator, max_iter, monkeypatch, capsys):
    module, calls = import_module(f"latent_em.{estimator.__module__.split('.')[-1]}"), []
    e_step = module.e_step
    monkeypatch.setattr(module, "e_step", lambda *args: (calls.append(None), e_step(*args))[1])
    mixture = estimator(2, max_iter=max_iter, tol=1e-3, random_state=0, verbose=1)
    for _ in range(2):  # the second goes on
        calls.clear()
        mixture.fit(OLD_FAITHFUL - 60)
        assert len(calls) == mixture.n_iter_ + 1
        assert capsys.readouterr().err.count("\n") == 1
        mixture.set_params(warm_start=True)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_methods_agree_with_one_another_and_with_the_core(covariance_type):
    mixture = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    labels = mixture.fit_predict(OLD_FAITHFUL)
    np.testing.assert_array_equal(labels, mixture.predict(OLD_FAITHFUL))
    resp = mixture.predict_proba(OLD_FAITHFUL)
    np.testing.assert_array_equal(labels, resp.argmax(axis=1))
    kind, params = COVARIANCE_TYPES[covariance_type], mixture._params
    np.testing.assert_array_equal(resp, core.responsibilities(params, OLD_FAITHFUL, kind))
    log_prob = mixture.score_samples(OLD_FAITHFUL)
    np.testing.assert_array_equal(log_prob, core.log_prob(params, OLD_FAITHFUL, kind))
    assert mixture.score(OLD_FAITHFUL) == pytest.approx(log_prob.mean(), rel=1e-13)
    X, z = mixture.sample(40_000)
    assert X.shape == (40_000, 2)
    np.testing.assert_allclose(np.bincount(z) / 40_000, mixture.weights_, atol=0.015)
    np.testing.assert_allclose(X.mean(axis=0), OLD_FAITHFUL.mean(axis=0), rtol=0.01)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_weights_are_repeated_rows_from_the_same_start(covariance_type):
    counts = np.random.default_rng(0).integers(0, 4, size=272)
    start = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(OLD_FAITHFUL)
    options = {
        "covariance_type": covariance_type,
        "weights_init": start.weights_,
        "means_init": start.means_ + 1,
        "precisions_init": start.precisions_,
        "tol": 1e-6,
    }
    weighted = GaussianMixture(2, **options).fit(OLD_FAITHFUL, sample_weight=counts)
    repeated = GaussianMixture(2, **options).fit(np.repeat(OLD_FAITHFUL, counts, axis=0))
    assert weighted.n_iter_ == repeated.n_iter_
    np.testing.assert_allclose(weighted.lower_bounds_, repeated.lower_bounds_, rtol=1e-11)
    np.testing.assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-8)


@pytest.mark.parametrize("init_params", STARTS)
def test_weights_of_one_are_no_weights_and_of_zero_no_rows(init_params):
    options = {"init_params": init_params, "random_state": 0}
    if init_params == "random_from_data":  # where probabilities are drawn from otherwise
        options = {"means_init": OLD_FAITHFUL[[0, 1]], "random_state": 0}
    plain = GaussianMixture(2, **options).fit(OLD_FAITHFUL)
    ones = GaussianMixture(2, **options).fit(OLD_FAITHFUL, sample_weight=np.ones(272))
    np.testing.assert_allclose(ones.means_, plain.means_, rtol=1e-9)
    more = np.concatenate([OLD_FAITHFUL, 100 + OLD_FAITHFUL])
    zeros = GaussianMixture(2, **options).fit(more, sample_weight=np.repeat([2.0, 0.0], 272))
    np.testing.assert_allclose(zeros.means_, plain.means_, rtol=1e-9)
    assert zeros.lower_bound_ == pytest.approx(plain.lower_bound_, rel=1e-9)


@pytest.mark.parametrize("init_params", STARTS)
def test_a_start_can_be_drawn_from_weighted_rows(init_params):
    weights = np.where(OLD_FAITHFUL[:, 1] > 68, 1.0, 1e-12)
    start = GaussianMixture(2, init_params=init_params, max_iter=0, random_state=0)
    start.fit(OLD_FAITHFUL, sample_weight=weights)
    assert (start.means_[:, 1] > 68).all()


@pytest.mark.parametrize("covariance_type", TYPES)
def test_with_a_prior_the_log_posterior_climbs(covariance_type):
    prior = {"covariance_prior": [0.1, 10.0], "degrees_of_freedom_prior": 5.0}
    options = {"covariance_type": covariance_type, "tol": 0, "max_iter": 60, "random_state": 0}
    mixture = GaussianMixture(4, reg_covar=9.0, **prior, **options)  # a ridge of no effect
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(OLD_FAITHFUL)
    assert np.diff(mixture.lower_bounds_).min() > -1e-13
    kind = COVARIANCE_TYPES[covariance_type]
    log_prior = inverse_wishart([0.1, 10.0], 2, 5.0).log_density(mixture.covariances_, kind)
    assert mixture.lower_bound_ == pytest.approx(mixture.score(OLD_FAITHFUL) + log_prior / 272)


def test_a_prior_keeps_a_likelihood_that_runs_to_infinity_finite():
    X = np.concatenate([np.random.default_rng(0).normal(size=(50, 1)), [[7.0]]])
    options = {
        "weights_init": [0.98, 0.02],
        "means_init": [[0.0], [7.0]],
        "precisions_init": [[[1.0]], [[1e4]]],
    }
    with pytest.raises(ValueError, match="component 1 has smallest variance 0"):
        GaussianMixture(2, reg_covar=0, **options).fit(X)
    mixture = GaussianMixture(2, covariance_prior=0.2, tol=1e-9, **options).fit(X)
    # (Ψ + scatter) / (ν + D + 1 + N_k), with ν = D + 2 and one sample of no scatter.
    assert mixture.covariances_[1, 0, 0] == pytest.approx(0.2 / (3 + 1 + 1 + 1), rel=1e-3)


def test_a_warm_start_goes_on_where_it_stopped():
    options = {"tol": 0, "random_state": 0}
    warm = GaussianMixture(3, max_iter=5, warm_start=True, **options)
    whole = GaussianMixture(3, max_iter=10, **options)
    for mixture in (warm, warm, whole):
        with pytest.warns(ConvergenceWarning, match="did not converge to tol=0 in max_iter="):
            mixture.fit(OLD_FAITHFUL)
    np.testing.assert_allclose(warm.means_, whole.means_, rtol=1e-12)
    np.testing.assert_allclose(warm.lower_bounds_, whole.lower_bounds_[5:], rtol=1e-13)
    with pytest.raises(ValueError, match="n_components: got 2, must be the 3 of the last fit"):
        warm.set_params(n_components=2).fit(OLD_FAITHFUL)


def test_zero_steps_leave_the_start_and_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mixture = GaussianMixture(2, max_iter=0, random_state=0).fit(OLD_FAITHFUL)
    assert (mixture.n_iter_, mixture.converged_, len(mixture.lower_bounds_)) == (0, False, 1)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_single_precision_is_computed_with_in_double(covariance_type):
    X = OLD_FAITHFUL.astype(np.float32)
    options = {"covariance_type": covariance_type, "random_state": 0}
    single = GaussianMixture(2, **options).fit(X)
    double = GaussianMixture(2, **options).fit(X.astype(float))
    np.testing.assert_array_equal(single.covariances_, double.covariances_)
    assert single.covariances_.dtype == np.float64
    assert single.predict_proba(X).dtype == single.score_samples(X).dtype == np.float32
    np.testing.assert_array_equal(single.predict(X), double.predict(X))
    assert single.score(X) == double.score(X)
    weights = np.full(3, 1 / 3, dtype=np.float32)  # their sum is off by 3e-8
    GaussianMixture(3, weights_init=weights, random_state=0).fit(X)


def test_it_pickles_clones_and_goes_into_a_pipeline():
    prior = {"covariance_prior": np.eye(2)}
    mixture = GaussianMixture(2, random_state=0, **prior).fit(OLD_FAITHFUL)
    copy = pickle.loads(pickle.dumps(mixture))
    np.testing.assert_array_equal(copy.predict(OLD_FAITHFUL), mixture.predict(OLD_FAITHFUL))
    np.testing.assert_array_equal(copy.sample(5)[0], mixture.sample(5)[0])
    with pytest.raises(NotFittedError):
        clone(mixture).predict(OLD_FAITHFUL)
    pipeline = make_pipeline(StandardScaler(), clone(mixture)).fit(OLD_FAITHFUL)
    assert pipeline.predict(OLD_FAITHFUL).shape == (272,)
    with config_context(transform_output="pandas"):
        np.testing.assert_array_equal(mixture.predict(OLD_FAITHFUL), copy.predict(OLD_FAITHFUL))


def test_names_of_features_are_kept_and_checked():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(OLD_FAITHFUL, columns=["eruptions", "waiting"])
    mixture = GaussianMixture(2, random_state=0).fit(frame)
    assert list(mixture.feature_names_in_) == ["eruptions", "waiting"]
    with pytest.raises(ValueError, match="feature names should match"):
        mixture.predict(frame[["waiting", "eruptions"]])


def test_parameters_set_by_hand_can_be_used():
    mixture = GaussianMixture(2, random_state=0)
    mixture.weights_, mixture.means_ = np.array([0.5, 0.5]), np.array([[0.0, 0.0], [9.0, 9.0]])
    mixture.covariances_ = np.stack([np.eye(2)] * 2)
    np.testing.assert_array_equal(mixture.predict(TWO), [0, 0, 0, 1, 1, 1])
    assert mixture.sample(3)[0].shape == (3, 2)


def test_verbose_shows_progress_on_standard_error(capsys):
    GaussianMixture(2, random_state=0, verbose=1).fit(OLD_FAITHFUL)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "EM" in shown.err


def test_an_interrupt_goes_through(monkeypatch):
    def interrupted(stats, *options, calls=[]):  # noqa: B006
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return m_step(stats, *options)

    m_step = core.m_step
    monkeypatch.setattr(core, "m_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        GaussianMixture(2, n_init=5, tol=0, random_state=0).fit(OLD_FAITHFUL)


NAN_AND_INF = [[0.0, np.nan], [np.inf, 0.0], [0.0, 0.0]]
SPHERES = {"covariance_type": "spherical", "precisions_init": [1.0, -1.0]}


@pytest.mark.parametrize(
    ("options", "X", "message"),
    [
        ({}, NAN_AND_INF, r"X: got NaN at \(0, 1\), must be a number; .*latent_em.incomplete_m"),
        ({}, NAN_AND_INF[1:], r"X: got inf at \(0, 0\), must be finite"),
        ({"n_components": 3}, [[0.0], [1.0], [0.0]] * 9, "X: got 2 distinct rows .* must be at le"),
        ({"n_components": 7}, TWO, r"X: got 6 distinct rows \(n_samples=6\), must be at least n_c"),
        ({"weights_init": [1.0]}, TWO, r"weights_init: got shape \(1,\), must be \(2,\)"),
        ({"weights_init": [0.4, 0.5]}, TWO, "weights_init: got a sum of 0.9, must sum to 1"),
        ({"weights_init": [-0.5, 1.5]}, TWO, "weights_init: got -0.5, must not be negative"),
        ({"means_init": [[0.0], [1.0]]}, TWO, r"means_init: got shape \(2, 1\), must be \(2, 2\)"),
        ({"means_init": NAN_AND_INF[:2]}, TWO, r"means_init: got nan at \(0, 1\), must be finite"),
        ({"means_init": [["a", 0], [0, 0]]}, TWO, "means_init: got .* must be numbers of shape"),
        ({"precisions_init": np.eye(2)}, TWO, r"precisions_init: got shape \(2, 2\), must be \(2,"),
        (
            {"precisions_init": [[[1, 2], [2, 1]]] * 2},
            TWO,
            "precisions_init: component 0 has small",
        ),
        ({"precisions_init": [[[1, 1], [0, 1]]] * 2}, TWO, "precisions_init: got an asymmetric m"),
        (SPHERES, TWO, "precisions_init: component 1 has smallest variance -1, must be positive"),
        ({"covariance_prior": [1.0]}, TWO, r"covariance_prior: got shape \(1,\), must be \(2,\)"),
        ({"covariance_prior": -1.0}, TWO, "'covariance_prior' parameter .* Got -1.0"),
        ({"covariance_prior": 1.0, "degrees_of_freedom_prior": 0.5}, TWO, "degrees_of_freedom_pri"),
        ({"degrees_of_freedom_prior": 5}, TWO, "_prior: got 5 without a covariance_prior, must be"),
        ({"n_components": 0}, TWO, "'n_components' parameter .* Got 0"),
        ({"n_components": 1.5}, TWO, "'n_components' parameter .* Got 1.5"),
        ({"covariance_type": "round"}, TWO, "'covariance_type' parameter .* Got 'round'"),
        ({"init_params": "best"}, TWO, "'init_params' parameter .* Got 'best'"),
        ({"tol": -1}, TWO, "'tol' parameter .* Got -1"),
        ({"reg_covar": -1}, TWO, "'reg_covar' parameter .* Got -1"),
        ({"max_iter": -1}, TWO, "'max_iter' parameter .* Got -1"),
        ({"n_init": 0}, TWO, "'n_init' parameter .* Got 0"),
        ({"warm_start": "yes"}, TWO, "'warm_start' parameter .* Got 'yes'"),
        ({"reg_covar": 0, "init_params": "random_from_data"}, TWO, "covariances: component 0 has"),
    ],
)
def test_bad_input_is_named(options, X, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**{"n_components": 2, "random_state": 0, **options}).fit(X)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1, 1, 1, 1, -1], "sample_weight: got -1.0, must not be negative"),
        ([0] * 6, "sample_weight: got zero for every row"),
        ([1, 1], r"sample_weight: got shape \(2,\), must be \(6,\)"),
        ([1, 1, 1, 1, 1, np.nan], r"sample_weight: got nan at \(5,\), must be finite"),
        ([3, 0, 0, 0, 0, 0], r"X: got 1 distinct rows \(n_samples=1\), must be at least n_comp"),
    ],
)
def test_bad_weights_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2).fit(TWO, sample_weight=weights)


def test_other_features_and_no_samples_are_refused():
    mixture = GaussianMixture(2, random_state=0).fit(OLD_FAITHFUL)
    with pytest.raises(ValueError, match="X has 1 features, but GaussianMixture is expecting 2"):
        mixture.predict(OLD_FAITHFUL[:, :1])
    with pytest.raises(ValueError, match="n_samples: got 0, must be at least 1"):
        mixture.sample(0)
    with pytest.raises(NotFittedError):
        GaussianMixture().sample()
