"""EM for shares and topics: its steps, what it climbs, and that nothing of φ is kept."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from latent_em import lda


def steps(counts, lambda_, alpha, eta, n_steps):
    """The same EM with every φ written down, in double precision; yields θ and β too."""
    theta = counts.sum(axis=1)[:, np.newaxis] / len(lambda_) + np.broadcast_to(alpha, len(lambda_))
    for _ in range(n_steps):
        beta = lambda_ / lambda_.sum(axis=1, keepdims=True)
        joint = theta[:, :, np.newaxis] * beta  # (M, K, V)
        used = counts[:, np.newaxis] * joint / joint.sum(axis=1, keepdims=True)
        theta, lambda_ = alpha + used.sum(axis=2), eta + used.sum(axis=0)
        yield theta, lambda_


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("numbers", [1, 50, 2**18])
def test_steps_are_those_with_a_dense_phi(seed, numbers, monkeypatch):
    monkeypatch.setattr("latent_em.lda._start._NUMBERS", numbers)
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (14, 9)) * rng.uniform(0.5, 2)
    counts[3], counts[:, 5] = 0, 0
    alpha, eta = 0.3, 0.2
    if seed % 2:
        alpha, eta = rng.uniform(0.1, 1, 4), rng.uniform(0.1, 1, 9)

    def run(n):
        return lda.em_start(counts, 4, alpha, eta, max_iter=n, random_state=seed)

    start = run(0)
    assert (start.lambda_ - eta).sum() == pytest.approx(counts.sum(), rel=1e-5)
    expected = [lambda_ for _, lambda_ in steps(counts, start.lambda_, alpha, eta, 6)]
    for n in (1, 2, 6):
        np.testing.assert_allclose(run(n).lambda_, expected[n - 1], rtol=1e-4)
    np.testing.assert_array_equal(run(2).alpha, alpha)
    np.testing.assert_array_equal(run(2).eta, eta)


@pytest.mark.parametrize("seed", range(5))
def test_they_climb_the_likelihood_with_its_priors(seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.0, (20, 12))
    start = lda.em_start(counts, 3, 0.4, 0.2, max_iter=0, random_state=seed)
    heights = []
    for theta, lambda_ in steps(counts, start.lambda_, 0.4, 0.2, 30):
        theta, beta = (a / a.sum(axis=1, keepdims=True) for a in (theta, lambda_))
        prior = 0.4 * np.log(theta).sum() + 0.2 * np.log(beta).sum()
        heights.append((counts * np.log(theta @ beta)).sum() + prior)
    assert (np.diff(heights) > -1e-9).all()
    assert heights[-1] > heights[0] + 10


def test_the_seed_decides_and_counts_of_any_kind_will_do():
    counts = np.random.default_rng(3).poisson(1.0, (20, 12))
    one, same, other = (
        lda.em_start(counts, 3, 0.1, 0.1, random_state=s).lambda_ for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    for kind in (sparse.coo_matrix, sparse.csc_array):
        again = lda.em_start(kind(counts), 3, 0.1, 0.1, random_state=0)
        np.testing.assert_array_equal(again.lambda_, one)
    assert one.dtype == float


@pytest.mark.parametrize("prior", [1e-3, 1e-30])
def test_tiny_priors_and_nothing_to_divide(prior):
    counts = np.kron(np.eye(3), np.full((4, 5), 1000.0))
    counts[0] = 0
    lambda_ = lda.em_start(counts, 3, prior, prior, max_iter=100, random_state=0).lambda_
    np.testing.assert_allclose(lambda_.sum(axis=0), 3 * prior + counts.sum(axis=0), rtol=1e-5)
    assert (lambda_ > 0).all()
    empty = lda.em_start(np.zeros((3, 4)), 2, prior, prior, random_state=0)
    np.testing.assert_allclose(empty.lambda_, prior)
    one = lda.em_start(np.ones((3, 4)), 1, prior, prior, random_state=0)
    np.testing.assert_allclose(one.lambda_, 3 + prior, rtol=1e-6)


def test_topics_of_equal_documents_come_apart():
    counts = np.kron(np.eye(2), np.ones((8, 5)))
    lambda_ = lda.em_start(counts, 4, 0.1, 0.1, max_iter=1, random_state=0).lambda_
    assert min(np.abs(lambda_[k] - lambda_[:k]).max(axis=1).min() for k in (1, 2, 3)) > 0.01
    few = lda.em_start(counts[:1], 3, 0.1, 0.1, max_iter=1, random_state=0).lambda_
    assert np.abs(few[0] - few[1]).max() > 0.01


def test_phi_is_not_kept():
    """400 000 pairs and 50 topics would be 80 MB in single precision."""
    rng = np.random.default_rng(0)
    words = np.sort(rng.integers(0, 1000, (8000, 50)), axis=1).ravel()
    counts = sparse.csr_array((np.ones(400_000), words, np.arange(0, 400_001, 50)), (8000, 1000))
    counts.sum_duplicates()
    tracemalloc.start()
    lda.em_start(counts, 50, 0.1, 0.1, max_iter=2, random_state=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6


def test_errors_name_the_argument():
    counts = np.ones((3, 4))
    for name, value in {"n_components": 0, "alpha": 0, "eta": -1, "max_iter": -1}.items():
        arguments = {"n_components": 2, "alpha": 0.1, "eta": 0.1, name: value}
        with pytest.raises(ValueError, match=f"{name}: got {value}"):
            lda.em_start(counts, **arguments)
    with pytest.raises(ValueError, match="counts: got -1"):
        lda.em_start(-counts, 2, 0.1, 0.1)
