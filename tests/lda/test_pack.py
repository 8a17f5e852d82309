"""Parameters as real numbers, and the extrapolated steps of variational Bayes."""

import numpy as np
import pytest

from latent_em import lda
from latent_em.em import fit_em

GRID = np.eye(4).repeat(4, axis=0).reshape(4, 4, 4)
BARS = np.concatenate([GRID, GRID.transpose(0, 2, 1)]).reshape(8, 16) / 4


def start(seed, alpha=0.1, eta=0.1):
    return lda.Params(np.random.default_rng(seed).gamma(100, 0.01, (8, 16)), alpha, eta)


def documents(seed):
    certain = lda.Params(1e6 * BARS + 1e-3, 0.1, 0.1)
    return lda.sample(certain, [50] * 150, random_state=seed).counts


@pytest.mark.parametrize("alpha", [0.1, 1.0, np.linspace(0.1, 1, 8), np.ones(8)])
@pytest.mark.parametrize("eta", [0.3, 1.0, np.linspace(0.1, 2, 16), np.ones(16)])
def test_unpack_undoes_pack(alpha, eta):
    params = start(0, alpha, eta)
    again = lda.unpack(lda.pack(params))
    np.testing.assert_allclose(again.lambda_, params.lambda_, rtol=1e-14)
    for one, other in ((alpha, again.alpha), (eta, again.eta)):
        np.testing.assert_allclose(other, one, rtol=1e-14)
        assert np.ndim(other) == np.ndim(one) or np.all(other == 1)


def test_any_numbers_unpack_to_parameters():
    table = lda.pack(start(0, np.full(8, 0.2), 0.5))
    for seed in range(10):
        moved = table + np.random.default_rng(seed).normal(size=table.shape)
        lda.check_params(lda.unpack(moved))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scheme", ["squarem", "anderson"])
@pytest.mark.parametrize("learned", [False, True])
def test_extrapolated_sweeps_never_fall_and_save_some_of_the_last_ones(scheme, learned):
    """From where twenty sweeps have led; the median of six corpora."""
    model, saved = lda.Model(learn_alpha=learned, learn_eta=learned, max_doc_iter=5), []
    for seed in range(6):
        counts = documents(seed)
        begun = fit_em(model, start(seed), [counts], tol=0, max_iter=20)
        options = {"local": begun.local, "tol": 1e-6, "max_iter": 3000}
        plain = fit_em(model, begun.params, [counts], **options)
        fast = fit_em(model, begun.params, [counts], accelerate=scheme, **options)
        assert fast.converged
        assert np.diff(fast.lower_bounds).min() > -1e-8
        assert np.ndim(fast.params.eta) == 0
        saved.append(plain.n_evaluations / fast.n_evaluations)
    assert np.median(saved) > 1


def test_what_a_refused_jump_did_to_gamma_is_forgotten():
    """Each E-step goes on from the γ of the point that was accepted last."""
    model, counts, seen = lda.Model(max_doc_iter=3), documents(0), []

    class Spy:
        m_step, global_bound = staticmethod(model.m_step), staticmethod(model.global_bound)
        pack, unpack = staticmethod(model.pack), staticmethod(model.unpack)

        @staticmethod
        def e_step(params, chunk, local):
            stats, bound, after = model.e_step(params, chunk, local)
            seen.append((local, bound + model.global_bound(params), after))
            return stats, bound, after

    fit = fit_em(Spy, start(0), [counts], tol=1e-6, max_iter=300, accelerate="squarem")
    assert fit.n_evaluations > fit.n_iter + 1  # some were refused
    last = 0  # the visit that was accepted last
    for visit in range(1, len(seen)):
        assert seen[visit][0] is seen[last][2]
        refused = seen[visit][1] not in fit.lower_bounds
        last = last if refused else visit
    assert fit.local[0] is seen[last][2]
