"""The estimator of topics: scikit-learn's conventions, its known defects, and every refusal."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation as Peer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from latent_em import LatentDirichletAllocation, lda
from latent_em.estimators import lda as module

METHODS = ["batch", "online", "cvb0"]


def corpus(seed=0, n_documents=200, n_words=30, n_topics=3, length=40):
    """Documents on topics that share no words, most of them on one topic alone."""
    rng = np.random.default_rng(seed)
    beta = np.kron(np.eye(n_topics), np.full(n_words // n_topics, n_topics / n_words))
    theta = rng.dirichlet(np.full(n_topics, 0.2), n_documents)
    return sparse.csr_array([rng.multinomial(length, p / p.sum()) for p in theta @ beta])


def finds_topics(model, n_words=30, n_topics=3):
    """Whether each topic's best words are those of one true topic, another one for each."""
    size = n_words // n_topics
    top = np.sort(np.argsort(-model.components_, axis=1)[:, :size], axis=1)
    found = sorted(map(tuple, top))
    return found == [tuple(range(k * size, (k + 1) * size)) for k in range(n_topics)]


@parametrize_with_checks(
    [
        LatentDirichletAllocation(),
        LatentDirichletAllocation(3),
        LatentDirichletAllocation(3, learning_method="online"),
        LatentDirichletAllocation(3, learning_method="cvb0"),
    ]
)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_importing_the_functions_does_not_load_scikit_learn():
    program = (
        "import sys, latent_em, latent_em.lda;"
        "assert 'LatentDirichletAllocation' in dir(latent_em);"
        "assert not any(name.startswith('sklearn') for name in sys.modules);"
        "assert latent_em.LatentDirichletAllocation.__name__ == 'LatentDirichletAllocation'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_code_written_for_scikit_learn_runs():
    ours, theirs = (inspect.signature(c).parameters for c in (LatentDirichletAllocation, Peer))
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, parameter in theirs.items():
        assert (ours[name].default, ours[name].kind) == (parameter.default, parameter.kind)
    X = corpus()
    ours, theirs = (c(3, random_state=0).fit(X) for c in (LatentDirichletAllocation, Peer))
    public = {name for name in [*vars(theirs), *dir(theirs)] if not name.startswith("_")}
    assert public <= {*vars(ours), *dir(ours)}
    for name in ("components_", "exp_dirichlet_component_"):
        assert getattr(ours, name).shape == getattr(theirs, name).shape
    assert ours.n_batch_iter_ == ours.n_iter_ + 1


# Fitting.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_topics_are_found(method, seed):
    X = corpus(seed)
    options = {"learning_method": method, "batch_size": 40, "max_iter": 30, "random_state": seed}
    model = LatentDirichletAllocation(3, doc_topic_prior=0.2, **options).fit(X)
    assert finds_topics(model)
    assert np.sort(model.transform(X), axis=1)[:, -1].mean() > 0.8
    again = LatentDirichletAllocation(3, doc_topic_prior=0.2, **options).fit(X.toarray())
    np.testing.assert_array_equal(model.components_, again.components_)
    other = clone(model).set_params(random_state=seed + 1).fit(X)
    assert not np.array_equal(model.components_, other.components_)


@pytest.mark.parametrize("init", ["em", "cvb0", "random"])
def test_batch_learning_climbs_to_the_bound_of_its_parameters(init):
    X = corpus()
    options = {"random_state": 0, "init": init, "tol": 0, "max_doc_update_iter": 1000}
    model = LatentDirichletAllocation(3, max_iter=40, **options).fit(X)
    assert model.lower_bounds_.shape == (41,)
    assert (np.diff(model.lower_bounds_) >= -1e-9 * abs(model.lower_bounds_[0])).all()
    params = lda.Params(model.components_, model.doc_topic_prior_, model.topic_word_prior_)
    assert params[1:] == (1 / 3, 1 / 3)
    bound = lda.elbo(X, model.transform(X, normalize=False), *params)
    assert model.lower_bounds_[-1] == pytest.approx(bound, rel=1e-6)
    assert model.bound_ == pytest.approx(model.perplexity(X), rel=1e-5)
    expected = np.exp(lda.global_bound(params) / X.sum() - model.lower_bounds_[-1] / X.sum())
    assert model.bound_ == pytest.approx(expected, rel=1e-12)


def test_tolerance_stops_and_says_so():
    X = corpus()
    model = LatentDirichletAllocation(3, max_iter=500, tol=1e-3, random_state=0).fit(X)
    rises = np.diff(model.lower_bounds_) / X.shape[0]
    assert model.converged_
    assert rises[-1] < 1e-3
    assert (rises[:-1] >= 1e-3).all()
    assert model.n_iter_ == len(rises) < 500
    assert not LatentDirichletAllocation(3, max_iter=1, tol=0, random_state=0).fit(X).converged_
    cvb0 = LatentDirichletAllocation(3, learning_method="cvb0", max_iter=500, random_state=0).fit(X)
    assert cvb0.converged_
    assert 1 < cvb0.n_iter_ < 500
    assert cvb0.lower_bounds_.shape == (1,)


@pytest.mark.parametrize("method", ["batch", "online"])
def test_perplexity_that_stands_still_stops(method):
    X = corpus()
    options = {"learning_method": method, "evaluate_every": 2, "tol": 0, "random_state": 0}
    model = LatentDirichletAllocation(3, max_iter=300, perp_tol=1e-2, **options).fit(X)
    assert model.converged_
    assert model.n_iter_ < 300
    assert model.n_iter_ % 2 == 0
    step = 2 if method == "batch" else 1
    perplexities = np.exp(-model.lower_bounds_[::step] / X.sum())
    changes = np.abs(np.diff(perplexities))
    assert changes[-1] < 1e-2
    assert (changes[:-1] >= 1e-2).all()
    never = LatentDirichletAllocation(3, max_iter=7, perp_tol=0, **options).fit(X)
    assert (never.converged_, never.n_iter_) == (False, 7)
    assert len(never.lower_bounds_) == (8 if method == "batch" else 4)


@pytest.mark.parametrize("init", ["em", "cvb0"])
def test_what_is_a_better_start_than_random_topics(init):
    """Of ten starts on this corpus, ten on 5 x 5 bars and five on Reuters: EM in all, CVB0 in 24.

    Scikit-learn ended below EM in 8, 7 and 5, below CVB0 in 7, 4 and 5.
    """
    rng = np.random.default_rng(0)
    beta, theta = rng.dirichlet(np.full(500, 0.05), 10), rng.dirichlet(np.full(10, 0.1), 400)
    X = sparse.csr_array([rng.multinomial(80, p / p.sum()) for p in theta @ beta])
    for seed in range(3):
        better, random = (
            LatentDirichletAllocation(10, init=name, random_state=seed).fit(X)
            for name in (init, "random")
        )
        assert better.lower_bounds_[-1] > random.lower_bounds_[-1]


@pytest.mark.parametrize("method", METHODS)
def test_number_of_threads_changes_nothing(method):
    X = corpus(n_documents=500)
    assert len(module._chunks(lda.check_counts(X))) > 8
    one, three = (
        LatentDirichletAllocation(3, learning_method=method, n_jobs=n, random_state=0).fit(X)
        for n in (None, 3)
    )
    np.testing.assert_array_equal(one.components_, three.components_)
    np.testing.assert_array_equal(one.lower_bounds_, three.lower_bounds_)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (500, 20)])
