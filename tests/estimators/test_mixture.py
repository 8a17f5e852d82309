"""What the mixtures have in common: extrapolated steps, and steps that others take."""

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from latent_em import BernoulliMixture, GaussianMixture, LatentDirichletAllocation
from latent_em.datasets import load_carcinoma, load_old_faithful
from latent_em.estimators.mixture import _cut
from latent_em.weighted import Weighted

OLD_FAITHFUL = np.column_stack(load_old_faithful())
RATINGS, SLIDES = load_carcinoma()
SCHEMES = ["squarem", "anderson"]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("estimator", [GaussianMixture, BernoulliMixture])
@pytest.mark.filterwarnings("ignore")  # of k-means, on the constant data of some checks
def test_scikit_learns_own_checks(estimator, scheme):
    uneven = {"check_sample_weight_equivalence_on_dense_data": "k-means starts otherwise"}
    check_estimator(estimator(2, accelerate=scheme), expected_failed_checks=uneven)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_fewer_passes_lead_to_the_same_gaussian_mixture(covariance_type, scheme):
    """From close to the limit: farther off the schemes may climb another hill."""
    options = {"covariance_type": covariance_type, "tol": 1e-9, "max_iter": 2000, "reg_covar": 0}
    plain = GaussianMixture(3, random_state=1, **options).fit(OLD_FAITHFUL)
    fast = GaussianMixture(3, random_state=1, accelerate=scheme, **options).fit(OLD_FAITHFUL)
    assert plain.n_evaluations_ == plain.n_iter_ + 1
    assert fast.n_iter_ < fast.n_evaluations_ < plain.n_evaluations_
    assert fast.converged_
    assert (np.diff(fast.lower_bounds_) > -1e-14).all()
    assert fast.lower_bound_ > plain.lower_bound_ - 1e-6


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fewer_passes_lead_to_the_same_bernoulli_mixture(scheme):
    options = {"tol": 1e-9, "random_state": 0, "init_params": "random"}
    plain = BernoulliMixture(2, **options).fit(RATINGS, sample_weight=SLIDES)
    fast = BernoulliMixture(2, accelerate=scheme, **options).fit(RATINGS, sample_weight=SLIDES)
    assert fast.n_evaluations_ < plain.n_evaluations_
    assert (np.diff(fast.lower_bounds_) > -1e-14).all()
    assert fast.lower_bound_ == pytest.approx(plain.lower_bound_, abs=1e-6)


def test_a_scheme_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"'accelerate' parameter of GaussianMixture .* 'aitken'"):
        GaussianMixture(accelerate="aitken").fit(OLD_FAITHFUL)


def large(seed=0):
    rng = np.random.default_rng(seed)
    return np.vstack([rng.normal(m, 1, (1500, 3)) for m in (0, 2, 5)])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("accelerate", [None, "squarem"])
def test_an_executor_changes_nothing_but_rounding_and_is_not_kept(accelerate, weighted):
    X = large()
    weight = np.random.default_rng(1).integers(0, 3, len(X)) if weighted else None
    mixture = GaussianMixture(3, accelerate=accelerate, tol=1e-6, random_state=0)
    alone = clone(mixture).fit(X, sample_weight=weight)
    with ThreadPoolExecutor(2) as executor:
        together = clone(mixture).fit(X, sample_weight=weight, executor=executor)
        again = mixture.fit_predict(X, sample_weight=weight, executor=executor)
    np.testing.assert_allclose(together.lower_bounds_, alone.lower_bounds_, rtol=1e-12)
    np.testing.assert_allclose(together.means_, alone.means_, rtol=1e-9)
    np.testing.assert_array_equal(again, together.predict(X))
    pickle.dumps(together)  # which no executor survives


