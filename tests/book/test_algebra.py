import pytest
import sympy as sp
from sympy import Derivative, IndexedBase, Product, Sum, exp, log

from latent_em.book import algebra

N, K = sp.symbols("N K", integer=True, positive=True)
n, k, j = sp.symbols("n k j", integer=True)
x, w = IndexedBase("x", real=True), IndexedBase("w", positive=True)
a, b, v = sp.symbols("a b v", positive=True)
mu = sp.Symbol("mu", real=True)


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


@pytest.mark.parametrize(
    "pick",
    [1 + (k - 1) * (N - k), 1 + (N - 1) * (k - 1) * (N - k), k**2, (k + 1) / 2, k + 1, 2 * k - 1],
)
def test_what_a_delta_picks_is_not_taken_to_lie_in_a_range(pick):
    total = Sum(sp.KroneckerDelta(n, pick), (n, 1, N))  # the first is at most N up to N = 5
    assert algebra.residual(total - 1, {k: [(sp.S.One, N)]}) != 0


@pytest.mark.parametrize("pick", [k, N + 1 - k])
def test_what_a_delta_picks_lies_in_the_range_of_its_index(pick):
    total = Sum(sp.KroneckerDelta(n, pick), (n, 1, N))
    assert algebra.residual(total - 1, {k: [(sp.S.One, N)]}) == 0
