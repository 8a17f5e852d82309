"""The model exercises: wrong answers by name, each with its hint, and right ones of other kinds.

Set-up, answer and check run here in one go, without a kernel.
"""

import contextlib
import io
import warnings

import pytest

from latent_em.book.notebooks import BOOK
from latent_em.grading import notebooks, points, release

NAME = "03_importance_sampling"
SCALED = "w = np.exp(np.asarray(v) - np.max(v))\n    "


def f(name, arguments, body):
    return f"def {name}({arguments}):\n    {body}\n"


def log_mean(body):
    return f("log_mean_weight", "v", body)


def effective(body):
    return f("effective_draws", "v", body)


def posterior(body):
    return f("posterior_mean", "x, v", body)


def shared(body):
    return f("shared_proposal", "r", body)


def together(body):
    return f("draws_needed", "c, e", body)


def apart(body):
    return f("draws_apart", "c, e", body)


WRONG = [
    ("is-log-mean", log_mean("return np.log(np.mean(np.exp(v)))"), "take out the largest"),
    (
        "is-log-mean",
        log_mean("t = np.mean(v)\n    return t + np.log(np.mean(np.exp(v - t)))"),
        "take out the largest",
    ),
    (
        "is-log-mean",
        log_mean("t = np.median(v)\n    return t + np.log(np.mean(np.exp(v - t)))"),
        "take out the largest log-weight, not another one",
    ),
    ("is-log-mean", log_mean("return np.mean(v)"), "average the weights"),
    ("is-log-mean", log_mean(SCALED + "return np.max(v) + np.log(w.sum())"), "average the weights"),
    ("is-log-mean", log_mean(SCALED + "return np.max(v) + np.log(w)"), "one number"),
    ("is-log-mean", log_mean(SCALED + "return np.log(w.mean())"), "average the weights"),
    ("is-effective", effective("w = np.exp(v); return w.sum()**2 / (w @ w)"), "a common factor"),
    ("is-effective", effective(SCALED + "return w.sum() / (w @ w)"), "equal weights"),
    ("is-effective", effective(SCALED + "return w.sum()"), "the square of the sum"),
    ("is-effective", effective(SCALED + "return len(w)"), "one weight that has everything"),
    ("is-effective", effective(SCALED + "return 1 / (w @ w)"), "equal weights"),
    ("is-posterior-mean", posterior("w = np.exp(v); return w @ x / w.sum()"), "a common factor"),
    ("is-posterior-mean", posterior(SCALED + "return w @ x / len(w)"), "weight the values"),
    ("is-posterior-mean", posterior("return np.mean(x)"), "weight the values"),
    ("is-posterior-mean", posterior(SCALED + "return w @ x"), "weight the values"),
    ("is-shared", shared("return r.mean(axis=0)"), "not the average posterior"),
    ("is-shared", shared("return np.sqrt((r**2).sum(axis=0))"), "sums to one"),
    ("is-shared", shared("return r / r.sum()"), "one probability for each component"),
    ("is-shared", shared("q = (r**2).sum(axis=0); return q / q.sum()"), "differentiate"),
    ("is-shared", shared("return np.full(3, 1 / 3)"), "differentiate"),
    (
        "is-shared",
        shared("q = np.sqrt((r**2).mean(axis=0)) + r.mean(axis=0); return q / q.sum()"),
        "a proposal close by is better",
    ),
    ("is-draws", together("return np.sum(c) / e**2"), "second moments multiply"),
    ("is-draws", together("return (np.prod(1 + np.asarray(c)) - 1) / e"), "square it"),
    ("is-draws", together("return np.prod(1 + np.asarray(c)) / e**2"), "relative variance"),
    ("is-draws", together("return np.prod(c) / e**2"), "relative variance"),
    ("is-draws-apart", apart("return (np.prod(1 + np.asarray(c)) - 1) / e**2"), "no draw has"),
    ("is-draws-apart", apart("return np.sum(c) / e"), "square it"),
    ("is-draws-apart", apart("return np.mean(c) / e**2"), "each mean has a price"),
    ("is-draws-apart", apart("return np.max(c) * len(c) / e**2"), "each mean has a price"),
]
SCIPY = "from scipy.special import logsumexp\n"
RIGHT = [
    ("is-log-mean", log_mean(SCALED + "return float(np.max(v)) + float(np.log(w.mean()))")),
    ("is-log-mean", SCIPY + log_mean("print(v); return np.array(logsumexp(v) - np.log(len(v)))")),
    ("is-effective", effective(SCALED + "p = w / w.sum(); return 1 / (p @ p)")),
    ("is-effective", SCIPY + effective("return np.exp(2 * logsumexp(v) - logsumexp(2 * v))")),
    ("is-posterior-mean", posterior(SCALED + "return np.average(x, weights=w)")),
    ("is-posterior-mean", posterior(SCALED + "return sum(w / w.sum() * np.asarray(x))")),
    ("is-shared", shared("q = np.linalg.norm(r, axis=0); return list(q / q.sum())")),
    ("is-shared", shared("q = [sum(k * k) ** 0.5 for k in r.T]; return [k / sum(q) for k in q]")),
    ("is-draws", together("return np.expm1(np.log1p(c).sum()) / e**2")),
    ("is-draws", "import math\n" + together("return (math.prod(1 + k for k in c) - 1) / e / e")),
    ("is-draws-apart", apart("return sum(c) / e**2")),
    ("is-draws-apart", apart("return np.asarray(np.mean(c) * len(c) * e**-2)")),
]


@pytest.fixture(scope="module")
def found():
    return notebooks.exercises(NAME, release.reference(BOOK)[NAME])


def run(found, answer, check, seed):
    """Run a check on an answer; return what it printed, and the message of its error."""
    said, space = io.StringIO(), {}
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(notebooks.with_seed(found.setup["is-setup"], seed), space)
        exec(answer, space)
        try:
            exec(check.source, space)
        except Exception as error:
            return said.getvalue(), str(error)
    return said.getvalue(), ""


def checks(found, key):
    return [check for check in found.checks.values() if check.exercise == key]


@pytest.mark.parametrize(("key", "answer", "hint"), WRONG)
@pytest.mark.parametrize("seed", [3, 11, 12])
def test_a_wrong_answer_fails_with_its_hint(found, key, answer, hint, seed):
    check = checks(found, key)[0]
    _, message = run(found, answer, check, seed)
    assert hint in message
    assert message in points.hints(check.source)


@pytest.mark.parametrize(("key", "answer"), RIGHT)
@pytest.mark.parametrize("seed", [3, 11, 12])
def test_another_right_answer_passes(found, key, answer, seed):
    for check in checks(found, key):
        right, _ = run(found, found.answers[key], check, seed)
        said, message = run(found, answer, check, seed)
        assert message == ""
        assert points.compare(right, said) == ""


def test_what_is_printed_depends_on_the_seed_and_on_the_answer(found):
    for check in found.checks.values():
        printed = {run(found, found.answers[check.exercise], check, seed)[0] for seed in range(5)}
        assert len(printed) == 5, check.grade_id


def test_every_hint_is_reached_by_a_wrong_answer(found):
    """Two stand for slips that are made in many ways, and another hint mostly comes first."""
    reached = {
        run(found, answer, check, 3)[1] for key, answer, _ in WRONG for check in checks(found, key)
    }
    every = set().union(*(points.hints(check.source) for check in found.checks.values()))
    assert every - reached <= {
        "and excludes no component",
        "the product must be right to the error",
    }