def test_worker_processes_give_what_threads_give():
    X = (large() > 1).astype(float)
    mixture = BernoulliMixture(2, random_state=0)
    with ThreadPoolExecutor(2) as threads:
        of_threads = clone(mixture).fit(X, executor=threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        of_processes = clone(mixture).fit(X, executor=processes)
    np.testing.assert_array_equal(of_processes.lower_bounds_, of_threads.lower_bounds_)
    np.testing.assert_allclose(of_threads.means_, mixture.fit(X).means_, rtol=1e-9)


def test_topics_by_an_executor():
    X = np.random.default_rng(0).poisson(1.0, (400, 12))
    model = LatentDirichletAllocation(3, random_state=0)
    with ThreadPoolExecutor(2) as executor:
        together = clone(model).fit(X, executor=executor)
        with pytest.raises(ValueError, match="executor: got one with learning_method='online'"):
            clone(model).set_params(learning_method="online").fit(X, executor=executor)
    np.testing.assert_array_equal(together.components_, model.fit(X).components_)


@pytest.mark.parametrize("n_rows", [1, 999, 2500, 100_000])
def test_the_pieces_are_all_of_the_rows(n_rows):
    X, weight = np.arange(n_rows)[:, np.newaxis], np.arange(n_rows) % 5
    np.testing.assert_array_equal(np.concatenate(_cut(X)), X)
    pieces = _cut(Weighted(X, weight))
    assert len(pieces) == len(_cut(X)) == {1: 1, 999: 1, 2500: 2, 100_000: 16}[n_rows]
    np.testing.assert_array_equal(np.concatenate([p.sample_weight for p in pieces]), weight)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_the_first_batch_is_a_step_of_em_and_the_next_one_is_averaged_in(covariance_type):
    X = large()[::5]
    mixture = GaussianMixture(3, covariance_type=covariance_type, reg_covar=0, random_state=0)
    mixture.partial_fit(X)
    with pytest.warns(ConvergenceWarning):
        step = clone(mixture).set_params(max_iter=1).fit(X)
    np.testing.assert_allclose(mixture.means_, step.means_, rtol=1e-12)
    np.testing.assert_allclose(mixture.precisions_, step.precisions_, rtol=1e-10)
    resp, before = mixture.predict_proba(X), mixture.weights_
    mixture.partial_fit(X[:10])  # whatever its size, with the weight 3^-0.6
    assert mixture.n_batch_iter_ == 2
    share = 3**-0.6
    expected = (1 - share) * before + share * resp[:10].mean(axis=0)
    np.testing.assert_allclose(mixture.weights_, expected, rtol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_a_stream_of_batches_is_learned(seed):
    X = np.random.default_rng(seed).permutation(large(seed))
    batches = np.array_split(X, 30)
    mixture = GaussianMixture(3, random_state=seed)
    whole = clone(mixture).set_params(tol=1e-6).fit(X)
    scores = [mixture.partial_fit(batch).score(X) for batch in batches]
    assert scores[-1] > whole.score(X) - 0.03
    assert np.mean(scores[-5:]) > np.mean(scores[:5])

    binary, means = (X > 1).astype(float), []
    classes = BernoulliMixture(2, random_state=seed)
    for batch in np.array_split(binary, 30):
        means.append(classes.partial_fit(batch).means_)
    assert classes.score(binary) > clone(classes).fit(binary).score(binary) - 0.02


def test_a_fit_goes_on_with_batches_and_its_samples_count():
    X = large()
    mixture = GaussianMixture(3, learning_offset=98, learning_decay=1, random_state=0).fit(X)
    before = mixture.means_
    mixture.partial_fit(X[:50] + 10)
    moved = np.abs(mixture.means_ - before).max()
    assert 0 < moved < 1  # by a hundredth of the weight
    pickled = pickle.loads(pickle.dumps(mixture)).partial_fit(X[:50])
    np.testing.assert_array_equal(pickled.means_, mixture.partial_fit(X[:50]).means_)
    with pytest.raises(ValueError, match="must be the 3 of the last fit for partial_fit"):
        mixture.set_params(n_components=2).partial_fit(X)
    with pytest.raises(ValueError, match="X has 2 features, but GaussianMixture is expecting 3"):
        mixture.partial_fit(X[:, :2])
