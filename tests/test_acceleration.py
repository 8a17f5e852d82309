"""Extrapolated EM: the two rules by hand, and what it costs and keeps in every model."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, logit

from latent_em import bernoulli_mixture, datasets, gaussian_mixture, incomplete_normal
from latent_em import incomplete_mixture as incomplete
from latent_em.acceleration import anderson, propose_anderson, propose_squarem, squarem
from latent_em.covariances import DIAG, FULL, SPHERICAL, TIED
from latent_em.em import fit_em
from latent_em.examples import coins, linkage, poisson_mixture
from latent_em.inverse_wishart import inverse_wishart
from latent_em.weighted import Weighted

BOTH = ["squarem", "anderson"]


def test_squarem_by_hand():
    """r = (−3, −4), v = (1, 0): a = 5, and (7, 4) − 2·5·(3, 4) + 25·(1, 0) = (2, −36)."""
    x0, x1, x2 = np.array([[7.0, 4.0], [4.0, 0.0], [2.0, -4.0]])
    np.testing.assert_allclose(squarem(x0, x1, x2), [2, -36])


@pytest.mark.parametrize("factor", [0.9, 0.5, 0.1])
def test_squarem_finds_the_limit_of_steps_that_shrink_by_one_factor(factor):
    x = [3.0 + factor**t for t in range(3)]
    np.testing.assert_allclose(squarem(*map(np.array, x)), 3.0)


@pytest.mark.parametrize("steps", [[1.0, 0.0, 0.7], [0.0, 1.0, 2.0]])
def test_squarem_never_goes_less_far_than_the_two_steps(steps):
    """One that turned back, where a would be below 1, and two alike, where v is zero."""
    assert squarem(*map(np.array, steps)) == pytest.approx(steps[2])


def linear_map(seed, size=4):
    """A map M(x) = L + A (x − L) with multipliers .99 to .1, and its limit L."""
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(size, size))
    A = basis @ np.diag(np.linspace(0.1, 0.99, size)) @ np.linalg.inv(basis)
    limit = rng.normal(size=size)
    return lambda x: limit + A @ (x - limit), limit


def test_anderson_solves_a_linear_map_from_one_more_point_than_dimensions():
    em_map, limit = linear_map(0)
    points = np.random.default_rng(1).normal(size=(5, 4))
    np.testing.assert_allclose(anderson(points, [em_map(x) for x in points]), limit, atol=1e-8)
    near = anderson(points[:4], [em_map(x) for x in points[:4]])
    assert np.abs(near - limit).max() > 1e-3  # one too few


def test_anderson_by_hand_and_in_any_shape():
    """Steps −2 from 4 and −1 from 2: in proportion they vanish at 0."""
    points, images = np.reshape([4.0, 2.0], (2, 1, 1)), np.reshape([2.0, 1.0], (2, 1, 1))
    assert anderson(points, images).shape == (1, 1)
    np.testing.assert_allclose(anderson(points, images), 0, atol=1e-15)


def path_of(*pairs):
    return [tuple(np.array([number]) for number in pair) for pair in pairs]


def test_squarem_waits_for_a_plain_step():
    assert propose_squarem(path_of((8, 4))) is None
    assert propose_squarem(path_of((8, 4), (3, 1.5))) is None
    np.testing.assert_allclose(propose_squarem(path_of((8, 4), (4, 2))), 0, atol=1e-12)


def test_anderson_does_not_turn_back_to_a_saddle():
    """Steps that grow lead away from 0: anderson says 0, squarem 1 + 2·5·0.2 + 25·0.04."""
    path = path_of((1, 1.2), (1.2, 1.44))
    np.testing.assert_allclose(anderson(*zip(*path, strict=True)), 0, atol=1e-12)
    np.testing.assert_allclose(propose_anderson(path), 4)
    assert propose_anderson(path_of((1, 2), (2.5, 5))) is None
    assert propose_anderson(path[:1]) is None
    np.testing.assert_allclose(propose_anderson(path_of((8, 4), (3, 1.5))), 0, atol=1e-12)


def logistic(rate=0.99, refuse=lambda x: False):
    """A model of one number in (0, 1) whose logit EM takes nearer to 0 by ``rate``."""
    kept = []

    def e_step(params, chunk, local):
        if refuse(params):
            raise ValueError("params: refused")
        kept.append((params, local))
        stats = SimpleNamespace(n_samples=1, logit=logit(params))
        return stats, -(logit(params) ** 2), (local or ()) + (params,)

    return SimpleNamespace(
        e_step=e_step,
        m_step=lambda stats: expit(rate * stats.logit),
        pack=lambda params: np.array(logit(params)),
        unpack=lambda x: float(expit(x)),
        kept=kept,
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scheme", BOTH)
def test_extrapolated_steps_arrive_where_plain_ones_crawl(scheme):
    model = logistic()
    plain = fit_em(model, 0.9, [None], tol=1e-12, max_iter=5000)
    fast = fit_em(model, 0.9, [None], tol=1e-12, max_iter=5000, accelerate=scheme)
    assert plain.n_evaluations == plain.n_iter + 1 > 500
    assert fast.converged
    assert fast.n_evaluations < 8
    assert fast.params == pytest.approx(0.5, abs=1e-9)
    assert (np.diff(fast.lower_bounds) >= 0).all()


@pytest.mark.parametrize("scheme", BOTH)
@pytest.mark.parametrize("n_steps", [0, 1, 2, 3])
def test_the_bound_belongs_to_the_parameters_of_each_step(scheme, n_steps):
    result = fit_em(logistic(), 0.9, [None], tol=0, max_iter=n_steps, accelerate=scheme)
    assert len(result.lower_bounds) == result.n_iter + 1 == n_steps + 1
    assert result.lower_bounds[-1] == -(logit(result.params) ** 2)


def jumping_too_far(**options):
    """``unpack`` is wrong, so that every extrapolation lands at a worse point than any step."""
    model = logistic(**options)
    model.unpack = lambda x: 0.999
    return model


@pytest.mark.parametrize("scheme", BOTH)
@pytest.mark.parametrize("refuse", [lambda x: False, lambda x: x == 0.999], ids=["falls", "raises"])
def test_a_step_that_would_lower_the_bound_is_taken_back_with_what_the_chunks_kept(scheme, refuse):
    model = jumping_too_far(refuse=refuse)
    fast = fit_em(model, 0.9, [None], tol=0, max_iter=6, accelerate=scheme)
    plain = fit_em(logistic(), 0.9, [None], tol=0, max_iter=6)
    np.testing.assert_array_equal(fast.lower_bounds, plain.lower_bounds)
    assert fast.local == plain.local  # no trace of what was refused
    refused = sum(params == 0.999 for params, _ in model.kept)
    n_proposals = 5  # at every step but the first
    assert refused == (n_proposals if not refuse(0.999) else 0)
    assert fast.n_evaluations == plain.n_evaluations + n_proposals


@pytest.mark.parametrize("scheme", BOTH)
def test_a_plain_step_decides_when_to_stop(scheme):
    """With a tolerance that the last extrapolation does not reach, one plain step more."""
    model = logistic()
    result = fit_em(model, 0.9, [None], tol=1e-3, accelerate=scheme)
    assert result.converged
    last, before = model.kept[-1][0], result.local[0][-2]
    assert last == expit(0.99 * logit(before))


def test_the_names_and_what_the_model_needs():
    for wrong in ("aitken", 3):
        with pytest.raises(ValueError, match=r"accelerate: got .* None or one of 'squarem', 'and"):
            fit_em(logistic(), 0.9, [None], accelerate=wrong)
    model = logistic()
    del model.unpack
    with pytest.raises(TypeError, match=r"model: has no unpack, must have both for accelerate='s"):
        fit_em(model, 0.9, [None], accelerate="squarem")


DEATHS = Weighted(*datasets.load_london_times())
FAITHFUL = np.column_stack(datasets.load_old_faithful())
CARCINOMA = Weighted(*datasets.load_carcinoma())


def residuals(model, start, chunk, **options):
    """‖EM(θ) − θ‖ / ‖θ‖ at each evaluation of a fit, those refused too."""
    found = []

    def e_step(params, chunk, local):
        stats, bound, local = model.e_step(params, chunk, local)
        at, step = np.hstack(params), np.hstack(model.m_step(stats)) - np.hstack(params)
        found.append(np.linalg.norm(step) / np.linalg.norm(at))
        return stats, bound, local

    spy = SimpleNamespace(e_step=e_step, m_step=model.m_step, pack=model.pack, unpack=model.unpack)
    return fit_em(spy, start, [chunk], tol=0, **options), np.array(found)


@pytest.mark.parametrize(("weights", "rates"), [([0.4, 0.6], [1, 2]), ([0.3, 0.7], [1, 2.5])])
def test_the_deaths_of_the_london_times_in_under_thirty_evaluations(weights, rates):
    start = poisson_mixture.Params(np.array(weights), np.array(rates))
    fit, found = residuals(poisson_mixture, start, DEATHS, max_iter=40, accelerate="anderson")
    assert np.flatnonzero(found < 1e-8)[0] + 1 < 30
    assert np.diff(fit.lower_bounds).min() > -1e-11  # rounding, once nothing is left to climb
    np.testing.assert_allclose(fit.params.weights, [0.3599, 0.6401], atol=5e-5)
    np.testing.assert_allclose(fit.params.rates, [1.2561, 2.6634], atol=5e-5)
    _, found = residuals(poisson_mixture, start, DEATHS, max_iter=150, accelerate="squarem")
    assert np.flatnonzero(found < 1e-8)[0] + 1 < 130


def gaps(seed):
    rng = np.random.default_rng(seed)
    X = rng.multivariate_normal([1, 2, 3], [[1, 0.8, 0.3], [0.8, 2, 0.5], [0.3, 0.5, 1]], 150)
    X[rng.random(X.shape) < 0.5] = np.nan
    return X[~np.isnan(X).all(axis=1)]


def gaussian_start(kind, seed):
    resp = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), len(FAITHFUL))
    return gaussian_mixture.m_step(gaussian_mixture.moments(FAITHFUL, resp, kind))


MODELS = {
    "poisson mixture": (
        poisson_mixture,
        poisson_mixture.Params(np.array([0.4, 0.6]), np.array([1.0, 2.0])),
        DEATHS,
    ),
    "coins": (coins, coins.Params(np.array([0.6, 0.5])), datasets.load_two_coins()),
    "linkage": (linkage.Model(), linkage.Params(0.5), datasets.load_linkage()),
    "bernoulli mixture": (bernoulli_mixture, bernoulli_mixture.random_start(2, 7, 0), CARCINOMA),
    "with a beta prior": (
        bernoulli_mixture.BetaPrior(2, 2),
        bernoulli_mixture.random_start(3, 7, 1),
        CARCINOMA,
    ),
    "incomplete normal": (
        incomplete_normal,
        incomplete_normal.Params(np.zeros(3), np.eye(3)),
        gaps(0),
    ),
    "incomplete mixture": (
        incomplete,
        incomplete.Params(
            np.full(2, 0.5), np.array([[0.0, 1, 2], [2, 3, 4]]), np.stack([np.eye(3)] * 2)
        ),
        gaps(1),
    ),
    "gaussian mixture": (gaussian_mixture, gaussian_start(FULL, 0), FAITHFUL),
    "with a prior": (
        gaussian_mixture.Model(prior=inverse_wishart(1.0, 2)),
        gaussian_start(FULL, 1),
        FAITHFUL,
    ),
    **{
        kind.name: (gaussian_mixture.Model(kind), gaussian_start(kind, 2), FAITHFUL)
        for kind in (TIED, DIAG, SPHERICAL)
    },
}


@pytest.mark.parametrize("name", MODELS)
def test_unpack_undoes_pack(name):
    model, start, _ = MODELS[name]
    again = model.unpack(model.pack(start))
    assert type(again) is type(start)
    for one, other in zip(start, again, strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(other, one, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", MODELS)
def test_any_numbers_unpack_to_parameters(name):
    model, start, chunk = MODELS[name]
    packed = np.asarray(model.pack(start))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        params = model.unpack(packed + rng.normal(scale=2, size=packed.shape))
        _, bound, _ = model.e_step(params, chunk, None)  # refuses what is no parameter
        assert np.isfinite(bound)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scheme", BOTH)
@pytest.mark.parametrize("name", MODELS)
def test_every_model_climbs_to_where_plain_steps_lead(name, scheme):
    model, start, chunk = MODELS[name]
    options = {"tol": 1e-9, "max_iter": 5000}
    plain = fit_em(model, start, [chunk], **options)
    fast = fit_em(model, start, [chunk], accelerate=scheme, **options)
    assert fast.converged
    rounding = 1e-12 * abs(plain.lower_bounds[0])
    assert np.diff(fast.lower_bounds).min() > -rounding
    assert fast.lower_bounds[-1] > plain.lower_bounds[-1] - 1e-3
    if plain.n_iter > 30:
        assert fast.n_evaluations < plain.n_evaluations


def test_parameters_at_the_end_of_their_range_pack_to_numbers():
    params = bernoulli_mixture.Params(np.array([1.0, 0.0]), np.array([[0.0, 0.5], [1.0, 0.2]]))
    packed = bernoulli_mixture.pack(params)
    assert np.isfinite(packed).all()
    weights, means = bernoulli_mixture.unpack(packed)
    np.testing.assert_allclose(weights, [1, 0], atol=1e-300)
    np.testing.assert_allclose(means, params.means, atol=1e-15)
    assert ((means > 0) & (means < 1)).all()
