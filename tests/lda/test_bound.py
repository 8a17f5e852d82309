"""The bound: its terms, other people's values of it, and the evidence it lies beneath."""

import itertools
import math

import numpy as np
import pytest
from scipy import sparse
from scipy.special import psi, softmax
from sklearn.decomposition import LatentDirichletAllocation as Peer

from latent_em import lda


@pytest.mark.parametrize("seed", range(20))
def test_the_terms_add_up_to_the_bound_and_so_do_documents_and_topics(seed, make_problem):
    counts, gamma, params = make_problem(np.random.default_rng(seed))
    bound = lda.elbo(counts, gamma, *params)
    assert sum(lda.elbo_terms(counts, gamma, *params)) == pytest.approx(bound, rel=1e-11)
    parts = lda.document_bounds(counts, gamma, params).sum() + lda.global_bound(params)
    assert parts == pytest.approx(bound, rel=1e-14)
    dense = lda.elbo(counts.toarray(), gamma, *params)
    assert dense == bound


@pytest.mark.parametrize("seed", range(5))
def test_each_term_is_its_formula(seed, make_problem):
    counts, gamma, params = make_problem(np.random.default_rng(seed))
    n, (lambda_, alpha, eta) = counts.toarray(), params
    alpha, eta = np.broadcast_to(alpha, gamma.shape[1]), np.broadcast_to(eta, n.shape[1])
    phi = lda.responsibilities(gamma, lambda_)
    elog_theta = psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))
    elog_beta = psi(lambda_) - psi(lambda_.sum(axis=1, keepdims=True))

    def log_c(a):
        return math.lgamma(sum(a)) - sum(map(math.lgamma, a))

    expected = lda.Terms(
        log_theta=sum(log_c(alpha) + (alpha - 1) @ t for t in elog_theta),
        log_z=np.einsum("mv,mvk,mk->", n, phi, elog_theta),
        log_w=np.einsum("mv,mvk,kv->", n, phi, elog_beta),
        log_beta=sum(log_c(eta) + (eta - 1) @ b for b in elog_beta),
        entropy_theta=-sum(log_c(g) + (g - 1) @ t for g, t in zip(gamma, elog_theta, strict=True)),
        entropy_z=-np.einsum("mv,mvk,mvk->", n, phi, np.log(phi)),
        entropy_beta=-sum(log_c(c) + (c - 1) @ b for c, b in zip(lambda_, elog_beta, strict=True)),
    )
    np.testing.assert_allclose(lda.elbo_terms(counts, gamma, *params), expected, rtol=1e-10)


def peer_with(params, n_components):
    """Return scikit-learn's estimator with these parameters."""
    peer = Peer(n_components)
    peer.components_, peer.doc_topic_prior_, peer.topic_word_prior_ = params
    return peer


@pytest.mark.parametrize("seed", range(10))
def test_bound_is_that_of_scikit_learn(seed, make_problem):
    counts, gamma, params = make_problem(np.random.default_rng(seed), 40, 60, 5)
    params = params._replace(alpha=float(np.mean(params.alpha)), eta=float(np.mean(params.eta)))
    _, _, fitted = lda.e_step(params, counts)
    for some in (gamma, fitted):
        expected = peer_with(params, 5)._approx_bound(counts, some, sub_sampling=False)
        assert lda.elbo(counts, some, *params) == pytest.approx(expected, rel=1e-9)


def test_published_values_of_spark():
    """LDASuite of Spark MLlib, whose values come from gensim; single precision shows in them."""
    lambda_ = [
        [1.86738052, 1.94056535, 1.89981687, 0.0833265, 0.07405918, 0.07940597],
        [0.15081551, 0.08637973, 0.12428538, 1.9474897, 1.94615165, 1.95204124],
    ]
    params = lda.Params(np.array(lambda_), 0.01, 0.01)
    one, two = np.array([[1.0, 0, 0, 0, 0, 0]]), np.array([[1.0, 1, 0, 0, 0, 0]])
    _, bound, gamma = lda.e_step(params, one, None, 1000, 0)
    assert bound + lda.global_bound(params) == pytest.approx(-25.9706969833, abs=2e-6)
    assert lda.elbo(one, gamma, *params) == pytest.approx(-25.9706960547, abs=1e-9)
    _, _, gamma = lda.e_step(params, two, None, 1000, 0)
    assert gamma[0, 0] / gamma.sum() == pytest.approx(0.9950495, abs=1e-7)


# The evidence of a corpus so small that all assignments of topics can be listed. Nothing below
# uses the library.


