import pytest
import sympy as sp
from sympy import Abs, IndexedBase, KroneckerDelta, Sum, exp, log, oo

from latent_em.book import check, signs
from latent_em.book.check import CheckFailed
from latent_em.book.structure import axes
from latent_em.book.terms import cited, h

N, K = sp.symbols("N K", integer=True, positive=True)
n, k, j = sp.symbols("n k j", integer=True)
a, b, v = sp.symbols("a b v", positive=True)
mu, t = sp.symbols("mu t", real=True)
c = sp.Symbol("c", nonnegative=True)
x, w = IndexedBase("x", real=True), IndexedBase("w", positive=True)
q, p = IndexedBase("q", positive=True), IndexedBase("p", positive=True)
count = IndexedBase("n", nonnegative=True)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (a, []),
        (c, [[c]]),
        (sp.S.Zero, [[]]),
        ((mu - a) ** 2, [[mu - a]]),
        (a**2 + mu**2, []),
        (mu**2 + (t - 1) ** 4, [[mu, t - 1]]),
        (mu**2 * (mu - 1) ** 2, [[mu], [mu - 1]]),
        (h(a / b), [[a - b]]),
        (c * h(a / c), [[a - c]]),  # at c = 0 the limit is a
        (log(1 + c), [[c]]),
        (exp(mu) * Abs(t), [[t]]),
        (1 - KroneckerDelta(k, j), [[j - k]]),
        (Sum(w[n], (n, 1, N)), []),
        (1 / Sum(w[n], (n, 1, N)) ** 2, []),
    ],
)
def test_zeros_of_what_is_not_negative(expr, expected):
    assert sorted(map(str, signs.zeros(expr))) == sorted(map(str, expected))


@pytest.mark.parametrize(
    "expr",
    [
        mu,
        -a,
        a - b,
        mu**3,
        -(mu**2),
        (a - 1) ** 3,
        log(a),
        h(mu),
        1 / mu,
        a * (1 - b),
        mu * t,
        Sum(x[n], (n, 1, N)),
        -Sum(w[n], (n, 1, N)),
        1 - 2 * KroneckerDelta(k, j),
        sp.Symbol("z") ** 2,  # may be imaginary
        1 / Sum(count[n], (n, 1, N)) - 1,
    ],
)
def test_what_may_be_negative_has_no_zeros(expr):
    with pytest.raises(signs.UnknownSignError):
        signs.zeros(expr)


def test_a_sum_that_may_be_empty_may_be_zero():
    assert signs.zeros(Sum(w[n], (n, 2, N))) == [[N - 1]]
    assert signs.zeros(Sum(w[n], (n, 1, N))) == []


def test_a_sum_that_may_run_backwards_may_be_zero_in_many_ways():
    size = sp.Symbol("M", integer=True, nonnegative=True)
    with pytest.raises(signs.UnknownSignError, match="is empty"):
        signs.zeros(Sum(w[n], (n, K, size)))
    with pytest.raises(signs.UnknownSignError, match="is empty"):
        signs.zeros(Sum(w[n], (n, k + 2, N), (k, 1, N)))
    assert signs.zeros(Sum(w[n], (n, k + 1, N), (k, 1, N))) == [[N - 1, N - 1]]


def test_facts_count_as_forms():
    fact = signs.facts_of([Sum(x[n], (n, 1, N)) / N > 0, a < 1])
    assert signs.zeros(Sum(x[n], (n, 1, N)), fact) == []
    assert signs.zeros(b * (1 - a), fact) == []
    with pytest.raises(signs.UnknownSignError):
        signs.zeros(b * (1 - a))


