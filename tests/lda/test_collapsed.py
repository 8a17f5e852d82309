"""Collapsed variational Bayes: its counts, its fixed point, and the topics that it finds."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln

from latent_em import lda


def bars(rng, n_documents=150, side=4):
    """Images whose topics are the rows and columns of a square."""
    square = np.arange(side * side).reshape(side, side)
    beta = np.zeros((2 * side, side * side))
    for k, cells in enumerate([*square, *square.T]):
        beta[k, cells] = 1 / side
    theta = rng.dirichlet(np.full(2 * side, 0.15), n_documents)
    p = theta @ beta
    return beta, np.array([rng.multinomial(100, row / row.sum()) for row in p])


def distance(topics, beta):
    """Largest total variation between the topics and the true ones, in the best order."""
    share = topics / topics.sum(axis=1, keepdims=True)
    apart = np.abs(share[:, np.newaxis] - beta).sum(axis=2) / 2
    return apart[linear_sum_assignment(apart)].max()


def test_finds_bars():
    """From one of three starts; the others end with one bar split and two merged, if not here."""
    rng = np.random.default_rng(0)
    beta, counts = bars(rng)
    results = [
        lda.cvb0(counts, 8, 0.1, 0.05, tol=1e-4, max_iter=300, random_state=s) for s in range(3)
    ]
    assert all(result.converged for result in results)
    assert min(distance(result.params.lambda_, beta) for result in results) < 0.05


@pytest.mark.parametrize("n_batches", [1, 3, 8, 100])
def test_expected_counts_add_up_to_the_counts(n_batches):
    rng = np.random.default_rng(1)
    counts = rng.poisson(1.0, (20, 12))
    counts[3] = counts[:, 5] = 0
    alpha, eta = rng.uniform(0.1, 1, 3), rng.uniform(0.1, 1, 12)
    result = lda.cvb0(counts, 3, alpha, eta, n_batches=n_batches, max_iter=15, random_state=0)
    of_documents = result.gamma - result.params.alpha
    of_topics = result.params.lambda_ - result.params.eta
    np.testing.assert_allclose(of_documents.sum(axis=1), counts.sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(of_topics.sum(axis=0), counts.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(of_documents.sum(axis=0), of_topics.sum(axis=1), rtol=1e-12)
    assert (result.params.lambda_ >= eta).all()
    np.testing.assert_array_equal(result.params.alpha, alpha)


@pytest.mark.parametrize("scale", [1, 0.3])
def test_ends_at_a_fixed_point(scale):
    """φ_mv from the counts without one token of it, or the part of one that there is."""
    rng = np.random.default_rng(2)
    counts = scale * rng.poisson(1.5, (6, 7))
    alpha, eta = rng.uniform(0.1, 1, 2), rng.uniform(0.1, 1, 7)
    result = lda.cvb0(counts, 2, alpha, eta, tol=0, max_iter=1000, random_state=0)
    n_document, n_topic = result.gamma - alpha, (result.params.lambda_ - eta).T
    of_documents, of_topics = np.zeros((6, 2)), np.zeros((7, 2))
    for m, v in zip(*np.nonzero(counts), strict=True):
        phi = np.full(2, 0.5)
        for _ in range(2000):  # φ is on both sides
            own = min(counts[m, v], 1) * phi
            others = n_topic.sum(axis=0) - own + eta.sum()
            phi = (n_document[m] - own + alpha) * (n_topic[v] - own + eta[v]) / others
            phi /= phi.sum()
        of_documents[m] += counts[m, v] * phi
        of_topics[v] += counts[m, v] * phi
    np.testing.assert_allclose(of_documents, n_document, atol=1e-4)
    np.testing.assert_allclose(of_topics, n_topic, atol=1e-4)


def test_the_seed_decides():
    counts = np.random.default_rng(3).poisson(1.0, (20, 12))
    one, same, other = (
        lda.cvb0(counts, 3, 0.1, 0.1, random_state=s, max_iter=5) for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.params.lambda_, same.params.lambda_)
    np.testing.assert_array_equal(one.gamma, same.gamma)
    assert not np.array_equal(one.params.lambda_, other.params.lambda_)
    sparse_counts = sparse.coo_matrix(counts)
    same = lda.cvb0(sparse_counts, 3, 0.1, 0.1, random_state=0, max_iter=5)
    np.testing.assert_array_equal(one.params.lambda_, same.params.lambda_)


def test_changes_say_when_to_stop():
    counts = np.random.default_rng(4).poisson(2.0, (30, 12))
    result = lda.cvb0(counts, 3, 0.1, 0.1, tol=1e-3, max_iter=400, random_state=0)
    assert result.converged
    assert len(result.changes) == result.n_iter > 3
    assert (result.changes[:-1] >= 1e-3).all()
    assert result.changes[-1] < 1e-3
    short = lda.cvb0(counts, 3, 0.1, 0.1, tol=1e-3, max_iter=2, random_state=0)
    assert (short.converged, short.n_iter) == (False, 2)
    np.testing.assert_array_equal(short.changes, result.changes[:2])
    longer = lda.cvb0(counts, 3, 0.1, 0.1, tol=0, max_iter=3, random_state=0)
    moved = np.abs(longer.gamma - short.gamma).sum() / 2 / counts.sum()
    assert longer.changes[2] == pytest.approx(moved, rel=1e-4)
    start = lda.cvb0(counts, 3, 0.1, 0.1, max_iter=0, random_state=0)
    assert (start.converged, start.n_iter, start.changes.size) == (False, 0, 0)


@pytest.mark.parametrize("scale", [1e-3, 0.3, 1.0, 1.7])
def test_fractions_are_weights(scale):
    """Less than a word cannot have a whole word left out of it."""
    rng = np.random.default_rng(5)
    counts = scale * rng.random((15, 8))
    result = lda.cvb0(counts, 3, 0.01, 0.01, max_iter=30, random_state=0)
    assert (result.gamma >= 0.01 - 1e-15).all()
    assert (result.params.lambda_ >= 0.01).all()
    np.testing.assert_allclose((result.gamma - 0.01).sum(axis=1), counts.sum(axis=1), rtol=1e-9)
    assert (result.changes <= 1).all()


@pytest.mark.parametrize("learn", [False, True])
def test_nothing_to_divide(learn):
    options = {"learn_alpha": learn, "learn_eta": learn, "random_state": 0, "max_iter": 40}
    empty = lda.cvb0(np.zeros((3, 4)), 2, 0.2, 0.3, **options)
    np.testing.assert_allclose(empty.params.lambda_, 0.3)
    np.testing.assert_allclose(empty.gamma, 0.2)
    assert empty.converged
    one = lda.cvb0(np.ones((3, 4)), 1, 0.2, 0.3, **options)
    np.testing.assert_allclose(one.gamma, 4.2)
    np.testing.assert_allclose(one.params.alpha, 0.2)
    word = lda.cvb0(np.ones((3, 1)), 2, 0.2, 0.3, **options)
    np.testing.assert_allclose(word.params.lambda_.sum(), 3.6)


def corpus_with_known_topics(rng, alpha):
    beta = np.kron(np.eye(3), np.full(10, 0.1))
    theta = rng.dirichlet(alpha, 800)
    return beta, np.array([rng.multinomial(60, p) for p in theta @ beta])


def test_learned_alpha_is_near_the_one_that_made_the_corpus():
    rng, true = np.random.default_rng(6), np.array([0.15, 0.5, 1.0])
    beta, counts = corpus_with_known_topics(rng, true)
    result = lda.cvb0(
        counts,
        3,
        0.5,
        0.5,
        tol=1e-5,
        max_iter=300,
        learn_alpha=True,
        learn_eta=True,
        random_state=0,
    )
    order = [np.argmax(result.params.lambda_[:, v]) for v in (0, 10, 20)]
    np.testing.assert_allclose(result.params.alpha[order], true, rtol=0.2)
    assert distance(result.params.lambda_, beta) < 0.06
    # Not η of the ten words alike in each topic: of thirty, twenty of them at nothing.
    assert 0.05 < result.params.eta < 1


def test_does_not_stop_before_the_priors_are_learned():
    counts = np.random.default_rng(8).poisson(1.0, (20, 12))
    for name in ("alpha", "eta"):
        options = {f"learn_{name}": True, "tol": 1.0, "max_iter": 50, "random_state": 0}
        result = lda.cvb0(counts, 3, 0.5, 0.5, **options)
        assert result.converged
        assert not np.array_equal(getattr(result.params, name), 0.5)


def test_learned_priors_are_the_most_likely_for_the_expected_counts():
    """At the end, the derivative of the Dirichlet-multinomial likelihood is zero."""
    rng = np.random.default_rng(7)
    _, counts = corpus_with_known_topics(rng, np.array([0.3, 0.5, 0.8]))
    result = lda.cvb0(
        counts,
        3,
        0.5,
        0.5,
        tol=1e-9,
        max_iter=3000,
        learn_alpha=True,
        learn_eta=True,
        random_state=0,
    )

    def likelihood(prior, n):
        total = gammaln(prior.sum()) - gammaln(prior.sum() + n.sum(axis=1))
        return (total + (gammaln(prior + n) - gammaln(prior)).sum(axis=1)).sum()

    params, of_documents = result.params, result.gamma - result.params.alpha
    best = likelihood(params.alpha, of_documents)
    for step in 0.01 * np.vstack([np.eye(3), -np.eye(3)]):
        assert likelihood(params.alpha * (1 + step), of_documents) < best
    of_topics = params.lambda_ - params.eta
    best = likelihood(np.full(30, params.eta), of_topics)
    for factor in (0.99, 1.01):
        assert likelihood(np.full(30, factor * params.eta), of_topics) < best


def test_errors_name_the_argument():
    counts = np.ones((3, 4))
    for name, value in {
        "n_components": 0,
        "alpha": 0,
        "eta": -1,
        "tol": -1,
        "max_iter": -1,
        "n_batches": 0,
    }.items():
        arguments = {"n_components": 2, "alpha": 0.1, "eta": 0.1, name: value}
        with pytest.raises(ValueError, match=f"{name}: got {value}"):
            lda.cvb0(counts, **arguments)
    with pytest.raises(ValueError, match=r"alpha: got shape \(3,\), must be \(2,\)"):
        lda.cvb0(counts, 2, np.ones(3), 0.1)
    with pytest.raises(ValueError, match="counts: got -1"):
        lda.cvb0(-counts, 2, 0.1, 0.1)
