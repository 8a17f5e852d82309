"""Perplexity of words held out, and coherence: against what the formulas say, word by word."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

from latent_em import lda


def brute_force_perplexity(params, gamma, heldout):
    total, n_tokens = 0.0, 0.0
    for m, document in enumerate(heldout):
        for v, n in enumerate(document):
            p = sum(
                gamma[m, k] / gamma[m].sum() * params.lambda_[k, v] / params.lambda_[k].sum()
                for k in range(len(params.lambda_))
            )
            total += n * math.log(p)
            n_tokens += n
    return math.exp(-total / n_tokens)


@pytest.mark.parametrize("seed", range(5))
def test_heldout_perplexity_is_its_formula(seed, make_problem):
    rng = np.random.default_rng(seed)
    observed, _, params = make_problem(rng)
    heldout = rng.poisson(1.0, observed.shape)
    _, _, gamma = lda.e_step(params, observed, None, 1000, 1e-6)
    expected = brute_force_perplexity(params, gamma, heldout)
    assert lda.heldout_perplexity(params, observed, heldout) == pytest.approx(expected, rel=1e-12)
    sparse_heldout = sparse.coo_matrix(heldout)
    found = lda.heldout_perplexity(params, observed.toarray(), sparse_heldout)
    assert found == pytest.approx(expected, rel=1e-12)


def test_heldout_perplexity_does_not_depend_on_batches(make_problem):
    """log perplexity is a mean over words, so that of the whole is the mean of the parts'."""
    rng = np.random.default_rng(6)
    observed, _, params = make_problem(rng, n_documents=30)
    heldout = rng.poisson(1.0, observed.shape)
    whole = math.log(lda.heldout_perplexity(params, observed, heldout))
    parts = [
        (math.log(lda.heldout_perplexity(params, observed[[m]], heldout[[m]])), heldout[m].sum())
        for m in range(30)
    ]
    mean = sum(n * part for part, n in parts) / heldout.sum()
    assert whole == pytest.approx(mean, rel=1e-13)


def test_perplexity_of_a_model_that_knows_nothing_is_the_size_of_the_vocabulary():
    params = lda.Params(np.ones((3, 8)), 0.1, 1.0)
    rng = np.random.default_rng(7)
    counts = rng.poisson(1.0, (5, 8))
    assert lda.heldout_perplexity(params, counts, counts) == pytest.approx(8)


def brute_force_coherence(row, counts, n_top):
    top = sorted(range(len(row)), key=lambda v: -row[v])[:n_top]
    holds = np.asarray(counts) > 0
    scores = []
    for u, v in combinations(top, 2):
        both = (holds[:, u] & holds[:, v]).mean()
        if both == 0:
            scores.append(-1.0)
        elif both == 1:
            scores.append(1.0)
        else:
            pmi = math.log(both / (holds[:, u].mean() * holds[:, v].mean()))
            scores.append(-pmi / math.log(both))
    return np.mean(scores)


@pytest.mark.parametrize("seed", range(10))
def test_coherence_is_its_formula(seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(1.0, 1.0, 15), (25, 15))
    counts[:, 3], counts[:, 4] = 0, 1  # one word never seen, one in every document
    topics = rng.gamma(0.5, 1.0, (4, 15))
    topics[0, 3:6] = 100
    for n_top in (2, 7, 15):
        expected = [brute_force_coherence(row, counts, n_top) for row in topics]
        np.testing.assert_allclose(lda.coherence(topics, counts, n_top), expected, atol=1e-12)
    doubled = sparse.csr_array(2.5 * counts)
    np.testing.assert_array_equal(lda.coherence(topics, counts), lda.coherence(topics, doubled))


def test_coherence_of_pairs_that_always_and_never_meet():
    counts = np.array([[1, 1, 0, 0, 2, 2, 0], [0, 0, 1, 1, 1, 1, 0], [0, 0, 1, 1, 3, 1, 0]])
    topics = np.zeros((5, 7))
    for k, pair in enumerate([(0, 1), (0, 2), (4, 5), (2, 3), (0, 6)]):
        topics[k, pair] = 1  # always together; never; both in all; always; one never seen
    np.testing.assert_allclose(lda.coherence(topics, counts, 2), [1, -1, 1, 1, -1], atol=1e-15)


def test_errors_name_the_argument():
    params, ones = lda.Params(np.ones((2, 3)), 0.1, 0.1), np.ones((4, 3))
    with pytest.raises(ValueError, match="heldout: got 3 documents, must be 4"):
        lda.heldout_perplexity(params, ones, ones[:3])
    with pytest.raises(ValueError, match="heldout: got no words"):
        lda.heldout_perplexity(params, ones, 0 * ones)
    with pytest.raises(ValueError, match=r"observed: got shape \(4, 2\)"):
        lda.heldout_perplexity(params, np.ones((4, 2)), ones)
    with pytest.raises(ValueError, match="heldout: got -1"):
        lda.heldout_perplexity(params, ones, -ones)
    with pytest.raises(ValueError, match="n_top: got 4, must be at most the 3 words"):
        lda.coherence(np.ones((2, 3)), ones, 4)
    with pytest.raises(ValueError, match="n_top: got 1, must be at least 2"):
        lda.coherence(np.ones((2, 3)), ones, 1)
    with pytest.raises(ValueError, match=r"counts: got shape \(4, 3\), must be"):
        lda.coherence(np.ones((2, 5)), ones)
