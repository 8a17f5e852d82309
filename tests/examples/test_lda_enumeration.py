import mpmath
import numpy as np
import pytest

from latent_em import lda
from latent_em.examples import lda_enumeration

WORDS = [[0, 1, 0], [2, 1], [2]]
COUNTS = np.array([[2, 1, 0], [0, 1, 1], [0, 0, 1]])


def test_evidence_of_one_word_is_uniform_and_of_two_is_by_hand():
    one = lda_enumeration.cases([[1]], 2, 3, 0.3, 0.7)
    assert lda_enumeration.log_evidence(one) == pytest.approx(np.log(1 / 3))
    # Two words of one document: the same topic with probability (α + 1) / (2α + 1), and then the
    # same word with probability (η + 1) / (3η + 1); else it is 1/3.
    same = 1.3 / 1.6
    two = lda_enumeration.cases([[1, 1]], 2, 3, 0.3, 0.7)
    want = np.log(1 / 3 * (same * 1.7 / 3.1 + (1 - same) / 3))
    assert lda_enumeration.log_evidence(two) == pytest.approx(want)


def test_evidence_of_all_texts_of_one_length_sums_to_one():
    texts = [[[a, b], [c]] for a in range(2) for b in range(2) for c in range(2)]
    logs = [lda_enumeration.log_evidence(lda_enumeration.cases(t, 3, 2, 0.2, 1.5)) for t in texts]
    assert np.exp(logs).sum() == pytest.approx(1)


@pytest.mark.parametrize(("alpha", "eta"), [(0.1, 0.1), (0.5, 2.0)])
@pytest.mark.parametrize("seed", range(3))
def test_evidence_is_the_elbo_plus_the_divergence(alpha, eta, seed):
    rng = np.random.default_rng(seed)
    gamma, lambda_ = rng.gamma(0.5, size=(3, 2)) + 0.05, rng.gamma(0.5, size=(2, 3)) + 0.05
    phi = lda.responsibilities(gamma, lambda_)
    of_words = np.concatenate([phi[m, w] for m, w in enumerate(WORDS)])
    cases = lda_enumeration.cases(WORDS, 2, 3, alpha, eta)
    gap = lda_enumeration.divergence(cases, of_words, gamma, lambda_, alpha, eta)
    bound = lda.elbo(COUNTS, gamma, lambda_, alpha, eta)
    assert gap > 0
    assert bound + gap == pytest.approx(lda_enumeration.log_evidence(cases), abs=1e-10)


@pytest.mark.parametrize("a", [(0.05, 0.3), (0.7, 4.0), (30.0, 2.0, 0.5)])
def test_mean_log_is_the_digamma_difference(a):
    want = [float(mpmath.digamma(x) - mpmath.digamma(sum(a))) for x in a]
    np.testing.assert_allclose(lda_enumeration._mean_log(np.array(a)), want, rtol=1e-12)


def test_too_many_words_are_refused():
    with pytest.raises(ValueError, match=r"words: got 21 of them, 2\*\*21 cases, too many"):
        lda_enumeration.cases([[0] * 21], 2, 1, 1.0, 1.0)
