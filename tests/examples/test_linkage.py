"""Genetic linkage: published iterates, the rate of convergence, other cells."""

import math
from itertools import islice

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from latent_em import bounds
from latent_em.datasets import load_linkage
from latent_em.em import fit_em, iterates, missing_information
from latent_em.examples import linkage

COUNTS = load_linkage()
MODEL = linkage.Model()
LIMIT = (15 + math.sqrt(53809)) / 394


def path(start, n_steps):
    steps = iterates(MODEL, linkage.Params(start), [COUNTS])
    return np.array([params.theta for params in islice(steps, n_steps + 1)])


def test_the_published_iterates():
    """Dempster, Laird and Rubin (1977), table 1; the print rounds the last digit."""
    published = [0.5, 0.608247423, 0.624321050, 0.626488879, 0.626777322, 0.626815632, 0.626820719]
    np.testing.assert_allclose(path(0.5, 6), published, rtol=0, atol=2e-9)


def test_the_limit_is_the_maximum():
    """The score 125/(2+θ) − 38/(1−θ) + 34/θ is zero where 197θ² − 15θ − 68 = 0."""
    assert path(0.5, 30)[-1] == pytest.approx(LIMIT, abs=1e-14)
    found = minimize_scalar(
        lambda theta: -MODEL.log_likelihood(linkage.Params(theta), COUNTS),
        bounds=(0.01, 0.99),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert found.x == pytest.approx(LIMIT, abs=1e-7)


def test_every_start_leads_there():
    for start in [1e-6, 0.1, 0.9, 1 - 1e-6]:
        assert path(start, 40)[-1] == pytest.approx(LIMIT, abs=1e-12)


def test_a_step_written_out():
    theta = 0.3
    y = 125 * (theta / 4) / (1 / 2 + theta / 4)
    assert path(theta, 1)[1] == pytest.approx((y + 34) / (y + 34 + 18 + 20), abs=1e-15)


def test_the_rate_is_the_missing_fraction_of_the_information():
    params = linkage.Params(LIMIT)
    predicted = missing_information(
        MODEL.observed_information(params, COUNTS), MODEL.complete_information(params, COUNTS)
    )
    assert predicted == pytest.approx(0.132779, abs=1e-6)
    errors = path(0.5, 10) - LIMIT
    assert errors[10] / errors[9] == pytest.approx(predicted[0], abs=1e-6)


@pytest.mark.parametrize("model", [MODEL, linkage.Model([[0.1, 0.6, 0.2], [0.1, 0.2, 0.6]])])
def test_the_observed_information_is_the_curvature_of_the_likelihood(model):
    theta, h = 0.4, 1e-4
    counts = COUNTS[: len(model.coefficients)]
    values = [model.log_likelihood(linkage.Params(theta + d), counts) for d in (-h, 0, h)]
    curvature = -(values[0] - 2 * values[1] + values[2]) / h**2
    exact = model.observed_information(linkage.Params(theta), counts)
    assert exact == pytest.approx(curvature, rel=1e-4)


def test_the_complete_information_is_the_curvature_of_q():
    theta, h = 0.4, 1e-4
    categories = np.arange(4)
    resp = bounds.posterior(MODEL.log_joint(linkage.Params(theta), categories))

    def q_function(theta):
        log_joint = MODEL.log_joint(linkage.Params(theta), categories)
        return COUNTS @ bounds.expected_log_joint(log_joint, resp)

    values = [q_function(theta + d) for d in (-h, 0, h)]
    curvature = -(values[0] - 2 * values[1] + values[2]) / h**2
    exact = MODEL.complete_information(linkage.Params(theta), COUNTS)
    assert exact == pytest.approx(curvature, rel=1e-4)


def test_the_bound_is_the_likelihood_and_chunks_add():
    whole = fit_em(MODEL, linkage.Params(0.5), [COUNTS], tol=1e-12)
    parts = fit_em(MODEL, linkage.Params(0.5), [[100, 0, 20, 4], [25, 18, 0, 30]], tol=1e-12)
    assert whole.converged
    assert whole.n_iter == parts.n_iter
    np.testing.assert_allclose(whole.lower_bounds, parts.lower_bounds, rtol=1e-14)
    assert whole.lower_bounds[-1] == pytest.approx(MODEL.log_likelihood(whole.params, COUNTS))
    assert (np.diff(whole.lower_bounds) > -1e-12).all()


def test_other_cells():
    """All animals in cells of their own: the answer is a share, in one step."""
    model = linkage.Model([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert fit_em(model, linkage.Params(0.2), [[30, 10]], max_iter=1).params.theta == 0.75


def test_the_likelihood_at_the_ends():
    assert MODEL.log_likelihood(linkage.Params(0.0), COUNTS) == -np.inf
    assert MODEL.log_likelihood(linkage.Params(0.0), [5, 1, 1, 0]) == pytest.approx(
        5 * math.log(1 / 2) + 2 * math.log(1 / 4)
    )


@pytest.mark.parametrize(
    ("model", "theta", "counts", "message"),
    [
        (MODEL, 1.5, COUNTS, r"theta: got 1.5 at \(\), must be from 0 to 1"),
        (MODEL, np.nan, COUNTS, "theta: got nan"),
        (MODEL, [0.5], COUNTS, r"theta: got shape \(1,\), must be \(\)"),
        (MODEL, 0.5, [1, 2, 3], r"counts: got shape \(3,\), must be \(4,\)"),
        (MODEL, 0.5, [1, 2, -3, 1], "counts: got -3.0, must not be negative"),
        (MODEL, 0.5, [0, 0, 0, 0], "counts: got all zero"),
        (MODEL, 0.0, COUNTS, "log_joint: got -inf for every component in row 3"),
        (linkage.Model([[0.5, 0.5]]), 0.5, [1], r"coefficients: got shape \(1, 2\)"),
        (linkage.Model([[0.5, 0.5, 0.4]]), 0.5, [1], "must sum to 1"),
        (
            linkage.Model([[1.5, 0, 0], [-0.5, 0, 0]]),
            0.5,
            [1, 1],
            "coefficients: got -0.5, must not be negative",
        ),
    ],
)
def test_bad_input_is_named(model, theta, counts, message):
    with pytest.raises(ValueError, match=message):
        model.e_step(linkage.Params(theta), counts)


def test_counts_that_say_nothing_of_theta_are_refused():
    model = linkage.Model([[0.5, 0, 0], [0, 0.5, 0.5]])
    with pytest.raises(ValueError, match="counts: got no member of a cell that depends on theta"):
        fit_em(model, linkage.Params(0.5), [[7, 0]])
