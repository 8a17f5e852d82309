import json
import os
import re
import subprocess
import sys

import nbformat.v4 as nbf
import pytest
import sympy as sp
from sympy import Derivative, IndexedBase, Matrix, Sum, exp, log, oo, pi, sqrt

from latent_em.book import check, notebooks
from latent_em.book.check import CheckFailed, Refuted

N, K = sp.symbols("N K", integer=True, positive=True)
n, k = sp.symbols("n k", integer=True)
x, w, q = (
    IndexedBase("x", real=True),
    IndexedBase("w", positive=True),
    IndexedBase("q", positive=True),
)
a, b, v = sp.symbols("a b v", positive=True)
mu, t = sp.symbols("mu t", real=True)
total = Sum(w[n], (n, 1, N))
mean = Sum(w[n] * x[n], (n, 1, N)) / total
log_density = Sum(w[n] * (-((x[n] - mu) ** 2) / (2 * v) - log(v) / 2), (n, 1, N))
normal = exp(-((t - mu) ** 2) / (2 * v)) / sqrt(2 * pi * v)


# --- identity -----------------------------------------------------------------------------------


def test_identity_prints_a_line(capsys):
    check.identity("eq-square", (a + b) ** 2, a**2 + 2 * a * b + b**2)
    assert capsys.readouterr().out == ("eq-square                 identity          proved\n")


def test_identity_compares_each_side_with_the_one_before(capsys):
    check.identity("eq-chain", Sum(x[n] - mu, (n, 1, N)), Sum(x[n], (n, 1, N)) - N * mu, scope="s")
    check.identity("eq-chain", log(a * b), log(a) + log(b), log(b**2) - log(b / a))
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("  proved, s, any N")
    assert second.endswith("  proved, 2 steps")
    with pytest.raises(CheckFailed, match=r"eq-chain, step 2: .* at a = "):
        check.identity("eq-chain", log(a * b), log(a) + log(b), log(b) - log(a))


def test_an_index_ranges_over_all_its_axes(capsys):
    both = x[k] * q[k] * Sum(x[n], (n, 1, N)) * Sum(q[k], (k, 1, K))
    check.identity("eq-x", Sum(sp.KroneckerDelta(n, k) * x[n], (n, 1, N)) * both, x[k] * both)
    assert capsys.readouterr().out.endswith("  proved, any K, N, k = 1..K and 1..N\n")
    of_x = x[k] * Sum(x[n], (n, 1, N)) * Sum(q[k], (k, 1, K))  # another k
    check.identity("eq-x", Sum(sp.KroneckerDelta(n, k), (n, 1, N)) * of_x, of_x)
    assert capsys.readouterr().out.endswith("  proved, any K, N, k = 1..N\n")


def test_identity_names_a_counterexample():
    with pytest.raises(CheckFailed, match=r"eq-x: \S+ is not \S+ at N = \d, .*x\[1\] = "):
        check.identity("eq-x", Sum(x[n] ** 2, (n, 1, N)), Sum(x[n], (n, 1, N)) ** 2)


def test_identity_refuses_to_compare_a_thing_with_itself():
    side = Matrix([log(a)])
    with pytest.raises(CheckFailed, match="compared with itself"):
        check.identity("eq-x", side, side)
    with pytest.raises(CheckFailed, match="compared with itself"):
        check.identity("eq-x", a**2, a * a)
    with pytest.raises(ValueError, match="sides: got 1"):
        check.identity("eq-x", log(a))


def test_identity_needs_a_proof(monkeypatch):
    monkeypatch.setattr(check.algebra, "residual", lambda expr, *_: expr)
    with pytest.raises(CheckFailed, match="holds at 12 points but is not proved"):
        check.identity("eq-x", log(a * b), log(a) + log(b))


def test_identity_of_matrices(capsys):
    A = Matrix(2, 2, sp.symbols("a1:3(1:3)", real=True))
    check.identity("eq-x", Derivative(log(A.det()), A), A.inv().T)
    assert "proved" in capsys.readouterr().out
    with pytest.raises(CheckFailed, match=r"^eq-x: "):
        check.identity("eq-x", Derivative(log(A.det()), A), A.inv())
    with pytest.raises(CheckFailed, match="shapes"):
        check.identity("eq-x", A, A[:1, :])


