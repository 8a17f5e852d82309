"""The loop: what it promises for any model."""

import signal
import subprocess
import sys
import textwrap
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from latent_em.em import LowerBoundDecreaseWarning, fit_em, iterates, missing_information
from latent_em.weighted import Weighted


class Stats(NamedTuple):
    n_samples: int
    total: float


class DataFrame:
    """As that of pandas in that it iterates over the names of its columns and has a shape."""

    shape = (3, 2)

    def __iter__(self):
        return iter("ab")


def halving(target=0.0, fall_at=None):
    """A model whose step halves the distance to ``target``; its bound is −n·distance²."""
    calls = {"m_step": 0}

    def e_step(params, chunk, local):
        visits = (local or 0) + 1
        return (
            Stats(len(chunk), len(chunk) * params),
            -len(chunk) * (params - target) ** 2,
            visits,
        )

    def m_step(stats):
        calls["m_step"] += 1
        params = stats.total / stats.n_samples
        if calls["m_step"] == fall_at:
            return params + 1.0
        return target + (params - target) / 2

    return SimpleNamespace(e_step=e_step, m_step=m_step)


CHUNKS = [np.zeros(3), np.zeros(5), np.zeros(2)]


def test_bound_is_reported_at_every_parameter_from_the_start_to_the_last():
    result = fit_em(halving(), 1.0, CHUNKS, tol=0, max_iter=5)
    np.testing.assert_array_equal(result.lower_bounds, [-10 * 0.25**t for t in range(6)])
    assert result.params == 0.5**5
    assert (result.n_iter, result.converged) == (5, False)


def test_stops_after_the_first_step_that_gains_less_than_tol_per_sample():
    result = fit_em(halving(), 1.0, CHUNKS, tol=1e-3, max_iter=100)
    gains = np.diff(result.lower_bounds) / 10
    assert result.converged
    assert gains[-1] < 1e-3 <= gains[-2]


def test_does_not_call_itself_converged_when_the_steps_run_out():
    assert not fit_em(halving(), 1.0, CHUNKS, tol=1e-3, max_iter=2).converged


def test_zero_steps_evaluate_the_bound_at_the_start():
    result = fit_em(halving(), 1.0, CHUNKS, max_iter=0)
    assert (result.params, result.n_iter, result.converged) == (1.0, 0, False)
    np.testing.assert_array_equal(result.lower_bounds, [-10])


def test_cutting_the_data_otherwise_changes_nothing():
    whole = fit_em(halving(), 1.0, [np.zeros(10)], tol=1e-9)
    pieces = fit_em(halving(), 1.0, CHUNKS, tol=1e-9)
    assert whole.n_iter == pieces.n_iter
    np.testing.assert_allclose(whole.lower_bounds, pieces.lower_bounds, rtol=1e-12)


def test_global_bound_is_counted_once():
    model = halving()
    model.global_bound = lambda params: 100.0
    assert fit_em(model, 1.0, CHUNKS, max_iter=0).lower_bounds[0] == 90.0


@pytest.mark.parametrize("max_iter", [0, 1, 5])
def test_n_steps_cost_n_plus_one_e_steps(max_iter):
    model, seen = halving(), []
    e_step = model.e_step
    model.e_step = lambda *args: (seen.append(args[0]), e_step(*args))[1]
    fit_em(model, 1.0, [np.zeros(3)], tol=0, max_iter=max_iter)
    assert seen == [0.5**t for t in range(max_iter + 1)]


def test_another_rule_sees_the_bounds_so_far_and_the_tolerance_of_all_samples():
    asked = []

    def third(lower_bounds, tolerance):
        asked.append((list(lower_bounds), tolerance))
        return len(asked) == 3

    result = fit_em(halving(), 1.0, CHUNKS, tol=0.1, max_iter=9, stop=third)
    assert (result.n_iter, result.converged) == (3, True)
    assert [tolerance for _, tolerance in asked] == [1.0] * 3
    assert [bounds for bounds, _ in asked] == [
        list(result.lower_bounds[:count]) for count in (2, 3, 4)
    ]


def test_every_chunk_gets_back_what_it_kept():
    seen = []
    model = halving()
    e_step = model.e_step

    def spy(params, chunk, local):
        seen.append((len(chunk), local))
        return e_step(params, chunk, local)

    model.e_step = spy
    fit_em(model, 1.0, CHUNKS, tol=0, max_iter=1)
    assert seen == [(3, None), (5, None), (2, None), (3, 1), (5, 1), (2, 1)]