@pytest.mark.parametrize(
    ("term", "condition", "holds"),
    [
        (Sum((x[n] - mu) ** 2, (n, 1, N)), {x[n]: mu}, True),
        (Sum((x[n] - mu) ** 2, (n, 1, N)), {x[n]: t}, True),  # some t: all are equal
        (Sum((x[n] - mu) ** 2, (n, 1, N)), {x[n]: a}, False),
        (Sum((x[n] - mu) ** 2, (n, 1, N)), {x[n]: 0}, False),
        (Sum((x[n] - x[k]) ** 2, (n, 1, N), (k, 1, N)), {x[n]: t}, True),
        (Sum(x[n] ** 2, (n, 2, N)), {x[n]: 0}, False),  # x[1] is free
        (Sum(w[n] * h(q[n] / p[n]), (n, 1, N)), {q[n]: p[n]}, True),
        (Sum(w[n] * h(q[n] / p[n]), (n, 1, N)), {q[n]: a * p[n]}, False),  # only for a = 1
        (Sum(count[n] * h(q[n] / p[n]), (n, 1, N)), {q[n]: p[n]}, False),  # or count[n] = 0
        (Sum(w[n] * w[k] * (1 - KroneckerDelta(n, k)), (n, 1, N), (k, 1, N)), {N: 1}, True),
        (mu**2 + (t - mu) ** 2, {mu: 0, t: 0}, True),
        (mu**2 + (t - mu) ** 2, {mu: 0}, True),  # says less, and follows
        (mu**2, {mu: 0, t: 0}, False),
        (mu**2 * t**2, {mu: 0}, False),
    ],
)
def test_zeros_imply_the_condition(term, condition, holds):
    ranges = axes(term, Sum(x[n], (n, 1, N)))
    known = term.free_symbols | {a}
    condition = {v: sp.sympify(e) for v, e in condition.items()}
    left = signs.implies(signs.zeros(term), [condition], known, ranges)
    assert (left == "") == holds


# --- the certificates of the book -----------------------------------------------------------------

total = Sum(w[k], (k, 1, K))
share = q[k] / Sum(q[j], (j, 1, K))
mean = Sum(share * w[k], (k, 1, K))
jensen = Sum(share * log(w[k]), (k, 1, K)), log(mean)
gap = [Sum(share * h(w[k] / mean), (k, 1, K))]
simplex = Sum(p[k], (k, 1, K)) - 1
cross = Sum(w[k] * log(p[k]), (k, 1, K))
rises = [Sum(w[k] * h(p[k] * total / w[k]), (k, 1, K))]


def test_jensen_is_proved_for_any_size(capsys):
    check.inequality("eq-x", *jensen, equality={w[k]: b}, certificate=gap)
    assert capsys.readouterr().out.endswith("  proved, any K\n")


@pytest.mark.parametrize(
    ("sides", "equality", "certificate", "message"),
    [
        (jensen[::-1], {w[k]: b}, gap, "fails at"),
        (jensen, {w[k]: 1}, gap, "not shown to be equal only there"),
        (jensen, {w[k]: b}, [2 * gap[0]], "certificate: .* is not"),
        (jensen, {w[k]: b}, [jensen[1] - jensen[0]], "not of a form"),
        (jensen, {w[k]: b}, None, "give a certificate"),
        (jensen, {w[k]: q[k]}, gap, "equality condition"),
        (jensen, None, gap, "not shown to be equal only there"),
        ((mu, mu**2 + 1), {mu: 0}, None, "equality condition"),
    ],
)
def test_a_certificate_must_be_one(sides, equality, certificate, message):
    with pytest.raises(CheckFailed, match=message):
        check.inequality("eq-x", *sides, equality=equality, certificate=certificate)


# the ascent of EM, for any rows: joint probabilities p and q before and after a step
rows_, groups = (n, 1, N), (k, 1, K)
old, new = (f[n, k] / Sum(f[n, j], (j, 1, K)) for f in (p, q))
rise_of_q = Sum(old * log(q[n, k]), groups, rows_) - Sum(old * log(p[n, k]), groups, rows_)
rise_of_l = Sum(log(Sum(q[n, k], groups)), rows_) - Sum(log(Sum(p[n, k], groups)), rows_)
rise = {"certificate": [Sum(old * h(new / old), groups, rows_)]}


def test_em_stays_only_where_every_row_keeps_its_responsibilities(capsys):
    check.inequality("eq-x", rise_of_q, rise_of_l, equality={q[n, k]: w[n] * p[n, k]}, **rise)
    assert capsys.readouterr().out.endswith("  proved, any K, N\n")