# --- inequality ---------------------------------------------------------------------------------

probability = w[k] / Sum(w[k], (k, 1, K))
jensen = (Sum(probability * log(q[k]), (k, 1, K)), log(Sum(probability * q[k], (k, 1, K))))


def test_inequality_is_proved_by_its_form_or_a_derivative(capsys):
    check.inequality("eq-x", 2 * a * mu, a**2 + mu**2, equality={mu: a})
    check.inequality("eq-x", log(a), a - 1, equality={a: 1})
    form, derivative = capsys.readouterr().out.splitlines()
    assert form.endswith("  proved")
    assert derivative.endswith("  proved")


def test_inequality_needs_a_proof():
    near = sp.Rational(1, 10**9)  # between 1 and 1 + near no point is tried
    for smaller, larger, equality in (
        (log(a * b * v) / 3, log((a + b + v) / 3), {a: v, b: v}),  # true
        (0, (a - 1) * (a - 1 - near), {a: 1}),  # false
    ):
        with pytest.raises(CheckFailed, match="not proved: give a certificate"):
            check.inequality("eq-x", smaller, larger, equality=equality)


@pytest.mark.parametrize(
    ("smaller", "larger", "equality"),
    [
        (a - 1, log(a), {a: 1}),  # the wrong way round
        (log(a), a, {a: 1}),  # never equal
        (log(a), a - 1, {a: 2}),  # equal elsewhere
        (log(a), a - 1, [{a: 1}, {a: 2}]),
        (log(a), log(a) + (b - 1) ** 2 * 0, {b: 1}),  # equal everywhere
        (mu, mu**2, {mu: 1}),  # crosses
        (*jensen[::-1], {q[k]: b}),
    ],
)
def test_inequality_fails(smaller, larger, equality):
    with pytest.raises(CheckFailed, match=r"^eq-x"):
        check.inequality("eq-x", smaller, larger, equality=equality)


def test_inequality_looks_close_to_the_equality():
    with pytest.raises(CheckFailed, match="fails at a = "):  # negative for a from 1 to 1.01 only
        check.inequality("eq-x", 0, (a - 1) * (a - sp.Rational(101, 100)), equality={a: 1})


def test_inequality_needs_a_condition():
    with pytest.raises(ValueError, match="equality: got"):
        check.inequality("eq-x", log(a), a, equality={})


# --- stationary points --------------------------------------------------------------------------


def test_maximum_is_proved_for_any_size(capsys):
    spread = Sum(w[n] * (x[n] - mean) ** 2, (n, 1, N)) / total
    check.maximum("eq-x", log_density, at={mu: mean, v: spread})
    check.maximum("eq-x", log_density, at={mu: mean})
    both, mean_alone = capsys.readouterr().out.splitlines()
    assert both.endswith("  strict local maximum, any N, v > 0, proved")
    assert mean_alone.endswith("  proved, any N, global maximum")


def test_maximum_under_a_constraint(capsys):
    simplex = Sum(q[k], (k, 1, K)) - 1
    at = {q[k]: w[k] / Sum(w[k], (k, 1, K))}
    check.maximum("eq-x", Sum(w[k] * log(q[k]), (k, 1, K)), at=at, subject_to=simplex)
    circle = mu**2 + t**2 - 1  # the constraint bends: the objective itself has no curvature
    check.maximum("eq-x", mu, at={mu: 1, t: 0}, subject_to=circle)
    check.minimum("eq-x", mu, at={mu: -1, t: 0}, subject_to=[circle])
    assert capsys.readouterr().out.count("  strict local m") == 3


def test_a_hessian_of_numbers_is_proved_definite_at_any_size(capsys):
    y = sp.symbols("y1:6", real=True)
    check.minimum("eq-x", sum(y) ** 2 + sum(t**2 for t in y), at=dict.fromkeys(y, 0))
    assert "  strict local minimum" in capsys.readouterr().out