def test_a_fit_goes_on_from_where_another_stopped():
    whole = fit_em(halving(), 1.0, CHUNKS, tol=0, max_iter=5)
    part = fit_em(halving(), 1.0, CHUNKS, tol=0, max_iter=2)
    assert part.local == [3, 3, 3]  # visits: the start, and after each step
    rest = fit_em(halving(), part.params, CHUNKS, local=part.local, tol=0, max_iter=3)
    np.testing.assert_array_equal(rest.lower_bounds, whole.lower_bounds[2:])
    assert rest.params == whole.params
    assert rest.local == [7, 7, 7]  # the first of them once more at the same parameters
    assert (part.n_evaluations, rest.n_evaluations) == (3, 4)


def test_executor_gives_the_same_result():
    alone = fit_em(halving(), 1.0, CHUNKS, tol=1e-9)
    with ThreadPoolExecutor(2) as executor:
        together = fit_em(halving(), 1.0, CHUNKS, tol=1e-9, executor=executor)
    np.testing.assert_array_equal(alone.lower_bounds, together.lower_bounds)


def test_statistics_with_their_own_addition_are_added_by_it():
    model = halving()
    e_step = model.e_step
    model.e_step = lambda *args: (np.array([e_step(*args)[0].total]).view(Counted), 0.0, None)
    model.m_step = lambda stats: float(stats[0])
    result = fit_em(model, 1.0, CHUNKS, max_iter=1)
    assert result.params == 10.0


class Counted(np.ndarray):
    n_samples = 10


def test_the_statistics_of_many_chunks_are_never_held_at_once():
    alive, most = weakref.WeakSet(), []

    class Sum:
        n_samples = 1

        def __init__(self):
            alive.add(self)
            most.append(len(alive))

        def __add__(self, other):
            return Sum()

    model = SimpleNamespace(e_step=lambda *args: (Sum(), 0.0, None), m_step=lambda stats: 1.0)
    fit_em(model, 1.0, [0] * 100, max_iter=1)
    assert len(most) == 2 * (100 + 99)
    assert max(most) <= 5


def test_warns_of_a_fall_and_goes_on():
    with pytest.warns(LowerBoundDecreaseWarning, match="step 3: the lower bound fell from"):
        result = fit_em(halving(fall_at=3), 1.0, CHUNKS, tol=1e-9)
    assert result.converged
    assert result.lower_bounds[3] < result.lower_bounds[2]


@pytest.mark.filterwarnings("error")
def test_rounding_is_no_fall():
    model = halving()
    noise = iter([0, -1e-13, 1e-13, -1e-13, 0, 0])
    model.global_bound = lambda params: 1e3 * (1 + next(noise))
    model.m_step = lambda stats: 1.0
    fit_em(model, 1.0, CHUNKS, tol=0, max_iter=5)


def test_a_bound_that_is_not_finite_is_an_error_and_the_fit_so_far_survives():
    model = halving()
    e_step = model.e_step

    def breaks(params, chunk, local):
        stats, bound, local = e_step(params, chunk, local)
        return stats, np.nan if params < 0.2 else bound, local

    model.e_step = breaks
    with pytest.raises(FloatingPointError, match="lower bound: got nan") as caught:
        fit_em(model, 1.0, CHUNKS, tol=0, max_iter=9)
    result = caught.value.em_result
    assert (result.params, result.n_iter, len(result.lower_bounds)) == (0.25, 2, 3)


def test_interrupt_returns_the_last_complete_step():
    model = halving()
    m_step, steps = model.m_step, []

    def interrupted(stats):
        steps.append(stats)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return m_step(stats)

    model.m_step = interrupted
    result = fit_em(model, 1.0, CHUNKS, tol=0, max_iter=9)
    assert (result.params, result.n_iter, result.converged) == (0.125, 3, False)
    assert len(result.lower_bounds) == 4