@pytest.mark.parametrize(
    "multiple",
    [1, b, w[k], w[n, k], w[n] * w[k], Sum(q[n, j], (j, 1, K))],
)
def test_a_wrong_condition_for_the_ascent_is_refused(multiple):
    with pytest.raises(CheckFailed):
        check.inequality(
            "eq-x", rise_of_q, rise_of_l, equality={q[n, k]: multiple * p[n, k]}, **rise
        )


# what is cited: KL(Dir(a) || Dir(b)), as an integral and by the book's own equation
A, B = IndexedBase("a", positive=True), IndexedBase("b", positive=True)
limit = (k, 1, K)
mean_log = sp.digamma(A[k]) - sp.digamma(Sum(A[j], (j, 1, K)))
rows = IndexedBase("W", real=True)


def log_norm(a):
    return Sum(sp.loggamma(a[k]), limit) - sp.loggamma(Sum(a[k], limit))


divergence = log_norm(B) - log_norm(A) + Sum((A[k] - B[k]) * mean_log, limit)
integral = cited("the integral of a non-negative function", A[k], B[k], limit)
closed_form = cited("eq-dirichlet-kl", A[k], B[k], limit)


@pytest.mark.parametrize("term", [integral, closed_form])
def test_the_divergence_of_dirichlets_vanishes_where_they_agree(capsys, term):
    claim = ("eq-x", 0, divergence)
    check.inequality(*claim, equality={B[k]: A[k]}, certificate=[term], assuming=K >= 2)
    assert f"  proved, any K, K >= 2, by {term.by}" in capsys.readouterr().out
    with pytest.raises(CheckFailed, match="where K - 1 = 0"):
        check.inequality(*claim, equality={B[k]: A[k]}, certificate=[term])
    with pytest.raises(CheckFailed, match="equality condition"):
        check.inequality(*claim, equality={B[k]: 2 * A[k]}, certificate=[term])


def test_where_a_cited_term_vanishes_its_theorem_says():
    term = cited("L is invertible", rows[j, k], x[k] - mu, (k, 1, K), (j, 1, K))
    claim = ("eq-x", 0, Sum(Sum(rows[j, k] * (x[k] - mu), (k, 1, K)) ** 2, (j, 1, K)))
    check.inequality(*claim, equality={x[k]: mu}, certificate=[term])
    with pytest.raises(CheckFailed, match="not shown to be equal only there"):
        check.inequality(*claim, equality={x[k]: mu, mu: 0}, certificate=[term])
    with pytest.raises(ValueError, match="must be square"):
        cited("L is invertible", rows[j, k], x[k], (k, 1, K), (j, 1, N)).doit()
    for matrix in (x[j] * x[k], rows[k, j], rows[j, j], sp.S.One):  # of rank one, or not as said
        with pytest.raises(ValueError, match="matrix: got"):
            cited("L is invertible", matrix, x[k], (k, 1, K), (j, 1, K)).doit()
    with pytest.raises(ValueError, match="vector: got"):
        cited("L is invertible", rows[j, k], x[k] - x[j], (k, 1, K), (j, 1, K)).doit()


def test_a_condition_of_an_author_is_no_theorem():
    with pytest.raises(ValueError, match="by: got 'Euclid', must be one of"):
        cited("Euclid", (mu - t) ** 2, {mu: t})
    of_any = (A[k], B[k], log(B[k]), limit)  # a density that is not known to be one, or its mean
    with pytest.raises(TypeError, match="argument"):
        cited("the integral of a non-negative function", *of_any).doit()


def test_a_theorem_needs_what_it_needs():
    term = cited("eq-dirichlet-kl", x[k], B[k], limit)
    with pytest.raises(signs.UnknownSignError, match=r"eq-dirichlet-kl needs x.* > 0"):
        signs.zeros(term)


def test_a_cited_term_has_indices_of_its_own():
    assert K in closed_form.free_symbols
    assert k not in closed_form.free_symbols
    assert closed_form.subs(k, 2) == closed_form
    of_rows = cited("eq-dirichlet-kl", q[n, k], p[n, k], limit)
    ways = signs.zeros(Sum(of_rows, (n, 1, N)))
    known, ranges = of_rows.free_symbols, axes(Sum(of_rows.doit(), (n, 1, N)))
    assert signs.implies(ways[1:], [{q[n, k]: p[n, k]}], known, ranges) == ""