def test_chunks_are_all_of_the_documents(shape):
    counts = lda.check_counts(np.random.default_rng(0).poisson(2.0, shape))
    chunks = module._chunks(counts)
    np.testing.assert_array_equal(sparse.vstack(chunks).toarray(), counts.toarray())
    assert all(chunk.shape[0] > 0 for chunk in chunks)
    assert len(chunks) <= 16


def test_no_sweeps_leave_the_start():
    X = corpus()
    for method in METHODS:
        options = {"learning_method": method, "init": "random", "random_state": 0}
        model = LatentDirichletAllocation(3, max_iter=0, **options).fit(X)
        assert (model.n_iter_, model.n_batch_iter_, model.converged_) == (0, 1, False)
        assert len(model.lower_bounds_) == 1
        if method != "cvb0":
            start = np.random.RandomState(0).gamma(100.0, 0.01, (3, 30))  # as scikit-learn's
            np.testing.assert_array_equal(model.components_, start)


# Priors.


@pytest.mark.parametrize("method", ["batch", "cvb0"])
def test_learned_priors(method):
    rng = np.random.default_rng(1)
    true = np.array([0.15, 0.4, 1.0])
    beta = np.kron(np.eye(3), np.full(10, 0.1))
    X = np.array([rng.multinomial(100, p / p.sum()) for p in rng.dirichlet(true, 600) @ beta])
    options = {"learning_method": method, "max_iter": 150, "tol": 1e-4, "random_state": 0}
    model = LatentDirichletAllocation(
        3, doc_topic_prior="auto", topic_word_prior="auto", **options
    ).fit(X)
    assert finds_topics(model)
    order = model.components_[:, [0, 10, 20]].argmax(axis=0)
    np.testing.assert_allclose(model.doc_topic_prior_[order], true, rtol=0.25)
    assert isinstance(model.topic_word_prior_, float)
    assert model.topic_word_prior_ != 1 / 3
    fixed = LatentDirichletAllocation(3, **options).fit(X)
    assert model.lower_bounds_[-1] > fixed.lower_bounds_[-1]
    # Learned priors stay when learning goes on, bit by bit.
    alpha = model.doc_topic_prior_.copy()
    np.testing.assert_array_equal(model.partial_fit(X[:10]).doc_topic_prior_, alpha)


