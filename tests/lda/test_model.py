"""The generative story and its density."""

import math

import numpy as np
import pytest
from scipy import sparse, stats

from latent_em import lda


def test_the_story_gives_counts_that_are_those_of_its_words():
    rng = np.random.default_rng(0)
    params = lda.Params(rng.gamma(1.0, 1.0, (3, 6)) + 0.1, np.array([0.2, 1.0, 0.5]), 0.1)
    lengths = [5, 0, 40, 1]
    corpus = lda.sample(params, lengths, 1)
    assert [len(w) for w in corpus.words] == [len(z) for z in corpus.topics] == lengths
    counts = [np.bincount(w, minlength=6) for w in corpus.words]
    np.testing.assert_array_equal(corpus.counts.toarray(), counts)
    assert sparse.issparse(corpus.counts)
    assert (corpus.theta.shape, corpus.beta.shape) == ((4, 3), (3, 6))
    np.testing.assert_allclose(corpus.theta.sum(axis=1), 1)
    np.testing.assert_allclose(corpus.beta.sum(axis=1), 1)
    again = lda.sample(params, lengths, 1)
    np.testing.assert_array_equal(corpus.beta, again.beta)
    np.testing.assert_array_equal(corpus.words[2], again.words[2])


def test_a_large_vocabulary_does_not_make_the_counts_dense():
    """20 000 documents and 20 000 words would be 3.2 GB."""
    params = lda.Params(np.ones((2, 20_000)), 0.1, 0.1)
    corpus = lda.sample(params, np.full(20_000, 5), 0)
    assert corpus.counts.has_canonical_format
    assert corpus.counts.nnz <= 100_000 == corpus.counts.sum()
    word, times = np.unique(corpus.words[7], return_counts=True)
    np.testing.assert_array_equal(corpus.counts[[7]].indices, word)
    np.testing.assert_array_equal(corpus.counts[[7]].data, times)
    nothing = lda.sample(params, [], 0).counts
    assert (nothing.shape, nothing.nnz) == ((0, 20_000), 0)


def test_the_story_has_the_frequencies_that_it_says():
    rng = np.random.default_rng(1)
    alpha = np.array([0.5, 2.0, 1.5])
    lambda_ = 1e6 * rng.dirichlet(np.ones(4), 3)  # topics all but known
    corpus = lda.sample(lda.Params(lambda_, alpha, 1.0), np.full(3000, 20), rng)
    beta = lambda_ / lambda_.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(corpus.beta, beta, atol=0.005)
    np.testing.assert_allclose(corpus.theta.mean(axis=0), alpha / 4, atol=0.02)
    shares = np.array([np.bincount(z, minlength=3) / 20 for z in corpus.topics])
    assert np.abs(shares - corpus.theta).mean() < 0.1  # each document follows its own shares
    z, w = np.concatenate(corpus.topics), np.concatenate(corpus.words)
    for k in range(3):
        seen = np.bincount(w[z == k], minlength=4) / (z == k).sum()
        np.testing.assert_allclose(seen, beta[k], atol=0.02)


def test_log_joint_is_the_product_of_its_factors():
    rng = np.random.default_rng(2)
    alpha, eta = np.array([0.3, 2.0]), np.array([0.5, 1.0, 4.0])
    params = lda.Params(np.tile(eta, (2, 1)), alpha, eta)
    _, words, topics, theta, beta = lda.sample(params, [4, 0, 2], rng)
    expected = sum(stats.dirichlet(eta).logpdf(row) for row in beta)
    expected += sum(stats.dirichlet(alpha).logpdf(row) for row in theta)
    for m in range(3):
        for w, z in zip(words[m], topics[m], strict=True):
            expected += math.log(theta[m, z]) + math.log(beta[z, w])
    found = lda.log_joint(words, topics, theta, beta, alpha, eta)
    assert found == pytest.approx(expected, rel=1e-12)
    as_lists = lda.log_joint(
        [list(w) for w in words], [list(z) for z in topics], theta, beta, alpha, eta
    )
    assert as_lists == found


def test_log_joint_of_what_cannot_be():
    half = [[0.5, 0.5]]
    assert lda.log_joint([[0]], [[0]], half, [[0.0, 1.0], [0.5, 0.5]], 1.0, 1.0) == -np.inf


def test_errors_name_the_argument():
    params = lda.Params(np.ones((2, 3)), 0.1, 0.1)
    for lengths in ([1, -1], [1.5], [np.nan]):
        with pytest.raises(ValueError, match="lengths: got"):
            lda.sample(params, lengths)
    with pytest.raises(ValueError, match="alpha: got 0"):
        lda.sample(params._replace(alpha=0), [1])
    half, third = np.full((1, 2), 0.5), np.full((2, 3), 1 / 3)
    with pytest.raises(ValueError, match=r"theta: got shape \(2, 2\), must be \(1, n_components\)"):
        lda.log_joint([[0]], [[0]], np.full((2, 2), 0.5), third, 1, 1)
    with pytest.raises(ValueError, match="beta: got shape"):
        lda.log_joint([[0]], [[0]], half, np.full((3, 3), 1 / 3), 1, 1)
    with pytest.raises(ValueError, match="must be non-negative and sum to 1"):
        lda.log_joint([[0]], [[0]], half, np.ones((2, 3)), 1, 1)
    with pytest.raises(ValueError, match="topics: got 0 documents, must be 1"):
        lda.log_joint([[0]], [], half, third, 1, 1)
    with pytest.raises(ValueError, match="topics: got 1 of document 0, must be the 2 of words"):
        lda.log_joint([[0, 1]], [[0]], half, third, 1, 1)
    with pytest.raises(ValueError, match="words: got 3 in document 0, must be from 0 to 2"):
        lda.log_joint([[3]], [[0]], half, third, 1, 1)
    with pytest.raises(ValueError, match="topics: got -1 in document 0, must be from 0 to 1"):
        lda.log_joint([[0]], [[-1]], half, third, 1, 1)


def test_counts_of_any_kind_become_one():
    dense = np.array([[0, 2, 1], [3, 0, 0]])
    for kind in (
        sparse.csr_matrix,
        sparse.csc_array,
        sparse.coo_array,
        np.array,
        np.ndarray.tolist,
    ):
        counts = lda.check_counts(kind(dense))
        assert isinstance(counts, sparse.csr_array)
        assert counts.dtype == float
        np.testing.assert_array_equal(counts.toarray(), dense)
    with pytest.raises(ValueError, match=r"X: got shape \(2, 3\), must be \(n_documents, 4\)"):
        lda.check_counts(dense, 4, "X")
    with pytest.raises(ValueError, match="counts: got shape"):
        lda.check_counts([1, 2, 3])