def test_a_value_may_hold_its_own_variable(capsys):
    center = Sum(x[n], (n, 1, N)) / N
    spread = Sum((x[k] - center) ** 2, (k, 1, N))
    check.inequality("eq-x", 0, spread, equality={x[k]: center}, certificate=[spread])
    assert capsys.readouterr().out.endswith("  proved, any N\n")
    for wrong in (2 * center, x[k], x[k] ** 2, center + 1):
        with pytest.raises(CheckFailed):
            check.inequality("eq-x", 0, spread, equality={x[k]: wrong}, certificate=[spread])
        with pytest.raises(CheckFailed):
            check.inequality("eq-x", 0, spread, equality={x[k]: wrong})


def test_a_maximum_of_all_values(capsys):
    best = {p[k]: w[k] / total}
    check.maximum("eq-x", cross, at=best, subject_to=simplex, certificate=rises)
    check.minimum("eq-x", -cross, at=best, subject_to=simplex, certificate=rises)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("  proved, any K, k = 1..K, global maximum")
    assert second.endswith("  proved, any K, k = 1..K, global minimum")


def test_a_maximum_that_is_not_the_only_one_says_so(capsys):
    check.maximum("eq-x", -((mu - t) ** 2), at={mu: t}, certificate=[(mu - t) ** 2])
    check.maximum("eq-x", -(mu**2) * (mu - 1) ** 2, at={mu: 0}, certificate=[mu**2 * (mu - 1) ** 2])
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("  proved, global maximum")
    assert second.endswith("  proved, global maximum, perhaps not the only one")


@pytest.mark.parametrize(
    ("at", "certificate", "message"),
    [
        ({p[k]: 1 / K}, rises, "better by"),
        ({p[k]: w[k] / total}, [Sum(w[k] * h(p[k] / w[k]), (k, 1, K))], "certificate"),
        ({p[k]: w[k]}, rises, "constraint"),
        ({p[k]: w[k] / total}, [], "certificate"),
    ],
)
def test_a_false_maximum_is_refused(at, certificate, message):
    with pytest.raises(CheckFailed, match=message):
        check.maximum("eq-x", cross, at=at, subject_to=simplex, certificate=certificate)


def test_a_mean_of_bits_lies_between_0_and_1(capsys):
    bits, m = IndexedBase("x", nonnegative=True), sp.Symbol("mu", positive=True)
    share = Sum(bits[n], (n, 1, N)) / N
    objective = Sum(bits[n] * log(m) + (1 - bits[n]) * log(1 - m), (n, 1, N))
    certificate = [N * share * h(m / share), N * (1 - share) * h((1 - m) / (1 - share))]
    within = [m < 1, share > 0, share < 1]
    check.maximum("eq-x", objective, at={m: share}, certificate=certificate, assuming=within)
    assert capsys.readouterr().out.endswith(", global maximum\n")


def test_an_objective_without_a_variable_has_no_maximum():
    with pytest.raises(CheckFailed, match="the same everywhere"):
        check.maximum("eq-x", b, at={a: 1}, certificate=[0])


def test_a_constraint_is_solved_for_a_variable(capsys):
    parts = {"subject_to": a + b - 1, "certificate": [v * h(a / v) + (1 - v) * h(b / (1 - v))]}
    known = {"assuming": [v < 1], "at": {a: v, b: 1 - v}}
    check.maximum("eq-x", v * log(a) + (1 - v) * log(b), **parts, **known)
    assert capsys.readouterr().out.endswith("  proved, v < 1, global maximum\n")
    known["at"] = {a: sp.Rational(1, 2), b: sp.Rational(1, 2)}
    with pytest.raises(CheckFailed, match="better by"):
        check.maximum("eq-x", v * log(a) + (1 - v) * log(b), **parts, **known)