def test_minimum_needs_a_proof(capsys):
    quartic = (mu - a) ** 2 * (1 + exp(mu * v) + a * mu**2)
    check.minimum("eq-x", quartic, at={mu: a})
    assert capsys.readouterr().out.endswith("  proved, global minimum\n")
    with pytest.raises(CheckFailed, match="not proved positive definite: give a certificate"):
        check.minimum("eq-x", (mu - a) ** 2 * (v**2 - v + 1), at={mu: a})


@pytest.mark.parametrize(
    ("objective", "at", "constraint", "message"),
    [
        (log_density, {mu: Sum(x[n], (n, 1, N)) / N}, None, "gradient in mu"),
        (-log_density, {mu: mean}, None, "not negative definite"),
        (mu**2 - t**2, {mu: 0, t: 0}, None, "not negative definite"),  # a saddle
        (-(mu**4), {mu: 0}, None, "not negative definite"),  # flat: the test is silent
        (-((a * mu + b * t) ** 2), {mu: 0, t: 0}, None, "not negative definite"),  # flat one way
        (log(a) + log(b), {a: 1, b: 2}, a + b - 3, "gradient"),
        (log(a) + log(b), {a: 1, b: 1}, a + b - 3, "constraint"),
        (Sum(w[k] * log(q[k]), (k, 1, K)), {q[k]: 1 / K}, Sum(q[k], (k, 1, K)) - 1, "multiplier"),
        (a + b, {a: 1, b: 1}, [a + b - 2, 2 * a + 2 * b - 4], "depend on each other"),
        (-(Sum(x[k], (k, 1, K)) ** 2), {x[k]: 0}, None, "different indices"),
        (-Sum(Sum(x[n, k], (k, 1, K)) ** 2, (n, 1, N)), {x[n, k]: 0}, None, "different indices"),
        (-Sum((x[k] - mu) ** 2, (k, 1, K)) - mu**2, {x[k]: 0, mu: 0}, None, "different indices"),
    ],
)
def test_maximum_fails(objective, at, constraint, message):
    with pytest.raises(CheckFailed, match=f"^eq-x.*{message}"):
        check.maximum("eq-x", objective, at=at, subject_to=constraint)


def test_minimum_fails_at_a_maximum():
    with pytest.raises(CheckFailed, match="not positive definite"):
        check.minimum("eq-x", log_density, at={mu: mean})


# --- numbers ------------------------------------------------------------------------------------


def test_quadrature_states_its_digits(capsys):
    check.quadrature("eq-x", t**2 * normal, (t, -oo, mu, oo), claimed=mu**2 + v)
    check.quadrature(
        "eq-x", mu * t**2, (mu, 0, 1), (t, 0, v), claimed=v**3 / 6, digits=10, points=1
    )
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("15 digits at 3 points")
    assert second.endswith("10 digits at 1 points")


@pytest.mark.parametrize("claimed", [mu**2 - v, mu**2 + v * (1 + sp.Float("1e-14", 40))])
def test_quadrature_fails(claimed):
    with pytest.raises(CheckFailed, match=r"eq-x: \S+ is not \S+ at mu = "):
        check.quadrature("eq-x", t**2 * normal, (t, -oo, mu, oo), claimed=claimed)


def test_definition_has_nothing_to_check(capsys):
    check.definition("eq-x")
    assert capsys.readouterr().out.endswith("definition\n")


