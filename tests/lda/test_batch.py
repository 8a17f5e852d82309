"""Batch and online variational Bayes: ascent, and that nothing depends on how it is computed."""

import itertools
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse

from latent_em import dirichlet, lda
from latent_em.em import fit_em
from latent_em.lda import _documents


def random_problem(seed):
    """Any kind of corpus: tiny priors, words never seen, empty documents, fractions, K = 1."""
    rng = np.random.default_rng(seed)
    n_documents, n_words, n_topics = rng.integers(1, [12, 20, 7], endpoint=True)
    counts = rng.poisson(rng.gamma(0.3, 4, n_words), (n_documents, n_words)).astype(float)
    if seed % 3 == 0:
        counts *= rng.uniform(0, 2, counts.shape)  # fractions
    if seed % 4 == 0:
        counts[rng.random(n_documents) < 0.4] = 0  # empty documents
    if seed % 5 == 0:
        counts[:, rng.random(n_words) < 0.5] = 0  # words never seen
    if seed % 7 == 0:
        counts *= 1000
    alpha, eta = 10 ** rng.uniform(-3, 1, 2)
    if seed % 6 == 0:
        alpha = eta = 1e-3
    if seed % 2:
        alpha = alpha * rng.uniform(0.5, 2, n_topics)
        eta = eta * rng.uniform(0.5, 2, n_words) if seed % 8 != 3 else eta
    lambda_ = eta + rng.gamma(0.5, 2, (n_topics, n_words))
    params = lda.Params(lambda_, alpha, eta)
    learn = {"learn_alpha": seed % 8 in (1, 2), "learn_eta": seed % 8 in (2, 3)}
    stop = [{}, {"max_doc_iter": 1}, {"max_doc_iter": 5, "doc_tol": 0}][seed % 9 % 3]
    return counts, params, lda.Model(**learn, **stop)


def assert_ascends(seed):
    counts, params, model = random_problem(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fit_em(model, params, [sparse.csr_array(counts)], tol=0, max_iter=12)
    bounds = result.lower_bounds
    assert (np.diff(bounds) >= -1e-11 * np.abs(bounds).max()).all()
    assert all((np.asarray(value) > 0).all() for value in result.params)


@pytest.mark.parametrize("seed", range(60))
def test_no_sweep_lowers_the_bound(seed):
    assert_ascends(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60, 1000))
def test_no_sweep_lowers_the_bound_of_many_more(seed):
    assert_ascends(seed)