def test_a_constraint_is_not_divided_by_what_may_be_zero():
    square = Sum(x[k] ** 2, (k, 1, K))
    zero = {"at": {x[k]: 0}, "subject_to": Sum(x[k], (k, 1, K)), "certificate": [square]}
    with pytest.raises(CheckFailed, match="cannot fulfil the constraint"):
        check.maximum("eq-x", square, **zero)  # x / sum of x is not 0 / 0
    apart = {"at": {mu: 0, t: 1}, "subject_to": mu * t, "certificate": [(t - 1) ** 2]}
    with pytest.raises(CheckFailed, match="cannot fulfil the constraint"):
        check.maximum("eq-x", mu**2 - (t - 1) ** 2, **apart)  # at t = 0 there is no bound


def test_a_local_maximum_is_not_a_global_one():
    quartic = -(t**4) / 4 + t**3 / 3 + t**2
    check.maximum("eq-x", quartic, at={t: -1})
    with pytest.raises(CheckFailed, match="better by"):
        check.maximum("eq-x", quartic, at={t: -1}, certificate=[(t + 1) ** 2])


def test_the_divergence_of_two_dirichlets_decides_the_update(capsys):
    g, alpha, phi = (IndexedBase(s, positive=True) for s in ("gamma", "alpha", "phi"))
    V = sp.Symbol("V", integer=True, positive=True)
    concentration = Sum(g[k], (k, 1, K))
    mean_log = sp.digamma(g[k]) - sp.digamma(Sum(g[j], (j, 1, K)))
    best = alpha[k] + Sum(count[n] * phi[n, k], (n, 1, V))
    elbo = (
        Sum((alpha[k] - 1) * mean_log, (k, 1, K))
        + Sum(count[n] * Sum(phi[n, k] * mean_log, (k, 1, K)), (n, 1, V))
        - sp.loggamma(concentration)
        + Sum(sp.loggamma(g[k]) - (g[k] - 1) * mean_log, (k, 1, K))
    )
    certificate = [cited("eq-dirichlet-kl", g[k], best, (k, 1, K))]
    check.maximum("eq-x", elbo, at={g[k]: best}, certificate=certificate, assuming=K >= 2)
    assert capsys.readouterr().out.endswith(
        "  proved, any K, V, k = 1..K, K >= 2, global maximum, by eq-dirichlet-kl\n"
    )


# --- false claims that were once let through, and true ones that were not -------------------------

index = Sum(KroneckerDelta(n, k), (n, 1, N))
f = IndexedBase("f", real=True)
upper = Sum(Sum(f[n, k], (k, 1, n)), (n, 1, N))


@pytest.mark.parametrize(
    "sides",
    [
        (Sum(KroneckerDelta(n, k), (n, 1, N - 1)), sp.S.One),
        (Sum(KroneckerDelta(n, k + 1), (n, 1, N)), sp.S.One),
        (Sum(index, (k, 1, K)), K),
        (sp.Derivative(Sum(x[n] ** 2, (n, 1, N - 1)), x[k]), 2 * x[k]),
        (Sum(x[n], (n, 1, N)), Sum(x[n], (n, 1, N - 1)) + x[N - 1]),
        (upper, Sum(Sum(f[n, k], (n, k + 1, N)), (k, 1, N))),
        (Sum(a**n, (n, 0, N)), (1 - a**N) / (1 - a)),
        (sp.sin(mu) ** 2 + sp.cos(mu) ** 2, 1 + sp.Rational(1, 10**30)),
        (sp.sqrt(mu**2), mu),
        (log(mu * t), log(mu) + log(t)),
        (sp.sqrt(mu) * sp.sqrt(mu - 1), sp.sqrt(mu * (mu - 1))),
        (sp.asin(sp.sin(mu)), mu),
        (sp.Matrix([a * (a + 1)]), sp.Matrix([a * (a + 1)])),
        (Sum(a**n, (n, 0, oo)), 1 / (1 - a)),  # for a < 1 only
        (Sum(sp.binomial(N, n) * a**n * b ** (N - n), (n, 1, N)), (a + b) ** N),
        (Sum(sp.binomial(N, n) * (-1) ** n * a**n, (n, 0, N)), (1 + a) ** N),
        (Sum(sp.binomial(N + 1, n) * a**n, (n, 0, N)), (1 + a) ** (N + 1)),
        (Sum(n * sp.binomial(N, n) * a**n, (n, 0, N)), N * a * (1 + a) ** N),
        (Sum(a, (n, K, N + 5)), (N - K + 6) * a),  # from K = N + 7 on there is no term
        (sp.Product(a, (n, K, N + 5)), a ** (N - K + 6)),
        (Sum(Sum(w[k], (n, k + 2, N)), (k, 1, N)), Sum((N - k - 1) * w[k], (k, 1, N))),
    ],
)
def test_a_false_identity_is_refused(sides):
    with pytest.raises(CheckFailed) as failure:
        check.identity("eq-x", *sides)
    assert failure.value.label == "eq-x"