# --- refuting a claim ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("identity", (a + b, a * b), ".* is not .* at a = .*, b = "),
        ("inequality", (a - 1, log(a), {"equality": {a: 1}}), r"\S+ < \S+ fails at a = "),
        ("inequality", (log(a), a, {"equality": {a: 1}}), "equality condition: 0.0 is not 1.0"),
        ("maximum", (log_density, {"at": {mu: 0}}), "gradient in mu: "),
        (
            "maximum",
            (mu**2 - t**2, {"at": {mu: 0, t: 0}}),
            "not negative definite, with an eigenvalue 2.0$",
        ),
        (
            "minimum",
            (-(mu**2), {"at": {mu: 0}}),
            "not positive definite, with an eigenvalue -2.0$",
        ),
        ("maximum", (a * mu**2, {"at": {mu: 0}}), "with an eigenvalue .* at a = "),
        ("maximum", (a, {"at": {a: 1}, "subject_to": a - 2}), "constraint: -1.0 is not 0.0"),
        ("quadrature", (t, (t, 0, 1), {"claimed": 1}), "0.5 is not 1.0$"),
    ],
)
def test_a_counterexample_is_printed_and_not_stored(capsys, kind, arguments, message):
    arguments, keywords = (
        (arguments[:-1], arguments[-1]) if isinstance(arguments[-1], dict) else (arguments, {})
    )
    with check.refuted():
        getattr(check, kind)("slip", *arguments, **keywords)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 78
    assert re.match(f"refuted: slip(, |: ).*{message}", " ".join(line.strip() for line in lines))


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("identity", (a + a, 2 * a), "compared with itself"),
        ("identity", (Matrix([a]), Matrix([a, b])), "shapes"),
        ("maximum", (-(mu**4), {"at": {mu: 0}}), "not negative definite"),  # it is a maximum
        ("maximum", (-((a * mu + b * t) ** 2), {"at": {mu: 0, t: 0}}), "not negative definite"),
        ("maximum", (-(Sum(x[k], (k, 1, K)) ** 2), {"at": {x[k]: 0}}), "different indices"),
        ("quadrature", (1 / t, (t, 0, 1), {"claimed": 1}), "is not 1.0"),  # there is no integral
    ],
)
def test_a_failure_without_a_counterexample_refutes_nothing(capsys, kind, arguments, message):
    arguments, keywords = (
        (arguments[:-1], arguments[-1]) if isinstance(arguments[-1], dict) else (arguments, {})
    )
    with pytest.raises(CheckFailed, match=message) as failure, check.refuted():
        getattr(check, kind)("slip", *arguments, **keywords)
    assert failure.type is CheckFailed
    assert capsys.readouterr().out == ""


def test_what_is_not_proved_is_not_refuted(monkeypatch):
    monkeypatch.setattr(check.algebra, "residual", lambda expr, *_: expr)
    with pytest.raises(CheckFailed, match="not proved") as failure, check.refuted():
        check.identity("slip", log(a * b), log(a) + log(b))
    assert failure.type is CheckFailed


def test_a_claim_that_holds_is_not_refuted():
    with pytest.raises(CheckFailed, match="no counterexample") as failure, check.refuted():
        check.identity("no slip", log(a * b), log(a) + log(b))
    assert failure.type is CheckFailed
    with pytest.raises(CheckFailed, match="no counterexample"), check.refuted():
        pass


MATRIX = sp.MatrixSymbol("A", N, N)


@pytest.mark.parametrize(
    "claim",
    [
        lambda: check.identity("eq-x", sp.Determinant(MATRIX), sp.Trace(MATRIX)),
        lambda: check.identity("eq-x", MATRIX[n, k], MATRIX[k, n]),
        lambda: check.inequality("eq-x", MATRIX, MATRIX.T, equality={a: 1}),
        lambda: check.maximum("eq-x", MATRIX, at={a: 1}),
        lambda: check.maximum(
            "eq-x", a + b, at={a: 1, b: 1}, subject_to=a * b - 1, certificate=[0]
        ),
        lambda: check.identity("eq-x", sp.Sum(a**n / sp.factorial(n), (n, 0, oo)), exp(b)),
        lambda: check.identity("eq-x", Derivative(sp.Function("g")(t), t), t),
        lambda: check.maximum("eq-x", sp.Function("g")(t), at={t: 0}),
        lambda: check.identity("eq-x", sp.Limit(sp.sin(1 / t), t, 0), 0),
        lambda: check.identity("eq-x", sp.Tuple(a, t), sp.Tuple(t, a)),
        lambda: check.identity("eq-x", sp.nan, a),
    ],
)
def test_what_is_beyond_the_checks_fails(claim):
    with pytest.raises(CheckFailed):
        claim()