def log_polya(prior, counts):
    """Log-probability of one sequence with these counts, its distribution integrated out."""
    total = math.lgamma(sum(prior)) - math.lgamma(sum(prior) + sum(counts))
    return total + sum(
        math.lgamma(a + n) - math.lgamma(a) for a, n in zip(prior, counts, strict=True)
    )


def kl(a, b):
    """Divergence of Dirichlet distributions."""
    log_c = [math.lgamma(sum(x)) - sum(map(math.lgamma, x)) for x in (a, b)]
    return log_c[0] - log_c[1] + (np.subtract(a, b) @ (psi(a) - psi(sum(a))))


class Enumeration:
    """All assignments of topics to the tokens of a tiny corpus."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.n_topics, self.n_words = int(rng.integers(1, 4)), int(rng.integers(1, 5))
        lengths = rng.integers(0, 5, size=int(rng.integers(1, 4)))
        while self.n_topics ** lengths.sum() > 800:
            lengths[lengths.argmax()] -= 1
        self.words = [rng.integers(0, self.n_words, n) for n in lengths]
        self.alpha = rng.uniform(0.05, 2, self.n_topics)
        self.eta = rng.uniform(0.05, 2, self.n_words)
        self.counts = np.array([np.bincount(w, minlength=self.n_words) for w in self.words])
        self.params = lda.Params(
            rng.gamma(1.0, 2, (self.n_topics, self.n_words)) + 0.05, self.alpha, self.eta
        )
        self.gamma = rng.gamma(1.0, 2, (len(lengths), self.n_topics)) + 0.05

    def assignments(self):
        """Yield z, the counts by document and topic, and by topic and word."""
        document = np.repeat(np.arange(len(self.words)), [len(w) for w in self.words])
        word = np.concatenate(self.words)
        for z in itertools.product(range(self.n_topics), repeat=len(word)):
            of_documents = np.zeros((len(self.words), self.n_topics))
            of_topics = np.zeros((self.n_topics, self.n_words))
            np.add.at(of_documents, (document, list(z)), 1)
            np.add.at(of_topics, (list(z), word), 1)
            yield list(zip(document, word, z, strict=True)), of_documents, of_topics

    def log_joint(self, of_documents, of_topics):
        return sum(log_polya(self.alpha, n) for n in of_documents) + sum(
            log_polya(self.eta, n) for n in of_topics
        )

    def log_evidence(self):
        return np.logaddexp.reduce([self.log_joint(*n) for _, *n in self.assignments()])

    def divergence(self, gamma, lambda_):
        """KL(q ‖ p(z, θ, β | w)): of z, then of θ and β given z."""
        elog_theta = psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))
        elog_beta = psi(lambda_) - psi(lambda_.sum(axis=1, keepdims=True))
        evidence, divergence = self.log_evidence(), 0.0
        for tokens, of_documents, of_topics in self.assignments():
            phis = [(softmax(elog_theta[m] + elog_beta[:, v])[k]) for m, v, k in tokens]
            log_p = self.log_joint(of_documents, of_topics) - evidence
            term = sum(map(math.log, phis)) - log_p
            term += sum(kl(g, self.alpha + n) for g, n in zip(gamma, of_documents, strict=True))
            term += sum(kl(c, self.eta + n) for c, n in zip(lambda_, of_topics, strict=True))
            divergence += math.prod(phis) * term
        return divergence


@pytest.mark.parametrize("seed", range(40))
def test_evidence_less_bound_is_the_divergence_from_the_posterior(seed):
    corpus = Enumeration(seed)
    params, gamma = corpus.params, corpus.gamma
    for _ in range(3):  # anywhere, then nearer and nearer to the best
        bound = lda.elbo(corpus.counts, gamma, *params)
        gap = corpus.log_evidence() - bound
        assert gap > -1e-9
        assert gap == pytest.approx(corpus.divergence(gamma, params.lambda_), rel=1e-8, abs=1e-8)
        stats, _, gamma = lda.e_step(params, corpus.counts, gamma)
        params = lda.m_step(stats)


@pytest.mark.parametrize("seed", range(5))
def test_bound_is_the_evidence_for_a_single_topic(seed):
    """Then q is no approximation: every z is known, and β has a Dirichlet posterior."""
    rng = np.random.default_rng(seed)
    counts, eta = rng.poisson(1.0, (6, 8)), rng.uniform(0.1, 2, 8)
    start = lda.Params(np.ones((1, 8)), 0.3, eta)
    stats, _, gamma = lda.e_step(start, counts)
    params = lda.m_step(stats)
    expected = log_polya(eta, counts.sum(axis=0))
    assert lda.elbo(counts, gamma, *params) == pytest.approx(expected, rel=1e-12)


# Each coordinate is at its maximum, given the rest.


@pytest.mark.parametrize("seed", range(5))
def test_no_other_phi_has_a_higher_bound(seed, make_problem):
    rng = np.random.default_rng(seed)
    counts, gamma, params = make_problem(rng)
    n, phi = counts.toarray(), lda.responsibilities(gamma, params.lambda_)
    elog_theta = psi(gamma) - psi(gamma.sum(axis=1, keepdims=True))
    elog_beta = psi(params.lambda_) - psi(params.lambda_.sum(axis=1, keepdims=True))

    def phi_terms(phi):
        inside = elog_theta[:, np.newaxis, :] + elog_beta.T - np.log(phi)
        return np.einsum("mv,mvk,mvk->", n, phi, inside)

    best = phi_terms(phi)
    terms = lda.elbo_terms(counts, gamma, *params)
    assert best == pytest.approx(terms.log_z + terms.log_w + terms.entropy_z, rel=1e-11)
    for size in (1e-3, 0.1, 1.0):
        other = phi * np.exp(size * rng.standard_normal(phi.shape))
        assert phi_terms(other / other.sum(axis=2, keepdims=True)) < best


@pytest.mark.parametrize("seed", range(5))
def test_no_other_gamma_or_lambda_has_a_higher_bound_at_the_end_of_a_fit(seed, make_problem):
    rng = np.random.default_rng(seed)
    counts, gamma, params = make_problem(rng)
    for _ in range(300):
        stats, _, gamma = lda.e_step(params, counts, gamma, 100, 1e-12)
        params = lda.m_step(stats)
    best = lda.elbo(counts, gamma, *params)
    for size in (1e-3, 0.03, 0.5):
        for _ in range(5):
            other = gamma * np.exp(size * rng.standard_normal(gamma.shape))
            assert lda.elbo(counts, other, *params) < best
            other = params.lambda_ * np.exp(size * rng.standard_normal(params.lambda_.shape))
            assert lda.elbo(counts, gamma, other, *params[1:]) < best


def test_topics_terms_are_counted_once_and_vanish_at_the_prior():
    assert lda.global_bound(lda.Params(np.full((3, 5), 0.2), 1.0, 0.2)) == 0
    eta = np.array([0.5, 1.0, 2.0])
    lambda_ = np.array([[1.0, 2.0, 3.0], [4.0, 0.5, 1.0]])
    expected = -kl(lambda_[0], eta) - kl(lambda_[1], eta)
    assert lda.global_bound(lda.Params(lambda_, 1.0, eta)) == pytest.approx(expected, rel=1e-12)


def test_errors_name_the_argument():
    counts, gamma, lambda_ = np.ones((2, 3)), np.ones((2, 4)), np.ones((4, 3))
    with pytest.raises(ValueError, match=r"gamma: got shape \(2, 3\), must be \(2, 4\)"):
        lda.elbo(counts, np.ones((2, 3)), lambda_, 1, 1)
    with pytest.raises(ValueError, match=r"gamma: got 0.0, must be positive"):
        lda.elbo_terms(counts, np.zeros((2, 4)), lambda_, 1, 1)
    with pytest.raises(ValueError, match=r"counts: got shape \(2, 3\), must be"):
        lda.document_bounds(counts, gamma, lda.Params(np.ones((4, 5)), 1, 1))
    with pytest.raises(ValueError, match=r"counts: got shape \(2, 3\), must be"):
        lda.document_bounds(sparse.csr_array(counts), gamma, lda.Params(np.ones((4, 5)), 1, 1))
    with pytest.raises(ValueError, match=r"counts: got -1.0.*must not be negative"):
        lda.elbo(-counts, gamma, lambda_, 1, 1)
    with pytest.raises(ValueError, match="counts: got nan"):
        lda.elbo(counts * np.nan, gamma, lambda_, 1, 1)
    with pytest.raises(ValueError, match="counts: got NaN or infinity"):
        lda.elbo(sparse.csr_array(counts * np.nan), gamma, lambda_, 1, 1)
    with pytest.raises(ValueError, match=r"alpha: got shape \(3,\), must be \(4,\)"):
        lda.elbo(counts, gamma, lambda_, np.ones(3), 1)
    with pytest.raises(ValueError, match="eta: got -1"):
        lda.elbo(counts, gamma, lambda_, 1, -1)
    with pytest.raises(ValueError, match=r"lambda_: got 0.0, must be positive"):
        lda.global_bound(lda.Params(np.zeros((4, 3)), 1, 1))
