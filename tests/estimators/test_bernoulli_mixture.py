"""The scikit-learn estimator: its conventions, and that it is the core beneath."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from latent_em import BernoulliMixture
from latent_em import bernoulli_mixture as core
from latent_em.datasets import load_carcinoma
from latent_em.em import fit_em

RATINGS, SLIDES = load_carcinoma()
ROWS = np.repeat(RATINGS, SLIDES.astype(int), axis=0)
STARTS = ["kmeans", "k-means++", "random", "random_from_data"]


@pytest.mark.parametrize("n_components", [1, 3])
@pytest.mark.filterwarnings("ignore")  # of k-means, on the constant data of some checks
def test_scikit_learns_own_checks(n_components):
    check_estimator(BernoulliMixture(n_components))


@pytest.mark.parametrize("init_params", STARTS)
def test_it_is_the_core_from_the_same_start(init_params):
    start = BernoulliMixture(3, max_iter=0, init_params=init_params, random_state=0).fit(ROWS)
    given = core.Params(start.weights_, start.means_)
    assert ((given.means > 0) & (given.means < 1)).all()
    expected = fit_em(core, given, [ROWS], tol=1e-6)
    mixture = BernoulliMixture(3, alpha=0, init_params=init_params, random_state=0).fit(ROWS)
    np.testing.assert_allclose(mixture.means_, expected.params.means, atol=1e-12)
    np.testing.assert_allclose(mixture.weights_, expected.params.weights, rtol=1e-12)
    np.testing.assert_allclose(mixture.lower_bounds_, expected.lower_bounds / 118, rtol=1e-12)
    assert mixture.lower_bound_ == mixture.lower_bounds_[-1]
    assert mixture.n_iter_ == expected.n_iter == len(mixture.lower_bounds_) - 1
    assert mixture.converged_


def test_carcinoma():
    mixture = BernoulliMixture(3, n_init=5, tol=1e-9, random_state=0)
    mixture.fit(RATINGS, sample_weight=SLIDES)
    assert mixture.score(ROWS) * 118 == pytest.approx(-293.705, abs=2e-3)
    np.testing.assert_allclose(np.sort(mixture.weights_), [0.1817, 0.3736, 0.4447], atol=1e-4)
    assert mixture.bic(ROWS) == pytest.approx(697.1357, abs=5e-3)
    assert mixture.aic(ROWS) == pytest.approx(2 * 293.705 + 46, abs=5e-3)


def test_weights_are_repeated_rows_from_the_same_start():
    start = core.random_start(3, 7, 1)
    options = {"weights_init": start.weights, "means_init": start.means, "tol": 1e-8}
    weighted = BernoulliMixture(3, **options).fit(RATINGS, sample_weight=SLIDES)
    repeated = BernoulliMixture(3, **options).fit(ROWS)
    assert weighted.n_iter_ == repeated.n_iter_
    np.testing.assert_allclose(weighted.means_, repeated.means_, atol=1e-9)
    np.testing.assert_allclose(weighted.lower_bounds_, repeated.lower_bounds_, rtol=1e-11)


def test_weights_are_repeated_rows_in_the_start_from_k_means():
    weighted = BernoulliMixture(2, max_iter=0, random_state=0).fit(RATINGS, sample_weight=SLIDES)
    repeated = BernoulliMixture(2, max_iter=0, random_state=0).fit(ROWS)
    order = slice(None, None, 1 if np.allclose(weighted.weights_, repeated.weights_) else -1)
    np.testing.assert_allclose(weighted.weights_[order], repeated.weights_, rtol=1e-12)
    np.testing.assert_allclose(weighted.means_[order], repeated.means_, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_more_classes_than_patterns_is_no_error():
    X = np.repeat([[0, 0, 1], [1, 1, 0]], 10, axis=0)
    mixture = BernoulliMixture(3, alpha=0, random_state=0).fit(X)
    assert mixture.score(X) == pytest.approx(-np.log(2), abs=1e-4)


def test_methods_agree_with_one_another_and_with_the_core():
    mixture = BernoulliMixture(3, random_state=0).fit(ROWS)
    params = core.Params(mixture.weights_, mixture.means_)
    resp = mixture.predict_proba(ROWS)
    np.testing.assert_allclose(resp, core.responsibilities(params, ROWS), rtol=1e-12)
    np.testing.assert_array_equal(mixture.predict(ROWS), resp.argmax(axis=1))
    np.testing.assert_allclose(mixture.score_samples(ROWS), core.log_prob(params, ROWS))
    assert mixture.score(ROWS) == pytest.approx(mixture.score_samples(ROWS).mean())
    again = BernoulliMixture(3, random_state=0)
    np.testing.assert_array_equal(again.fit_predict(ROWS), mixture.predict(ROWS))


def test_the_best_of_several_starts_is_kept():
    single = [
        BernoulliMixture(4, init_params="random", random_state=seed).fit(ROWS).lower_bound_
        for seed in range(4)
    ]
    several = BernoulliMixture(4, init_params="random", n_init=10, random_state=0).fit(ROWS)
    assert np.ptp(single) > 1e-3
    assert several.lower_bound_ >= single[0]
    assert several.lower_bound_ * 118 == pytest.approx(-289.29, abs=0.02)


def test_samples_differ_from_call_to_call_and_repeat_with_the_seed():
    mixture = BernoulliMixture(2, random_state=0).fit(ROWS)
    (X, z), (other, _) = mixture.sample(50), mixture.sample(50)
    assert X.shape == (50, 7)
    assert z.shape == (50,)
    assert not np.array_equal(X, other)
    again = BernoulliMixture(2, random_state=0).fit(ROWS)
    np.testing.assert_array_equal(again.sample(50)[0], X)


def test_parameters_set_by_hand_can_be_sampled():
    mixture = BernoulliMixture(2, random_state=0)
    mixture.weights_, mixture.means_ = np.array([0.5, 0.5]), np.array([[0.0], [1.0]])
    X, z = mixture.sample(20)
    np.testing.assert_array_equal(X[:, 0], z)


def test_an_interrupt_is_not_swallowed(monkeypatch):
    calls, e_step = [], core.e_step

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return e_step(*args)

    monkeypatch.setattr(core, "e_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        BernoulliMixture(3, n_init=5, random_state=0).fit(ROWS)
    assert len(calls) == 3


def test_a_warm_start_goes_on_where_it_stopped():
    mixture = BernoulliMixture(3, max_iter=5, tol=0, warm_start=True, random_state=0)
    whole = BernoulliMixture(3, max_iter=10, tol=0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="did not converge to tol=0 in max_iter=5"):
        mixture.fit(ROWS)
    with pytest.warns(ConvergenceWarning):
        mixture.fit(ROWS)
    with pytest.warns(ConvergenceWarning):
        whole.fit(ROWS)
    np.testing.assert_allclose(mixture.means_, whole.means_, rtol=1e-12)
    with pytest.raises(ValueError, match="n_components: got 2, must be the 3 of the last fit"):
        mixture.set_params(n_components=2).fit(ROWS)


def test_data_are_binarized_as_said():
    coded = BernoulliMixture(3, binarize=1.5, random_state=0).fit(ROWS + 1)
    plain = BernoulliMixture(3, random_state=0).fit(ROWS)
    strict = BernoulliMixture(3, binarize=None, random_state=0).fit(ROWS)
    np.testing.assert_array_equal(coded.means_, plain.means_)
    np.testing.assert_array_equal(strict.means_, plain.means_)
    np.testing.assert_array_equal(coded.predict(ROWS + 1), plain.predict(ROWS))
    with pytest.raises(ValueError, match=r"X: got 2.0 at \(0, 0\), must be 0 or 1"):
        BernoulliMixture(binarize=None).fit(ROWS + 2)


def test_a_threshold_outside_the_data_is_a_warning():
    with pytest.warns(UserWarning, match="binarize=0.0 makes all samples equal; .* from 1 to 2"):
        BernoulliMixture().fit(ROWS + 1)


def test_the_default_gives_every_sample_a_class_and_alpha_zero_need_not():
    X = np.array([[0, 0, 1], [0, 1, 1], [0, 1, 0], [0, 0, 0]])
    new = np.array([[1, 0, 0]])
    smooth = BernoulliMixture(random_state=0).fit(X)
    assert np.isfinite(smooth.score_samples(new)).all()
    np.testing.assert_array_equal(smooth.predict(new), [0])
    exact = BernoulliMixture(alpha=0, random_state=0).fit(X)
    assert exact.means_[0, 0] == 0
    np.testing.assert_array_equal(exact.score_samples(new), [-np.inf])
    with pytest.raises(ValueError, match="X: got sample 0, which every class excludes"):
        exact.predict(new)


def test_alpha_is_the_smoothing_of_naive_bayes():
    mixture = BernoulliMixture(alpha=1.0).fit(ROWS)
    np.testing.assert_allclose(mixture.means_[0], (ROWS.sum(axis=0) + 1) / (118 + 2), rtol=1e-12)


@pytest.mark.parametrize("init_params", STARTS)
def test_ten_thousand_features_and_three_classes_are_told_apart(init_params):
    rng = np.random.default_rng(0)
    truth = core.Params(np.array([0.5, 0.3, 0.2]), rng.beta(0.5, 0.5, size=(3, 10_000)))
    X, z = core.sample(truth, 60, 1)
    labels = BernoulliMixture(3, init_params=init_params, random_state=0).fit_predict(X)
    assert set(labels) == {0, 1, 2}
    if init_params != "random":  # which may end at a lower maximum
        assert len(set(zip(labels, z, strict=True))) == 3


def test_parameters_given_are_left_alone():
    start = core.random_start(2, 7, 1)
    means, weights = start.means.copy(), start.weights.copy()
    X = ROWS.copy()
    mixture = BernoulliMixture(2, means_init=start.means, weights_init=start.weights).fit(X)
    np.testing.assert_array_equal(start.means, means)
    np.testing.assert_array_equal(start.weights, weights)
    np.testing.assert_array_equal(X, ROWS)
    assert not np.array_equal(mixture.means_, means)


def test_it_pickles_clones_and_goes_into_a_pipeline():
    mixture = BernoulliMixture(2, random_state=0).fit(ROWS)
    copy = pickle.loads(pickle.dumps(mixture))
    np.testing.assert_array_equal(copy.predict(ROWS), mixture.predict(ROWS))
    np.testing.assert_array_equal(copy.sample(5)[0], mixture.sample(5)[0])
    with pytest.raises(NotFittedError):
        clone(mixture).sample()
    pipeline = make_pipeline(FunctionTransformer(), BernoulliMixture(2, random_state=0)).fit(ROWS)
    assert pipeline.score(ROWS) == mixture.score(ROWS)


def test_verbose_shows_progress_on_standard_error(capsys):
    BernoulliMixture(2, random_state=0, verbose=1).fit(ROWS)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "EM" in shown.err


@pytest.mark.parametrize(
    ("options", "X", "sample_weight", "message"),
    [
        ({}, [[0, np.nan], [1, 0]], None, r"X: got NaN at \(0, 1\), must be a number$"),
        ({}, [[0, np.inf], [1, 0]], None, r"X: got inf at \(0, 1\), must be finite"),
        ({"n_components": 3}, np.eye(2), None, "got n_samples = 2 of weight above zero, must be"),
        ({"n_components": 2}, np.eye(2), [1, 0], "got n_samples = 1 of weight above zero"),
        ({}, np.eye(2), [1, -1], "sample_weight: got -1.0, must not be negative"),
        ({}, np.eye(2), [0, 0], "sample_weight: got zero for every row"),
        ({}, np.eye(2), [1, 1, 1], r"sample_weight: got shape \(3,\), must be \(2,\)"),
        ({"means_init": [[0.5]]}, np.eye(2), None, r"means_init: got shape \(1, 1\)"),
        ({"means_init": [[0.5, 1.5]]}, np.eye(2), None, r"means_init: got 1.5 at \(0, 1\), must"),
        ({"weights_init": [0.5]}, np.eye(2), None, "weights_init: got a sum of 0.5, must sum to"),
        ({"n_components": 2, "weights_init": [1.0]}, np.eye(2), None, r"weights_init: got shape"),
        ({"n_components": 0}, np.eye(2), None, "'n_components' parameter"),
        ({"tol": -1}, np.eye(2), None, "'tol' parameter"),
        ({"alpha": -1}, np.eye(2), None, "'alpha' parameter"),
        ({"n_init": 0}, np.eye(2), None, "'n_init' parameter"),
        ({"max_iter": -1}, np.eye(2), None, "'max_iter' parameter"),
        ({"init_params": "best"}, np.eye(2), None, "'init_params' parameter"),
        ({"binarize": "yes"}, np.eye(2), None, "'binarize' parameter"),
    ],
)
def test_bad_input_is_named(options, X, sample_weight, message):
    with pytest.raises(ValueError, match=message):
        BernoulliMixture(**options).fit(X, sample_weight=sample_weight)


def test_other_features_are_refused():
    mixture = BernoulliMixture(2, random_state=0).fit(ROWS)
    with pytest.raises(ValueError, match="X has 6 features, but BernoulliMixture is expecting 7"):
        mixture.predict(ROWS[:, :6])
    with pytest.raises(NotFittedError):
        BernoulliMixture().predict(ROWS)


def test_icl_adds_to_bic_what_the_assignments_leave_in_doubt():
    mixture = BernoulliMixture(3, random_state=0).fit(ROWS)
    doubt = -2 * np.log(mixture.predict_proba(ROWS).max(axis=1)).sum()
    assert doubt > 1
    assert mixture.icl(ROWS) == pytest.approx(mixture.bic(ROWS) + doubt, rel=1e-12)