def test_what_is_assumed_is_read():
    square = ("eq-x", (mu - 1) ** 2)
    check.minimum(*square, at={mu: 1}, assuming=[K >= 1, mu > 0])  # the first is simply True
    for relation in (sp.Ne(mu, 3), sp.Eq(t, 0), sp.Q.positive(mu), K < 1, (mu > 0) & (mu < 2)):
        with pytest.raises(TypeError, match="assuming: got"):
            check.minimum(*square, at={mu: 1}, assuming=relation)


def test_what_does_not_commute_is_no_number():
    left, right = sp.symbols("A B", commutative=False)
    g = sp.Function("g", commutative=False)
    for one, other in ((left, right), (g(a), g(b))):
        with pytest.raises(CheckFailed, match="does not commute"):
            check.identity("eq-x", one * other, other * one)
        with pytest.raises(CheckFailed, match="does not commute"):
            check.identity("eq-x", Matrix([one * other]), Matrix([other * one]))
        with pytest.raises(CheckFailed, match="does not commute"):
            check.inequality("eq-x", 0, mu**2, equality={mu: 0}, certificate=[one * other])


def test_a_size_may_be_0():
    size = sp.Symbol("M", integer=True, nonnegative=True)
    check.identity("eq-x", Sum(1, (n, 2, N)), N - 1)
    with pytest.raises(Refuted, match="at M = 0"):
        check.identity("eq-x", Sum(1, (n, 2, size)), size - 1)


whole, other = sp.Symbol("w", integer=True), sp.Symbol("o", real=True, nonzero=True)
half = sp.Rational(1, 2)


@pytest.mark.parametrize(
    ("variable", "value", "assuming", "message"),
    [
        (mu, 2, mu < 1, "outside mu < 1"),
        (mu, 1, mu < 1, "outside mu < 1"),
        (mu, t, [mu > 0], "outside mu > 0"),
        (a, b, [a < 1, b < 2], "outside a < 1"),
        (a, exp(-(t**2)) * b, [a < 1, b < 1], "not shown to lie in a < 1"),  # it does
        (whole, half, (), "not shown to be integer"),
        (other, 0, (), "not shown to be nonzero"),
        (mu, sp.I, (), "outside its domain"),
    ],
)
def test_an_optimum_lies_in_the_domain(variable, value, assuming, message):
    square = (variable - value) ** 2
    with pytest.raises(CheckFailed, match=message):
        check.minimum("eq-x", square, at={variable: value}, certificate=[square], assuming=assuming)


def test_a_value_that_leaves_the_domain_far_away_is_refused():
    far = 10**9 - b  # positive wherever a number is drawn
    square = {"certificate": [(a - far) ** 2]}
    with pytest.raises(CheckFailed, match="not shown to lie in its domain"):
        check.minimum("eq-x", (a - far) ** 2, at={a: far}, **square)
    with pytest.raises(CheckFailed, match="not shown to lie in its domain"):
        check.inequality("eq-x", 0, (a - far) ** 2, equality={a: far}, **square)
    check.minimum("eq-x", (a - far) ** 2, at={a: far}, **square, assuming=b < 10**9)


@pytest.mark.parametrize(
    ("objective", "at", "certificate"),
    [
        (-a, {a: a / 2}, a / 2),  # there is no maximum
        (-(mu**2) - (mu - t) ** 2, {mu: mu, t: mu}, (mu - t) ** 2),
        (-Sum(w[n], (n, 1, N)), {w[n]: w[n] / 2}, total / 2),
        (-Sum(w[n], (n, 1, N)), {w[k]: total / N / 2}, total / 2),
    ],
)
def test_an_optimum_does_not_hold_its_variable(objective, at, certificate):
    with pytest.raises(CheckFailed, match="must not hold"):
        check.maximum("eq-x", objective, at=at, certificate=[certificate])


def test_some_number_is_one_that_can_be():
    square = {"certificate": [Sum((w[n] - w[k]) ** 2, (n, 1, N), (k, 1, N))]}
    check.inequality("eq-x", 0, *square["certificate"], equality={w[n]: b}, **square)
    with pytest.raises(Refuted, match="outside its domain"):
        check.inequality("eq-x", 0, *square["certificate"], equality={w[n]: -b}, **square)