def test_a_real_ctrl_c_in_a_real_process():
    program = """
        import numpy as np
        from latent_em import gaussian_mixture as gm
        from latent_em.em import fit_em
        X = np.random.default_rng(0).standard_normal((200_000, 4))
        start = gm.Params(np.full(3, 1 / 3), X[:3], np.stack([np.eye(4)] * 3))
        print("ready", flush=True)
        result = fit_em(gm, start, [X], tol=0, max_iter=10**9)
        assert len(result.lower_bounds) == result.n_iter + 1
        if result.n_iter:
            again = gm.log_likelihood(result.params, X)
            np.testing.assert_allclose(again, result.lower_bounds[-1], rtol=1e-12)
        print("returned", result.converged, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("returned False\n", 0), err


def test_progress_goes_to_standard_error(capsys):
    fit_em(halving(), 1.0, CHUNKS, tol=0, max_iter=5, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "5/5" in shown.err
    fit_em(halving(), 1.0, CHUNKS, tol=0, max_iter=5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tol": -1}, ValueError, "tol: got -1, must be a finite number of at least 0"),
        ({"tol": np.nan}, ValueError, "tol: got nan"),
        ({"tol": "fast"}, TypeError, "tol: got 'fast', must be a number"),
        ({"max_iter": -1}, ValueError, "max_iter: got -1, must be at least 0"),
        ({"max_iter": 2.5}, TypeError, "max_iter: got 2.5, must be an integer"),
        ({"accelerate": "squarem"}, TypeError, "model: has no pack and no unpack, must have"),
        ({"accelerate": "faster"}, ValueError, "accelerate: got 'faster', must be None or one of"),
        ({"local": [None]}, ValueError, "local: got 1, must be 3, one for each chunk"),
        ({"chunks": []}, ValueError, "chunks: got none"),
        ({"chunks": np.zeros((3, 2))}, TypeError, r"got ndarray of shape \(3, 2\), .* as \[X\]"),
        ({"chunks": DataFrame()}, TypeError, r"chunks: got DataFrame of shape \(3, 2\)"),
        ({"chunks": Weighted(np.eye(2), [1, 2])}, TypeError, "chunks: got Weighted, must be a seq"),
        ({"chunks": {"x": [1.0]}}, TypeError, "chunks: got dict"),
        ({"chunks": 3.0}, TypeError, "chunks: got float"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        fit_em(halving(), 1.0, **({"chunks": CHUNKS} | options))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ((Stats(1, 1.0), 0.0), "e_step: returned 2 values, must return three: stats, bound, local"),
        (Stats(1, 1.0), "e_step: returned 2 values"),
        (None, "e_step: returned NoneType"),
        (({"n_samples": 1}, 0.0, None), "e_step: returned stats of type dict without n_samples"),
        ((1.0, 0.0, None), "stats of type float without n_samples, must have it as an attribute"),
        ((Stats(1, 1.0), np.zeros(3), None), r"a bound of shape \(3,\), must be one number"),
    ],
)
def test_an_e_step_that_returns_something_else_is_named(returned, message):
    model = halving()
    model.e_step = lambda *args: returned
    with pytest.raises(TypeError, match=message):
        fit_em(model, 1.0, CHUNKS)


def test_iterates_are_the_steps_of_the_fit():
    path = list(islice(iterates(halving(), 1.0, CHUNKS), 4))
    assert path == [1.0, 0.5, 0.25, 0.125]
    assert path[3] == fit_em(halving(), 1.0, CHUNKS, tol=0, max_iter=3).params


def test_iterates_give_every_chunk_back_what_it_kept():
    visits = []
    model = halving()
    e_step = model.e_step
    model.e_step = lambda *args: (visits.append(args[2]), e_step(*args))[1]
    list(islice(iterates(model, 1.0, [np.zeros(3)]), 4))
    assert visits == [None, 1, 2]


def test_missing_information_is_what_the_step_keeps_of_an_error():
    """A model that halves every error misses half the information."""
    complete = np.array([[4.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(missing_information(complete / 2, complete), [0.5, 0.5])
    observed = np.diag([2.0, 3.0]) @ np.diag([0.9, 0.3])
    np.testing.assert_allclose(missing_information(observed, np.diag([2.0, 3.0])), [0.7, 0.1])
    np.testing.assert_allclose(missing_information(30.0, 40.0), [0.25])


@pytest.mark.parametrize(
    ("observed", "complete", "message"),
    [
        (1.0, -1.0, "complete: got smallest eigenvalue -1, must be positive definite"),
        (np.eye(2), np.eye(3), r"observed: got shape \(2, 2\), must be \(3, 3\)"),
        (1.0, np.ones((1, 2)), r"complete: got shape \(1, 2\), must be \(1, 1\)"),
        (np.nan, 1.0, r"observed: got nan at \(0, 0\), must be finite"),
    ],
)
def test_bad_information_is_named(observed, complete, message):
    with pytest.raises(ValueError, match=message):
        missing_information(observed, complete)