def test_priors_that_are_given():
    X = corpus()
    alpha, eta = np.array([0.1, 0.2, 5.0]), np.linspace(0.1, 2, 30)
    model = LatentDirichletAllocation(3, doc_topic_prior=alpha, topic_word_prior=eta).fit(X)
    np.testing.assert_array_equal(model.doc_topic_prior_, alpha)
    np.testing.assert_array_equal(model.topic_word_prior_, eta)
    np.testing.assert_allclose(model.components_.sum(axis=0), 3 * eta + X.sum(axis=0))
    np.testing.assert_allclose(model.transform(np.zeros((1, 30))), [alpha / alpha.sum()])


# Documents, new and old.


def test_a_documents_shares_do_not_depend_on_the_others():
    X = corpus()
    model = LatentDirichletAllocation(3, random_state=0).fit(X)
    shares = model.transform(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(shares, model.transform(X))
    for rows in (slice(0, 1), slice(5, 47), slice(199, 200)):
        np.testing.assert_array_equal(model.transform(X[rows]), shares[rows])
    np.testing.assert_array_equal(model.transform(X.toarray()), shares)
    gamma = model.transform(X, normalize=False)
    np.testing.assert_allclose(gamma.sum(axis=1), 1 + X.sum(axis=1))
    np.testing.assert_array_equal(gamma / gamma.sum(axis=1, keepdims=True), shares)
    together = clone(model).fit_transform(X)
    np.testing.assert_array_equal(together, shares)
    np.testing.assert_array_equal(clone(model).fit_transform(X, normalize=False), gamma)


def test_scores_of_documents_add_up():
    """scikit-learn charges the topics' terms to one document as to all."""
    X = corpus()
    model = LatentDirichletAllocation(3, random_state=0).fit(X)
    params = lda.Params(model.components_, model.doc_topic_prior_, model.topic_word_prior_)
    bounds = lda.document_bounds(X, model.transform(X, normalize=False), params)
    assert model.score(X) == pytest.approx(bounds.sum(), rel=1e-12)
    assert model.score(X[:60]) + model.score(X[60:]) == pytest.approx(model.score(X), rel=1e-12)
    assert model.perplexity(X) == pytest.approx(np.exp(-bounds.sum() / X.sum()), rel=1e-12)
    assert model.perplexity(X, sub_sampling=True) == model.perplexity(X)
    each = [model.perplexity(X[[m]]) for m in range(200)]  # all documents are equally long
    assert np.exp(np.log(each).mean()) == pytest.approx(model.perplexity(X), rel=1e-12)
    # Theirs, with the same topics: one document alone against all.
    peer = Peer(3, random_state=0).fit(X)
    assert peer.perplexity(X[[0]]) > 50 * peer.perplexity(X)


def test_heldout_perplexity_is_the_functions():
    X = corpus()
    model = LatentDirichletAllocation(3, random_state=0).fit(X)
    observed, heldout = X[:50], X[50:100]
    params = lda.Params(model.components_, model.doc_topic_prior_, model.topic_word_prior_)
    expected = lda.heldout_perplexity(params, observed, heldout)
    assert model.heldout_perplexity(observed, heldout.toarray()) == expected


def test_single_precision_goes_in_and_out():
    X = corpus().astype(np.float32)
    single = LatentDirichletAllocation(3, random_state=0).fit(X)
    double = LatentDirichletAllocation(3, random_state=0).fit(X.astype(float))
    assert single.transform(X).dtype == np.float32
    assert double.transform(X.astype(float)).dtype == np.float64
    assert single.components_.dtype == np.float64
    np.testing.assert_array_equal(single.components_, double.components_)


# Online.


@pytest.mark.parametrize("n_updates", [0, 2, 5])
def test_online_learning_of_all_documents_at_once_is_batch_learning(n_updates):
    """As scikit-learn's docstring has it: with no decay, and all documents in one step."""
    X = corpus()
    options = {"random_state": 0, "max_iter": 1, "mean_change_tol": 0}
    options["max_doc_update_iter"] = n_updates
    batch = LatentDirichletAllocation(3, init="random", **options).fit(X)
    options |= {"learning_method": "online", "learning_decay": 0.0, "batch_size": 200}
    online = LatentDirichletAllocation(3, **options).fit(X)
    np.testing.assert_allclose(online.components_, batch.components_, rtol=1e-12)


def test_partial_fit_is_a_pass_of_online_learning():
    X = corpus()
    options = {"learning_method": "online", "batch_size": 64, "random_state": 0}
    online = LatentDirichletAllocation(3, max_iter=1, **options).fit(X)
    partial = LatentDirichletAllocation(3, total_samples=200, **options)
    for start in range(0, 200, 64):
        partial.partial_fit(X[start : start + 64])
    np.testing.assert_array_equal(partial.components_, online.components_)
    assert partial.n_batch_iter_ == online.n_batch_iter_ == 5
    whole = LatentDirichletAllocation(3, total_samples=200, **options).partial_fit(X)
    np.testing.assert_array_equal(whole.components_, online.components_)


def test_online_steps_are_scikit_learns():
    """From the same start; short documents of well separated topics have one best γ."""
    X = corpus(3, n_documents=120)
    params = lda.Params(np.kron(np.eye(3), np.full(10, 5.0)) + 0.5, 1 / 3, 1 / 3)
    options = {"mean_change_tol": 1e-10, "max_doc_update_iter": 2000, "total_samples": 1000}
    theirs = Peer(3, batch_size=50, random_state=0, **options).partial_fit(X[:1])
    from sklearn.decomposition._online_lda_fast import _dirichlet_expectation_2d

    theirs.components_ = params.lambda_.copy()
    theirs.exp_dirichlet_component_ = np.exp(_dirichlet_expectation_2d(params.lambda_))
    theirs.partial_fit(X)
    for step, start in enumerate(range(0, 120, 50), start=2):
        stats, _, _ = lda.e_step(params, X[start : start + 50], None, 2000, 1e-10)
        params = lda.online_step(params, stats, (10 + step) ** -0.7, 1000)
    np.testing.assert_allclose(params.lambda_, theirs.components_, rtol=1e-5)


def test_an_online_pass_is_made_of_steps():
    """Fifteen updates of γ a visit, from where the last pass left it, each step shorter."""
    X = corpus(3, n_documents=120)
    options = {"learning_method": "online", "batch_size": 50}
    model = LatentDirichletAllocation(3, max_iter=2, random_state=0, **options).fit(X)
    rng = np.random.RandomState(0)
    params = lda.Params(rng.gamma(100.0, 0.01, (3, X.shape[1])), 1 / 3, 1 / 3)
    gamma = [None, None, None]
    for step in range(6):
        chunk = X[50 * (step % 3) : 50 * (step % 3) + 50]
        stats, _, gamma[step % 3] = lda.e_step(params, chunk, gamma[step % 3], 15)
        params = lda.online_step(params, stats, (11 + step) ** -0.7, 120)
    np.testing.assert_allclose(model.components_, params.lambda_, rtol=1e-12)


# As an estimator.


def test_it_pickles_clones_and_goes_into_a_pipeline():
    texts = ["cat dog cat", "dog cat dog mouse", "stock bond", "bond stock stock share"] * 5
    pipeline = make_pipeline(CountVectorizer(), LatentDirichletAllocation(2, random_state=0))
    shares = pipeline.fit_transform(texts)
    assert len(set(shares[:2].argmax(axis=1))) == 1
    assert shares[0].argmax() != shares[2].argmax()
    names = pipeline.get_feature_names_out()
    assert list(names) == ["latentdirichletallocation0", "latentdirichletallocation1"]
    copy = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(copy.transform(texts), shares)
    with pytest.raises(NotFittedError):
        clone(pipeline[-1]).transform(np.ones((1, 6)))
    with pytest.raises(NotFittedError):
        LatentDirichletAllocation().heldout_perplexity(np.ones((1, 6)), np.ones((1, 6)))
    assert not hasattr(LatentDirichletAllocation(), "exp_dirichlet_component_")


def test_what_is_given_is_not_written_to():
    X = corpus()
    X = sparse.csr_matrix((X.data.astype(float), X.indices, X.indptr), X.shape)
    X.data[3] = 0  # a stored zero
    copy = X.copy()
    alpha = np.full(3, 0.5)
    for method in METHODS:
        model = LatentDirichletAllocation(3, doc_topic_prior=alpha, learning_method=method)
        model.fit(X).partial_fit(X).transform(X)
        assert X.nnz == copy.nnz
        np.testing.assert_array_equal(X.data, copy.data)
    np.testing.assert_array_equal(alpha, 0.5)


def test_documents_without_words():
    X = corpus().toarray()
    X[::3] = 0
    for method in METHODS:
        options = {"learning_method": method, "random_state": 0}
        model = LatentDirichletAllocation(3, **options).fit(X)
        np.testing.assert_allclose(model.transform(X)[::3], 1 / 3, rtol=1e-12)
        assert np.isfinite(model.bound_)
        empty = LatentDirichletAllocation(3, **options).fit(0 * X)
        assert np.isnan(empty.bound_)
        assert empty.score(0 * X) == 0


def test_verbose_shows_progress_on_standard_error(capsys):
    for method in ("batch", "online"):
        LatentDirichletAllocation(2, learning_method=method, tol=0, verbose=1).fit(corpus())
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "10/10" in shown.err


def test_an_interrupt_goes_through(monkeypatch):
    def interrupted(stats, *options):
        raise KeyboardInterrupt

    monkeypatch.setattr("latent_em.lda._batch.m_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        LatentDirichletAllocation(2).fit(corpus())


NAN = np.where(np.eye(4, 6, 1), np.nan, 1.0)


@pytest.mark.parametrize(
    ("options", "X", "message"),
    [
        ({}, -np.ones((4, 6)), "Negative values in data passed to X: got -1.0, must be at least 0"),
        ({}, sparse.csr_array(-np.ones((4, 6))), "passed to X: got -1.0, must be at least 0"),
        ({}, NAN, "Input X contains NaN"),
        ({}, sparse.csr_array(NAN), "Input X contains NaN"),
        ({}, np.full((4, 6), np.inf), "Input X contains infinity"),
        ({"n_components": 0}, NAN, "'n_components' .* must be an int"),
        ({"doc_topic_prior": 0.0}, NAN, "'doc_topic_prior' .* must be"),
        ({"doc_topic_prior": "learned"}, NAN, "'doc_topic_prior' .* must be"),
        ({"doc_topic_prior": [1.0]}, np.ones((4, 6)), r"doc_topic_prior: got shape \(1,\), must"),
        ({"doc_topic_prior": [1.0, 0]}, np.ones((4, 6)), "doc_topic_prior: got 0.0, must be pos"),
        ({"topic_word_prior": [1.0]}, np.ones((4, 6)), r"topic_word_prior: got shape \(1,\), must"),
        ({"learning_method": "vb"}, NAN, "'learning_method' .* must be a str among"),
        ({"init": "kmeans"}, NAN, "'init' .* must be a str among"),
        ({"tol": -1.0}, NAN, "'tol' .* must be a float"),
        ({"n_jobs": 0}, np.ones((4, 6)), "n_jobs == 0"),
    ],
)
def test_what_is_refused(options, X, message):
    with pytest.raises(ValueError, match=message):
        LatentDirichletAllocation(**{"n_components": 2} | options).fit(X)


@pytest.mark.parametrize("name", ["doc_topic_prior", "topic_word_prior"])
def test_online_learning_learns_no_priors(name):
    for method, call in (("online", "fit"), ("batch", "partial_fit")):
        model = LatentDirichletAllocation(2, learning_method=method, **{name: "auto"})
        with pytest.raises(ValueError, match=f"{name}: got 'auto' in online learning, must be"):
            getattr(model, call)(corpus())


def test_the_wrong_vocabulary_is_refused_and_breaks_nothing():
    """After scikit-learn's perplexity of other words, its transform is broken."""
    X = corpus()
    model = LatentDirichletAllocation(3, random_state=0).fit(X)
    shares, wrong = model.transform(X), np.ones((2, 7))
    for method in ("transform", "score", "perplexity", "partial_fit"):
        with pytest.raises(ValueError, match=r"X has 7 features, but .* is expecting 30"):
            getattr(model, method)(wrong)
    with pytest.raises(ValueError, match=r"observed: got shape \(2, 7\), must be"):
        model.heldout_perplexity(wrong, wrong)
    for method in ("transform", "score", "perplexity", "partial_fit"):
        with pytest.raises(ValueError, match="Negative values in data passed to X"):
            getattr(model, method)(-X)
    with pytest.raises(ValueError, match="X: got no words, must be at least one"):
        model.perplexity(0 * X)
    np.testing.assert_array_equal(model.transform(X), shares)