def test_an_optimum_that_lies_in_the_domain_by_what_is_assumed(capsys):
    for value, assuming in ((1, mu <= 1), (b, [mu < 1, b < 1]), (a / (a + b), [mu < 1, mu > 0])):
        square = (mu - value) ** 2
        check.minimum("eq-x", square, at={mu: value}, certificate=[square], assuming=assuming)
        assert capsys.readouterr().out.endswith(", global minimum\n")


def test_an_equality_lies_in_the_domain():
    sides = (b * log(a) - a, b * log(b) - b)
    tangent = {"equality": {a: b}, "certificate": [b * check.h(a / b)]}
    check.inequality("eq-x", *sides, **tangent, assuming=[a < 1, b < 1])
    with pytest.raises(Refuted, match="outside a < 1"):
        check.inequality("eq-x", *sides, **tangent, assuming=a < 1)


xy = IndexedBase("y", real=True)


@pytest.mark.parametrize(
    "at",
    [
        {x[k - 1]: 0},
        {x[2 * k]: 0},
        {xy[k, k]: 0},
        {xy[k, n - 1]: 0},
        {mu**2: 0},
        {x[k]: 0, x[1]: 0},
        {x[k]: 0, x[n]: 0},
    ],
)
def test_a_variable_is_a_symbol_or_has_plain_indices(at):
    whole = Sum(x[n] ** 2, (n, 1, N)) + Sum(xy[n, k] ** 2, (n, 1, N), (k, 1, N)) + mu**2
    with pytest.raises(CheckFailed, match=r"must be a symbol|may be the same"):
        check.minimum("eq-x", whole, at=at, certificate=[whole])
    with pytest.raises(CheckFailed, match=r"must be a symbol|may be the same"):
        check.inequality("eq-x", 0, whole, equality=at, certificate=[whole])


def test_other_errors_pass_through():
    with pytest.raises(ValueError, match="sides: got 1"), check.refuted():
        check.identity("slip", a)
    assert issubclass(Refuted, CheckFailed)


# --- what is stored -----------------------------------------------------------------------------

CLAIMS = """
import sympy as sp
from latent_em.book import check
N, n, k, K = sp.symbols("N n k K", integer=True, positive=True)
w, p = sp.IndexedBase("w", positive=True), sp.IndexedBase("p", positive=True)
a, b = sp.symbols("a b", positive=True)
check.identity("eq-a", sp.log(sp.Product(w[n] / a, (n, 1, N))), sp.Sum(sp.log(w[n] / a), (n, 1, N)))
check.inequality("eq-b", 2 * sp.sqrt(a * b), a + b, equality={a: b})
check.inequality("eq-c", sp.log(a), a - 1, equality={a: 1})
total = sp.Sum(w[k], (k, 1, K))
check.maximum("eq-d", sp.Sum(w[k] * sp.log(p[k]), (k, 1, K)), at={p[k]: w[k] / total},
              subject_to=sp.Sum(p[k], (k, 1, K)) - 1)
"""


def test_a_notebook_stores_one_output_with_the_claim(tmp_path):
    path = tmp_path / "small.ipynb"
    notebooks.write(path, nbf.new_notebook(cells=[nbf.new_code_cell(CLAIMS)]))
    outputs = notebooks.execute(path).cells[0].outputs
    assert [o.output_type for o in outputs] == ["display_data"] * 4
    record = outputs[2].data[check.MIMETYPE]
    assert record.word == "proved"
    assert record.claim == r"\log{\left(a \right)} \le a - 1, \quad \text{equal only at } a = 1"
    assert outputs[2].data["text/plain"].split() == ["eq-c", "inequality", "proved"]
    json.dumps(record)


def test_lines_are_the_same_in_every_process():
    lines = [
        subprocess.run(
            [sys.executable, "-c", CLAIMS],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert lines[0] == lines[1]
    assert lines[0].count("\n") == 4