def test_the_module_is_a_model():
    counts, params, _ = random_problem(1)
    np.testing.assert_array_equal(
        fit_em(lda, params, [counts], max_iter=5).lower_bounds,
        fit_em(lda.Model(), params, [counts], max_iter=5).lower_bounds,
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_reported_is_that_of_the_parameters_returned(seed, make_problem):
    counts, _, params = make_problem(np.random.default_rng(seed))
    _, bound, gamma = lda.e_step(params, counts)
    expected = lda.document_bounds(counts, gamma, params).sum()
    assert bound == pytest.approx(expected, rel=1e-12)
    result = fit_em(lda, params, [counts], tol=0, max_iter=4)
    gamma = None
    for _ in range(4):
        stats, _, gamma = lda.e_step(params, counts, gamma)
        params = lda.m_step(stats)
    _, _, gamma = lda.e_step(params, counts, gamma)
    np.testing.assert_array_equal(result.params.lambda_, params.lambda_)
    assert result.lower_bounds[-1] == pytest.approx(lda.elbo(counts, gamma, *params), rel=1e-12)


# The E-step.


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_updates", [0, 1, 7])
def test_e_step_is_that_with_a_dense_phi(seed, n_updates, make_problem, plain_e_step):
    counts, _, params = make_problem(np.random.default_rng(seed))
    gamma, word_topic = plain_e_step(counts, params, n_updates)
    stats, _, ours = lda.e_step(params, counts, None, n_updates, 0)
    np.testing.assert_allclose(ours, gamma, rtol=1e-10)
    np.testing.assert_allclose(stats.word_topic, word_topic, rtol=1e-9, atol=1e-12)
    elog_theta = dirichlet.expected_log(gamma)
    np.testing.assert_allclose(stats.log_theta, elog_theta.sum(axis=0), rtol=1e-10)
    assert stats.n_samples == counts.shape[0]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("prior", [1e-3, 2e-4])
def test_shares_that_underflow_are_computed_all_the_same(seed, prior, plain_e_step):
    """exp ψ(0.001) is zero: words of their own topic, in documents that live on another one."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.4, (9, 12)).astype(float)
    counts[4] = 0
    lambda_ = prior + np.repeat(np.eye(3), 4, axis=1) * rng.uniform(0.5, 40, 12)
    lambda_[:, 11] = prior  # never seen before
    params = lda.Params(lambda_, prior, prior)
    gamma = prior + 50 * np.eye(3)[rng.integers(0, 3, 9)]
    counts_sparse = sparse.csr_array(counts)
    block = _documents.Documents(counts_sparse, _documents.Topics(lambda_))
    assert block.shares(gamma).lost.size > 0
    phi = lda.responsibilities(gamma, lambda_)
    expected = np.einsum("mv,mvk->kv", counts, phi)
    stats, bound, _ = lda.e_step(params, counts, gamma, 0)
    np.testing.assert_allclose(stats.word_topic, expected, rtol=1e-9, atol=1e-300)
    assert bound + lda.global_bound(params) == pytest.approx(
        sum(lda.elbo_terms(counts, gamma, *params)), rel=1e-10
    )
    _, _, once = lda.e_step(params, counts, gamma, 1)
    np.testing.assert_allclose(once, prior + np.einsum("mv,mvk->mk", counts, phi), rtol=1e-9)
    expected, _ = plain_e_step(counts_sparse, params, 20)
    np.testing.assert_allclose(lda.e_step(params, counts, None, 20, 0)[2], expected, rtol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_sums_that_must_hold(seed, make_problem):
    counts, _, params = make_problem(np.random.default_rng(seed))
    n_topics, n_words = params.lambda_.shape
    stats, _, gamma = lda.e_step(params, counts)
    of_documents = np.broadcast_to(params.alpha, n_topics).sum() + counts.sum(axis=1)
    np.testing.assert_allclose(gamma.sum(axis=1), of_documents, rtol=1e-12)
    np.testing.assert_allclose(stats.word_topic.sum(axis=0), counts.sum(axis=0), rtol=1e-12)
    total = n_topics * np.broadcast_to(params.eta, n_words).sum() + counts.sum()
    assert lda.m_step(stats).lambda_.sum() == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("n_topics", [1, 2, 3, 4, 5, 8, 17])
@pytest.mark.parametrize("numbers", [1, 64, 2**17])
def test_chunks_and_blocks_change_nothing(n_topics, numbers, make_problem, monkeypatch):
    counts, _, params = make_problem(np.random.default_rng(n_topics), 53, 40, n_topics)
    whole, _, gamma = lda.e_step(params, counts)
    monkeypatch.setattr(_documents, "_NUMBERS", numbers)
    rng = np.random.default_rng(0)
    for n_cuts in (0, 1, 7, 52):
        cuts = [0, *np.sort(rng.choice(np.arange(1, 53), n_cuts, replace=False)), 53]
        parts = [lda.e_step(params, counts[a:b]) for a, b in itertools.pairwise(cuts)]
        np.testing.assert_array_equal(np.concatenate([part[2] for part in parts]), gamma)
        stats = parts[0][0]
        for part in parts[1:]:
            stats = stats + part[0]
        assert stats.n_samples == 53
        np.testing.assert_allclose(stats.word_topic, whole.word_topic, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(stats.log_theta, whole.log_theta, rtol=1e-12)


def test_a_document_does_not_wait_for_others(make_problem):
    """Each stops by its own rule: alone, and among many that need longer."""
    counts, _, params = make_problem(np.random.default_rng(8), 30, 25, 6, 3.0, (-2, -1))
    _, _, together = lda.e_step(params, counts, None, 200, 1e-5)
    for m in range(30):
        _, _, alone = lda.e_step(params, counts[[m]], None, 200, 1e-5)
        np.testing.assert_array_equal(alone[0], together[m])
    _, _, settled = lda.e_step(params, counts, together, 2000, 1e-13)
    assert 0 < np.abs(settled - together).max() < 0.05


def fit_in_chunks(executor):
    rng = np.random.default_rng(9)
    counts = sparse.csr_array(rng.poisson(0.5, (60, 30)).astype(float))
    start = lda.Params(rng.gamma(1.0, 1.0, (5, 30)) + 0.1, 0.2, 0.1)
    chunks = [counts[i : i + 17] for i in range(0, 60, 17)]
    model = lda.Model(learn_alpha=True)
    return fit_em(model, start, chunks, tol=0, max_iter=8, executor=executor)


def assert_same(a, b):
    np.testing.assert_array_equal(a.lower_bounds, b.lower_bounds)
    for one, other in zip(a.params, b.params, strict=True):
        np.testing.assert_array_equal(one, other)


def test_threads_change_nothing():
    with ThreadPoolExecutor(3) as executor:
        assert_same(fit_in_chunks(executor), fit_in_chunks(None))


@pytest.mark.slow
def test_processes_change_nothing():
    with ProcessPoolExecutor(2) as executor:
        assert_same(fit_in_chunks(executor), fit_in_chunks(None))


def test_counts_and_gamma_given_are_not_written_to(make_problem):
    counts, gamma, params = make_problem(np.random.default_rng(10))
    messy = sparse.csr_array(
        (np.array([1.0, 0.0, 2.0, 1.0]), np.array([3, 1, 3, 0]), np.array([0, 4])), (1, 15)
    )
    copies = counts.copy(), gamma.copy(), messy.data.copy(), messy.indices.copy()
    lda.e_step(params, counts, gamma)
    _, _, of_messy = lda.e_step(params, messy)
    np.testing.assert_array_equal(of_messy, lda.e_step(params, messy.toarray())[2])
    np.testing.assert_array_equal(counts.toarray(), copies[0].toarray())
    np.testing.assert_array_equal(gamma, copies[1])
    np.testing.assert_array_equal(messy.data, copies[2])
    np.testing.assert_array_equal(messy.indices, copies[3])


def test_no_dense_copy_of_the_counts():
    """2000 documents of 100 000 words would be 1600 MB; 50 topics of them are 40."""
    script = """
import resource, sys
import numpy as np
from scipy import sparse
from latent_em import lda
rng = np.random.default_rng(0)
words = np.sort(rng.integers(0, 100_000, (2000, 50)), axis=1).ravel()
counts = sparse.csr_array((np.ones(100_000), words, np.arange(0, 100_001, 50)), (2000, 100_000))
params = lda.Params(rng.gamma(1.0, 1.0, (50, 100_000)), 0.1, 0.1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
stats, _, _ = lda.e_step(params, counts, None, 3)
lda.m_step(stats)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((peak - before) / (1 if sys.platform == "darwin" else 1) / 1024)
"""
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert float(out.stdout) < 400  # MB more than before the call


# The M-step.


def test_learned_alpha_is_the_best(make_problem):
    counts, gamma, params = make_problem(np.random.default_rng(11), 40, 15, 4)
    stats, _, gamma = lda.e_step(params, counts, gamma)
    params = lda.m_step(stats, learn_alpha=True)
    best = lda.elbo(counts, gamma, *params)
    assert params.alpha.shape == (4,)
    for step in 1e-3 * np.vstack([np.eye(4), -np.eye(4)]):
        other = params._replace(alpha=params.alpha * (1 + step))
        assert lda.elbo(counts, gamma, *other) < best


def test_learned_eta_is_the_best(make_problem):
    counts, gamma, params = make_problem(np.random.default_rng(12), 40, 15, 4)
    stats, _, gamma = lda.e_step(params, counts, gamma)
    params = lda.m_step(stats, learn_eta=True)
    best = lda.elbo(counts, gamma, *params)
    for factor in (0.999, 1.001):
        assert lda.elbo(counts, gamma, *params._replace(eta=factor * params.eta)) < best


def test_one_topic_and_one_word_leave_nothing_to_learn():
    stats, _, _ = lda.e_step(lda.Params(np.ones((1, 3)), 0.4, 0.2), np.ones((2, 3)))
    assert lda.m_step(stats, learn_alpha=True).alpha == 0.4
    stats, _, _ = lda.e_step(lda.Params(np.ones((2, 1)), 0.4, 0.2), np.ones((2, 1)))
    assert lda.m_step(stats, learn_eta=True).eta == 0.2


def test_one_eta_for_all_words_is_not_learned_from_one_for_each():
    stats, _, _ = lda.e_step(lda.Params(np.ones((2, 3)), 0.4, np.ones(3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"eta: got shape \(3,\) with learn_eta, must be one"):
        lda.m_step(stats, learn_eta=True)


def test_learned_alpha_recovers_the_one_that_made_the_corpus():
    rng = np.random.default_rng(13)
    true = np.array([0.2, 0.5, 1.0])
    beta = np.kron(np.eye(3), np.full(10, 100.0)) + 0.1
    corpus = lda.sample(lda.Params(beta, true, 1.0), np.full(600, 100), rng)
    start = lda.Params(beta, 0.5, 0.1)
    result = fit_em(lda.Model(learn_alpha=True), start, [corpus.counts], tol=1e-8, max_iter=100)
    np.testing.assert_allclose(result.params.alpha, true, rtol=0.15)


# Online steps.


@pytest.mark.parametrize("seed", range(3))
def test_a_full_online_step_is_the_m_step(seed, make_problem):
    counts, _, params = make_problem(np.random.default_rng(seed))
    stats, _, _ = lda.e_step(params, counts)
    step = lda.online_step(params, stats, 1.0, counts.shape[0])
    np.testing.assert_allclose(step.lambda_, lda.m_step(stats).lambda_, rtol=1e-15)
    # Half the step, with one document for all of them.
    stats, _, _ = lda.e_step(params, counts[[0]])
    half = lda.online_step(params, stats, 0.25, 200)
    expected = 0.75 * params.lambda_ + 0.25 * (params.eta + 200 * stats.word_topic)
    np.testing.assert_allclose(half.lambda_, expected, rtol=1e-15)


def test_a_batch_like_the_rest_stands_for_the_corpus(make_problem):
    """All documents equal: one of them, scaled, gives the step that all of them give."""
    counts, _, params = make_problem(np.random.default_rng(14))
    all_documents = sparse.vstack([counts[[0]]] * 9, format="csr")
    stats, _, _ = lda.e_step(params, all_documents)
    one, _, _ = lda.e_step(params, counts[[0]])
    step = lda.online_step(params, one, 1.0, 9)
    np.testing.assert_allclose(step.lambda_, lda.m_step(stats).lambda_, rtol=1e-12)


def test_errors_name_the_argument():
    params = lda.Params(np.ones((2, 3)), 0.1, 0.1)
    with pytest.raises(ValueError, match=r"counts: got shape \(1, 4\), must be"):
        lda.e_step(params, np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"local: got shape \(1, 3\), must be \(1, 2\)"):
        lda.e_step(params, np.ones((1, 3)), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"local: got 0.0, must be positive"):
        lda.e_step(params, np.ones((1, 3)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="max_doc_iter: got -1"):
        lda.e_step(params, np.ones((1, 3)), None, -1)
    with pytest.raises(ValueError, match="doc_tol: got -1"):
        lda.e_step(params, np.ones((1, 3)), doc_tol=-1)
    with pytest.raises(ValueError, match="counts: got no documents"):
        lda.e_step(params, np.ones((0, 3)))
    with pytest.raises(ValueError, match=r"gamma: got 0.0, must be positive"):
        lda.responsibilities([[0.0, 1.0]], np.ones((2, 3)))
    stats, _, _ = lda.e_step(params, np.ones((1, 3)))
    for rho in (-0.1, 1.5):
        with pytest.raises(ValueError, match=f"rho: got {rho}, must be"):
            lda.online_step(params, stats, rho, 10)
    with pytest.raises(ValueError, match="n_documents: got -1"):
        lda.online_step(params, stats, 0.5, -1)