@pytest.mark.parametrize(
    "sides",
    [
        (index, sp.S.One),
        (Sum(KroneckerDelta(n, k) * x[n], (n, 1, N)), x[k]),
        (sp.Derivative(Sum(x[n] ** 2, (n, 1, N)), x[k]), 2 * x[k]),
        (Sum(x[n + 1], (n, 1, N)), Sum(x[n], (n, 2, N + 1))),
        (Sum(x[n], (n, 1, N)), Sum(x[n], (n, 1, N - 1)) + x[N]),
        (Sum(x[n], (n, 1, N)), x[1] + Sum(x[n], (n, 2, N))),
        (Sum(x[n + 1] - x[n], (n, 1, N)), x[N + 1] - x[1]),
        (upper, Sum(Sum(f[n, k], (n, k, N)), (k, 1, N))),
        (Sum(a**n, (n, 0, N)), (1 - a ** (N + 1)) / (1 - a)),
        (Sum(n, (n, 1, N)), N * (N + 1) / 2),
        (Sum(Sum(w[n], (k, n + 1, N)), (n, 1, N)), Sum((N - n) * w[n], (n, 1, N))),
        (sp.Product(a + n - 1, (n, 1, N)), sp.gamma(a + N) / sp.gamma(a)),
        (sp.Limit((1 + a / b) ** b, b, oo), exp(a)),
        (Sum(sp.binomial(N, n) * a**n * b ** (N - n), (n, 0, N)), (a + b) ** N),
        (Sum(sp.binomial(N, n) * t**n * mu ** (N - n), (n, 0, N)), (mu + t) ** N),
        (Sum(sp.binomial(N, n) * a**n, (n, 1, N)), (1 + a) ** N - 1),
        (Sum(n * sp.binomial(N, n) * a**n * (1 - a) ** (N - n), (n, 0, N)), N * a),
        (
            Sum(n * (n - 1) * sp.binomial(N, n) * a**n, (n, 0, N)),
            N * (N - 1) * a**2 * (1 + a) ** (N - 2),
        ),
    ],
)
def test_a_true_identity_is_proved(sides):
    check.identity("eq-x", *sides)


@pytest.mark.parametrize(
    ("smaller", "larger", "equality"),
    [
        (0, (a - 1) ** 2 * (10 - a), {a: 1}),
        (1 + 3 * t, (1 + t) ** 3, {t: 0}),
        (Sum(x[n], (n, 1, N)) ** 2, 5 * Sum(x[n] ** 2, (n, 1, N)), {x[n]: 0}),
        (0, t**2 * (t - 1) ** 2, {t: 1}),
        (0, a**2, {a: 0}),
        (log(a), a - 1 - sp.Rational(1, 10**12) * (a - 1) ** 2, {a: 1}),
        (0, (b - a) ** 2 * ((b - 5 * a) ** 2 - a**2 / 100), {b: a}),
    ],
)
def test_a_false_inequality_is_refused(smaller, larger, equality):
    with pytest.raises(CheckFailed):
        check.inequality("eq-x", smaller, larger, equality=equality)


