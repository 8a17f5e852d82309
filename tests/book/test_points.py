import pytest
import sympy as sp
from sympy import IndexedBase, Integral, KroneckerDelta, Product, Sum, exp, log

from latent_em.book import points, structure

N, K = sp.symbols("N K", integer=True, positive=True)
n, k, j = sp.symbols("n k j", integer=True)
x, w = IndexedBase("x", real=True), IndexedBase("w", positive=True)
a, b, v = sp.symbols("a b v", positive=True)
mu = sp.Symbol("mu", real=True)


def test_values_are_those_of_sympy():
    expr = Sum(w[n] * (x[n] - mu) ** 2 / v, (n, 1, N)) + sp.digamma(a) - sp.sqrt(b) * log(v)
    expr += Product(1 + w[n], (n, 1, N)) + KroneckerDelta(k, 1) + exp(-a) / 3
    for point, (value,) in points.samples([expr], 3, "seed"):
        numbers = {s: sp.Float(v, 40) for s, v in point.numbers.items()}
        whole = {s: int(numbers.pop(s)) for s in (N, k)}
        expected = expr.subs(whole).doit().xreplace(numbers).evalf(40)
        assert abs(value - points.mp.mpf(str(expected))) < 1e-35


def test_points_lie_in_the_domain_and_depend_on_the_seed_alone():
    expr = Sum(w[n], (n, 1, N)) + v + mu + k * x[k]
    first, again = (list(points.samples([expr], 20, "seed")) for _ in range(2))
    assert [v for _, v in first] == [v for _, v in again]
    assert [v for _, v in first] != [v for _, v in points.samples([expr], 20, "other")]
    drawn = [point.numbers for point, _ in first]
    assert all(p[v] > 0 and p[w[1]] > 0 and p[N] in (1, 2, 3) and 1 <= p[k] <= 3 for p in drawn)
    assert {p[mu] > 0 for p in drawn} == {True, False}


def test_points_where_a_value_is_not_real_are_passed_over():
    assert all(point.numbers[a] < 1 for point, _ in points.samples([log(1 - a)], 20, "seed"))
    with pytest.raises(ArithmeticError, match="0 of 20"):
        list(points.samples([log(-a)], 20, "seed"))


def test_integrals_are_done_numerically():
    ((_, (value,)),) = points.samples([Integral(exp(-v * a), (a, 0, sp.oo)) * v], 1, "seed")
    assert abs(value - 1) < 1e-20


def test_substitution_reaches_every_index_and_catches_none():
    column = Sum(w[n, j] * x[n], (n, 1, N))  # its n is not the n that comes in for j
    replaced = structure.substitute(Sum(x[k, n], (n, 1, K)), {x[k, j]: w[k] * column})
    expected = w[2] * sum(w[i, m] * x[i] for i in (1, 2, 3) for m in (1, 2))
    assert sp.expand(replaced.subs({K: 2, N: 3, k: 2}).doit() - expected) == 0


def test_a_sum_catches_nothing_that_is_put_into_it():
    total = Sum(x[n], (n, 1, N))
    assert structure.substitute(total, {x[k]: w[n]}).subs(N, 2).doit() == 2 * w[n]
    assert structure.substitute(Sum(mu, (n, 1, N)), {mu: w[n]}).subs(N, 2).doit() == 2 * w[n]
    assert structure.substitute(total, {x[n]: w[n]}).subs(N, 2).doit() == w[1] + w[2]


def test_a_size_that_may_be_0_is_0_at_times():
    size = sp.Symbol("M", integer=True, nonnegative=True)
    sums = points.samples([Sum(x[n], (n, 1, size))], 20, "seed")
    assert {int(point.numbers[size]) for point, _ in sums} == {0, 1, 2, 3}
    picked = points.samples([Sum(x[n], (n, 1, size)), x[k]], 20, "seed")
    assert all(1 <= point.numbers[k] <= point.numbers[size] for point, _ in picked)
