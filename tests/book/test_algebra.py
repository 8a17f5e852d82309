import pytest
import sympy as sp
from sympy import Derivative, IndexedBase, Integral, KroneckerDelta, Product, Sum, exp, log

from latent_em.book import algebra

N, K = sp.symbols("N K", integer=True, positive=True)
n, k, j = sp.symbols("n k j", integer=True)
x, w = IndexedBase("x", real=True), IndexedBase("w", positive=True)
a, b, v = sp.symbols("a b v", positive=True)
mu = sp.Symbol("mu", real=True)


def test_values_are_those_of_sympy():
    expr = Sum(w[n] * (x[n] - mu) ** 2 / v, (n, 1, N)) + sp.digamma(a) - sp.sqrt(b) * log(v)
    expr += Product(1 + w[n], (n, 1, N)) + KroneckerDelta(k, 1) + exp(-a) / 3
    for point, (value,) in algebra.samples([expr], 3, "seed"):
        numbers = {s: sp.Float(v, 40) for s, v in point.numbers.items()}
        whole = {s: int(numbers.pop(s)) for s in (N, k)}
        expected = expr.subs(whole).doit().xreplace(numbers).evalf(40)
        assert abs(value - algebra.mp.mpf(str(expected))) < 1e-35


def test_points_lie_in_the_domain_and_depend_on_the_seed_alone():
    expr = Sum(w[n], (n, 1, N)) + v + mu + k * x[k]
    first, again = (list(algebra.samples([expr], 20, "seed")) for _ in range(2))
    assert [v for _, v in first] == [v for _, v in again]
    assert [v for _, v in first] != [v for _, v in algebra.samples([expr], 20, "other")]
    drawn = [point.numbers for point, _ in first]
    assert all(p[v] > 0 and p[w[1]] > 0 and p[N] in (1, 2, 3) and 1 <= p[k] <= 3 for p in drawn)
    assert {p[mu] > 0 for p in drawn} == {True, False}


def test_points_where_a_value_is_not_real_are_passed_over():
    assert all(point.numbers[a] < 1 for point, _ in algebra.samples([log(1 - a)], 20, "seed"))
    with pytest.raises(ArithmeticError, match="0 of 20"):
        list(algebra.samples([log(-a)], 20, "seed"))


def test_integrals_are_done_numerically():
    ((_, (value,)),) = algebra.samples([Integral(exp(-v * a), (a, 0, sp.oo)) * v], 1, "seed")
    assert abs(value - 1) < 1e-20


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (
            Sum(w[n] * (x[n] - mu), (n, 1, N)),
            Sum(w[k] * x[k], (k, 1, N)) - mu * Sum(w[n], (n, 1, N)),
        ),
        (Sum(Sum(w[n, k], (n, 1, N)), (k, 1, K)), Sum(Sum(w[n, k], (k, 1, K)), (n, 1, N))),
        (Sum(Sum(w[n, k] / Sum(w[n, j], (j, 1, K)), (k, 1, K)), (n, 1, N)), N),
        (Sum(w[n] / (w[n] + a), (n, 1, N)) + Sum(a / (w[n] + a), (n, 1, N)), N),
        (log(Product(w[n] / a, (n, 1, N))), Sum(log(w[n]), (n, 1, N)) - N * log(a)),
        (Product(exp(-x[n] * a) * a, (n, 1, N)), a**N * exp(-a * Sum(x[n], (n, 1, N)))),
        (
            Derivative(Sum(log(w[n]) * x[n, k], (n, 1, N), (k, 1, K)), w[j]),
            Sum(x[j, k], (k, 1, K)) / w[j],
        ),
        (Derivative(Sum(w[k] ** 2, (k, 1, K)), w[k]), 2 * w[k]),  # two different k
        (Sum(w[k], (k, 1, 3)), w[1] + w[2] + w[3]),
        (1 / (1 + exp(log(a / b) - mu)), b * exp(mu) / (b * exp(mu) + a)),
        (sp.sqrt(2 * sp.pi * v) ** 2 / sp.sqrt(v), 2 * sp.pi * sp.sqrt(v)),
        (log(a * b + a * v), log(a) + log(b + v)),
        (sp.loggamma(a + 1), sp.loggamma(a) + log(a)),
        (sp.cos(mu) ** 2 + sp.sin(mu) ** 2, 1),
    ],
)
def test_equal_expressions_are_proved_equal(left, right):
    assert algebra.residual(left - right) == 0


@pytest.mark.parametrize(
    "expr",
    [
        Sum(w[n], (n, 1, N)) - Sum(w[n], (n, 1, K)),
        Sum(w[n, k], (n, 1, N)) - Sum(w[k, n], (n, 1, N)),
        Sum(w[n], (n, 1, N)) ** 2 - Sum(w[n] ** 2, (n, 1, N)),
        Sum(log(w[n]), (n, 1, N)) - log(Sum(w[n], (n, 1, N))),
        Sum(Sum(w[n, k] * w[n, j], (k, 1, K), (j, 1, K)), (n, 1, N))
        - Sum(w[n, k] ** 2, (n, 1, N), (k, 1, K)),
        sp.sqrt(mu**2) - mu,
        log(mu**2) - 2 * log(mu),
        1 / (a + b) - 1 / a - 1 / b,
    ],
)
def test_different_expressions_are_not(expr):
    assert algebra.residual(expr) != 0


def test_a_numerator_is_that_over_a_common_denominator():
    expr = a / (a + b) ** 2 - (1 / (a + b)) * (1 - b / (a + b))
    assert algebra.numerator(expr) == 0
    assert algebra.numerator(1 / (2 * a + 2 * b) - 1 / (a + b)) != 0


def test_substitution_reaches_every_index_and_catches_none():
    column = Sum(w[n, j] * x[n], (n, 1, N))  # its n is not the n that comes in for j
    replaced = algebra.substitute(Sum(x[k, n], (n, 1, K)), {x[k, j]: w[k] * column})
    expected = w[2] * sum(w[i, m] * x[i] for i in (1, 2, 3) for m in (1, 2))
    assert sp.expand(replaced.subs({K: 2, N: 3, k: 2}).doit() - expected) == 0