@pytest.mark.parametrize(
    ("objective", "at"),
    [
        (Sum(-(x[k] ** 2) + 3 * x[k] * x[k + 1], (k, 1, K)), {x[k]: 0}),  # a saddle
        (-((a + 1) ** 2), {a: -1}),
        (-((a - mu) ** 2), {a: mu}),  # mu may be negative
    ],
)
def test_a_false_maximum_without_certificate_is_refused(objective, at):
    with pytest.raises(CheckFailed):
        check.maximum("eq-x", objective, at=at)


@pytest.mark.parametrize("wrong", [{x[j]: w[k]}, {x[k]: w[n]}])
def test_an_index_of_a_value_is_not_that_of_a_sum(wrong):
    square = Sum((x[k] - w[k]) ** 2, (k, 1, K))
    check.inequality("eq-x", 0, square, equality={x[j]: w[j]}, certificate=[square])
    with pytest.raises(CheckFailed):
        check.inequality("eq-x", 0, square, equality=wrong, certificate=[square])
    with pytest.raises(CheckFailed):
        check.maximum("eq-x", -square, at=wrong, certificate=[square])


def test_what_is_assumed_is_printed(capsys):
    check.maximum("eq-x", -((a - mu) ** 2), at={a: mu}, assuming=mu > 0)
    check.identity("eq-x", Abs(mu) * sp.sign(t), mu * sp.sign(t) * sp.sign(mu), assuming=mu > 1)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("  proved, mu > 0, global maximum")
    assert second.endswith("  proved, mu > 1")


@pytest.mark.parametrize("below", [c + 1, sp.sqrt(c), c * (c + 1)])
def test_the_limit_rule_is_for_a_multiple_of_the_factor(below):
    assert [c] in signs.zeros(c * h(a / below))


def test_the_limit_rule_knows_a_multiple_of_the_factor():
    assert signs.zeros(c * h(a / (b * c))) == [[a - b * c]]


@pytest.mark.parametrize("kind", ["integer", "nonnegative", "negative", "nonzero"])
def test_a_number_that_exists_may_not_be_narrower_than_what_it_equals(kind):
    spread = Sum((x[n] - Sum(x[k], (k, 1, N)) / N) ** 2, (n, 1, N))
    gap = N * Sum(x[n] ** 2, (n, 1, N)) - Sum(x[n], (n, 1, N)) ** 2
    for number in (sp.Symbol("r"), sp.Symbol("r", real=True)):
        check.inequality("eq-x", 0, gap, equality={x[n]: number}, certificate=[N * spread])
    number = sp.Symbol("r", real=True, **{kind: True})
    with pytest.raises(CheckFailed, match="not shown to be equal only there"):
        check.inequality("eq-x", 0, gap, equality={x[n]: number}, certificate=[N * spread])


@pytest.mark.parametrize(
    ("expr", "x", "facts", "expected"),
    [
        (1 / a**3 - log(a) + sp.sqrt(a), a, (), True),
        (1 / mu**2, mu, (), False),
        (mu**2 + 1 / (1 + mu**2), mu, (), True),
        (Sum(1 / (w[n] + a), (n, 1, N)), a, (), True),
        (Sum(1 / (x[n] + a), (n, 1, N)), a, (), False),
        (1 / (1 - a), a, (), False),
        (1 / (1 - a), a, ((1 - a, True),), True),
        (mu**2, mu, ((mu**2 - 1, True),), False),  # two intervals
        (1 / t**2, sp.Symbol("t", real=True, nonzero=True), (), False),
        (Abs(mu), mu, (), False),
    ],
)
def test_what_is_smooth_has_no_pole(expr, x, facts, expected):
    assert signs.is_smooth(expr.subs(t, x), x, facts) is expected


def test_a_derivative_of_one_sign_proves_nothing_across_a_pole(capsys):
    sides = 1 / (3 * mu**3) - 1 / (2 * mu**2)
    check.minimum("eq-x", sides, at={mu: 1})  # below mu = 0 it goes to minus infinity
    check.minimum("eq-x", sides.subs(mu, a), at={a: 1})
    everywhere, above_0 = capsys.readouterr().out.splitlines()
    assert everywhere.endswith("  strict local minimum, proved")
    assert above_0.endswith("  proved, global minimum")
