"""Prove that an expression vanishes, whatever the sizes in it: the algebra of sums and products.

What a size and an index are, `latent_em.book.structure` says.
"""

from collections import Counter
from functools import partial, reduce
from itertools import permutations
from math import prod
from operator import or_

import sympy as sp
from sympy.core.sorting import default_sort_key
from sympy.polys.rings import ring

from latent_em.book.structure import every, is_count, ranges, sizes
from latent_em.book.terms import cited, h


class psi(sp.Function):  # noqa: N801
    """The digamma function; SymPy does not know that its own is real."""

    nargs = 1

    def _eval_is_real(self):
        return self.args[0].is_positive

    def fdiff(self, argindex=1):
        """Return the trigamma function."""
        return sp.polygamma(1, *self.args)


UNEVALUATED = (sp.Derivative, sp.Integral, sp.Limit, sp.MatrixExpr, sp.Determinant, sp.Trace)
UNEVALUATED += (h, cited)


def residual(expr: sp.Expr, limits: dict | None = None, positive: tuple = ()) -> sp.Expr:
    """Return 0 when `expr` is proved to vanish, else what is left of it: no proof was found.

    Parameters
    ----------
    expr : sympy.Expr
    limits : dict, optional
        Ranges of its free indices, see `ranges`; by default as they are found in it.
    positive : tuple of sympy.Expr
        Expressions that are assumed to be positive.
    """
    limits = ranges(expr) if limits is None else limits
    for way in (
        canonical,
        sp.expand,
        partial(_split_logs, positive=positive),
        _recur_gammas,
        _simplify,
        _recur_gammas,
    ):
        expr = settle(canonical(way(expr)), limits)
        if numerator(expr) == 0 or _summands_vanish(expr):
            return sp.S.Zero
    return expr


def read(expr: sp.Expr) -> sp.Expr:
    """Put the digamma function that is known to be real in the place of SymPy's."""
    return expr.replace(
        lambda e: isinstance(e, sp.polygamma) and e.args[0] == 0 and e.args[1].is_positive,
        lambda e: psi(e.args[1]),
    )


def induction(expr: sp.Expr, limits: dict) -> sp.Symbol | None:
    """Size over which it is proved by induction that `expr` vanishes; None if there is none."""
    for size in sorted(sizes(expr), key=str):
        grows = any(size in end.free_symbols for pair in limits.values() for end in sum(pair, ()))
        if not size.is_integer or not size.is_nonnegative or grows:
            continue  # where an index may be larger with each step, the step proves too little
        first = expr.subs(size, 1 if size.is_positive else 0)
        step = canonical(sp.expand(canonical(expr.subs(size, size + 1)))) - canonical(expr)
        if all(residual(canonical(sp.expand(e)), limits) == 0 for e in (first, step)):
            return size
    return None


def canonical(expr: sp.Expr) -> sp.Expr:
    """Do derivatives and integrals; bring sums and products to one form.

    Logarithms are expanded, sums taken apart by linearity, constants pulled out of them,
    Kronecker deltas summed, nested sums merged and their indices renamed.
    """
    if not expr.args or not expr.has(sp.Sum, sp.Product, sp.log, sp.polygamma, *UNEVALUATED):
        return expr
    if isinstance(expr, sp.polygamma) and expr.args[0] == 0 and expr.args[1].is_positive:
        return psi(canonical(expr.args[1]))
    if isinstance(expr, sp.Derivative):  # inside first: the names of indices may clash
        done = sp.diff(canonical(expr.expr), *expr.variable_count)
        return done if isinstance(done, sp.Derivative) else canonical(done)
    if isinstance(expr, UNEVALUATED):
        done = expr.doit(deep=False)
        return done if done == expr else canonical(done)
    if isinstance(expr, (sp.Sum, sp.Product)):
        loop = _sum if isinstance(expr, sp.Sum) else _product
        new = every(expr.limits)
        result = canonical(expr.function.xreplace(new))
        for i, *_ in expr.limits:
            result = loop(result, (new[i], new[i].low, new[i].high))
        return result
    expr = expr.func(*(canonical(a) for a in expr.args))
    if isinstance(expr, sp.log):
        # both sides of log(ab) = log(a) + log(b) are minus infinity at zero
        powers = [a.as_base_exp() for a in sp.Mul.make_args(expr.args[0])]
        split = sp.expand_log(expr, force=all(b.is_nonnegative and e.is_real for b, e in powers))
        return split if split == expr else canonical(split)
    return expr


def _sum(summand: sp.Expr, limit: tuple) -> sp.Expr:
    i, low, high = limit
    if low.is_Integer and high.is_Integer:
        return sp.Add(*(canonical(summand.subs(i, j)) for j in range(low, high + 1)))
    if summand.has(within):
        summand = settle(summand, {i: [(low, high)]})
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(summand)):
        outside, inside = term.as_independent(i, as_Add=False)
        if inside == 1 and _counts(limit):
            total += outside * (high - low + 1)
        elif pick := _picked(inside, i):
            total += outside * canonical(within(pick[0], low, high) * pick[1])
        elif power := _binomial(inside, limit):
            total += outside * power
        else:
            ends, apart = _whole_range(inside, limit)
            total += outside * (apart + _one_sum(*ends))
    return total


def _counts(*limits: tuple) -> bool:
    """Whether a range has ``high - low + 1`` places, whatever the sizes: it may be empty else."""
    return all(is_count(i.high - i.low + 1) for i in every(limits).values())


def _one_sum(inside: sp.Expr, limit: tuple) -> sp.Expr:
    """A sum, merged with one inside that does not depend on its index."""
    i, low, high = limit
    nested = [a for a in sp.Mul.make_args(inside) if isinstance(a, sp.Sum)]
    if len(nested) != 1:
        return _named(sp.Sum, inside, [limit])
    body, limits = inside / nested[0] * nested[0].function, nested[0].limits
    if len(limits) == 1 and limits[0][2] == high and (limits[0][1] - i) in (0, 1):
        j, start, _ = limits[0]  # a triangle, its other way round
        limits = [(i, low, j - start + i)]
        limit = (j, low, high)
    return _named(sp.Sum, body, [*limits, limit])


def _whole_range(inside: sp.Expr, limit: tuple) -> tuple:
    """Let a sum run from 1 to a size: shift its index, add and take away single terms."""
    i, low, high = limit
    picks = {p for a in inside.atoms(sp.Indexed) for p in a.indices if p.has(i)}
    shifts = {p - i for p in picks}
    if len(shifts) == 1 and (shift := shifts.pop()).is_Integer:
        inside, low, high = inside.subs(i, i - shift), low + shift, high + shift
    size = high.as_coeff_Add()[1]
    beyond = high - size
    known = low.is_Integer and size != 0 and size.is_nonnegative and beyond.is_Integer
    if not known or max(abs(low - 1), abs(beyond)) > 5 or not (high - low + 1).is_nonnegative:
        return (inside, (i, low, high)), sp.S.Zero
    more = [*range(low, 1), *(size + j for j in range(1, beyond + 1))]
    less = [*range(1, low), *(size + j for j in range(beyond + 1, 1))]
    terms = [[canonical(inside.subs(i, j)) for j in places] for places in (more, less)]
    if any(t.has(sp.nan, sp.zoo, sp.oo) for t in terms[0] + terms[1]):
        return (inside, (i, low, high)), sp.S.Zero
    return (inside, (i, sp.S.One, size)), sp.Add(*terms[0]) - sp.Add(*terms[1])


class within(sp.Function):  # noqa: N801
    """1 when an index lies in a range, 0 when it does not: what a summed delta leaves."""

    nargs = 3
    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, i, low, high):
        """Decide it where that is possible."""
        if (i - low).is_nonnegative and (high - i).is_nonnegative:
            return sp.S.One
        if (i - low).is_negative or (high - i).is_negative:
            return sp.S.Zero
        return None

    def fdiff(self, argindex=1):
        """Return 0: an index is no variable."""
        return sp.S.Zero


def settle(expr: sp.Expr, limits: dict) -> sp.Expr:
    """Decide which free indices lie in the ranges of sums, given their own ranges."""

    def decide(i, low, high):
        for k, ends in limits.items():
            slope = sp.expand(i).diff(k)
            straight = slope != 0 and not any(e.has(k) for e in (slope, low, high))
            at_ends = [[within(i.subs(k, end), low, high) for end in pair] for pair in ends]
            if straight and [1, 1] in at_ends:
                return sp.S.One
        return within(i, low, high)

    return expr.replace(within, decide) if expr.has(within) else expr


def _binomial(inside: sp.Expr, limit: tuple) -> sp.Expr | None:
    """The binomial theorem: binomial(n, i) q**i adds up to (1 + q)**n.

    A factor i is q d/dq.
    """
    i, low, high = limit
    if low not in (0, 1) or not (inside.has(sp.binomial(high, i)) and high.is_nonnegative):
        return None
    outside, powers = (inside / sp.binomial(high, i)).as_independent(i, as_Add=False)
    moment = sp.sympify(powers.as_powers_dict().get(i, 0))
    powers /= i**moment
    first, q = powers.subs(i, 0), sp.powsimp(sp.expand(powers.subs(i, i + 1) / powers))
    if q.has(i) or powers.has(sp.binomial) or not moment.is_nonnegative:
        return None
    z = sp.Dummy()
    total = (1 + z) ** high
    for _ in range(int(moment)):
        total = z * sp.diff(total, z)
    return outside * first * (total.subs(z, q) - (low if moment == 0 else 0))


def _picked(inside: sp.Expr, i: sp.Symbol) -> tuple | None:
    """Which i a Kronecker delta among the factors picks, and the other factors there."""
    for factor in sp.Mul.make_args(inside):
        if isinstance(factor, sp.KroneckerDelta):
            difference = sp.expand(factor.args[0] - factor.args[1])
            if difference.coeff(i) in (1, -1) and not (difference.coeff(i) * i - difference).has(i):
                pick = i - difference * difference.coeff(i)
                return (pick, (inside / factor).subs(i, pick)) if pick.is_integer else None
    return None


def _product(factors: sp.Expr, limit: tuple) -> sp.Expr:
    i, low, high = limit
    if low.is_Integer and high.is_Integer:
        return sp.Mul(*(canonical(factors.subs(i, j)) for j in range(low, high + 1)))
    total = sp.S.One
    for factor in sp.Mul.make_args(sp.expand(factors, mul=False, power_exp=False)):
        base, exponent = factor.as_base_exp()
        if not factor.has_free(i) and _counts(limit):
            total *= factor ** (high - low + 1)
        elif isinstance(factor, sp.exp):
            total *= sp.exp(_sum(factor.exp, limit))
        elif not base.has_free(i) and base.is_positive:
            total *= base ** _sum(exponent, limit)
        elif not exponent.has_free(i) and (base.is_positive or exponent.is_integer):
            total *= _named(sp.Product, base, [limit]) ** exponent
        else:
            total *= _named(sp.Product, factor, [limit])
    return total


def _named(loop: type, inside: sp.Expr, limits: list) -> sp.Expr:
    """A sum or product whose indices have names that depend on its depth only."""
    bound = {ls[0] for a in inside.atoms(sp.Sum, sp.Product) for ls in a.limits}
    own = {ls[0] for ls in limits}
    for i in own & bound:  # not the same index
        new = sp.Dummy(i.name, integer=True)
        inside = inside.subs(i, new)
        limits = [tuple(end.subs(i, new) for end in ls) for ls in limits]
    own = {ls[0] for ls in limits}
    taken = {s.name for s in (inside.free_symbols - own) | bound if s.is_Symbol}
    names = [f"i_{level}" for level in range(1, 20) if f"i_{level}" not in taken]
    free = [sp.Symbol(name, integer=True) for name in names[: len(limits)]]
    forms = []
    for order in permutations(limits):
        done = [{ls[0] for ls in order[:place]} for place in range(len(order))]
        if any(
            end.free_symbols & d for (_, *ends), d in zip(order, done, strict=True) for end in ends
        ):
            continue  # an index ends at one that is summed before
        renamed = dict(zip((ls[0] for ls in order), free, strict=True))
        new = [tuple(end.xreplace(renamed) for end in ls) for ls in order]
        forms.append(loop(inside.xreplace(renamed), *new))
    return min(forms, key=lambda f: (str(f.limits), default_sort_key(f)))


def _summands_vanish(expr: sp.Expr) -> bool:
    """Collect everything into one sum per range and prove that each summand vanishes."""
    groups: dict[tuple, sp.Expr] = {}
    rest = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(expr)):
        loops = [a for a in sp.Mul.make_args(term) if isinstance(a, sp.Sum)]
        if len(loops) == 1:
            limits = loops[0].limits
            groups[limits] = groups.get(limits, 0) + term / loops[0] * loops[0].function
        else:
            rest += term
    if (
        rest != 0 and len(groups) == 1 and _counts(*next(iter(groups)))
    ):  # a constant is a sum: N = sum of 1
        (limits, summand), count = *groups.items(), sp.S.One
        for _, low, high in limits:
            count *= high - low + 1
        groups, rest = {limits: summand + rest / count}, sp.S.Zero
    return rest == 0 and all(numerator(summand) == 0 for summand in groups.values())


def numerator(expr: sp.Expr) -> sp.Expr:
    """Numerator over a common denominator: 0 proves that `expr` vanishes.

    Whatever is not a rational operation counts as a variable. SymPy's `together` takes minutes
    where this takes milliseconds: it does polynomial arithmetic and looks for no divisors.
    """
    variables = sorted(_variables(expr), key=default_sort_key)
    domain, *generators = ring([sp.Dummy() for _ in variables], sp.QQ)
    known = dict(zip(variables, generators, strict=True))

    def fraction(e):  # a polynomial and its denominator, from factor to exponent
        if e.is_Rational:
            return domain(sp.QQ(e.p, e.q)), Counter()
        if e.is_Mul:
            tops, bottoms = zip(*map(fraction, e.args), strict=True)
            return prod(tops), sum(bottoms, Counter())
        if e.is_Add:
            parts = [fraction(a) for a in e.args]
            common = reduce(or_, (bottom for _, bottom in parts))
            missing = [prod((p**n for p, n in (common - b).items()), start=t) for t, b in parts]
            return sum(missing), common
        if _is_integer_power(e):
            top, bottom = fraction(e.base)
            n = abs(int(e.exp))
            if e.exp > 0:
                return top**n, Counter({p: n * m for p, m in bottom.items()})
            scale = top.LC  # equal denominators should look equal
            upside = prod((p ** (n * m) for p, m in bottom.items()), start=domain(1 / scale**n))
            return upside, Counter({top.quo_ground(scale): n})
        return known[e], Counter()

    top, _ = fraction(expr)
    return sp.expand(top.as_expr(*variables)) if top else sp.S.Zero


def _variables(expr: sp.Expr) -> set[sp.Expr]:
    if expr.is_Add or expr.is_Mul:
        return set().union(*map(_variables, expr.args))
    if _is_integer_power(expr):
        return _variables(expr.base)
    return set() if expr.is_Rational else {expr}


def _is_integer_power(expr: sp.Expr) -> bool:
    return expr.is_Pow and expr.exp.is_Integer


def _split_logs(expr: sp.Expr, positive: tuple = ()) -> sp.Expr:
    marks = {canonical(e): sp.Dummy(positive=True) for e in positive}

    def mark(factor):
        base, exponent = factor.as_base_exp()
        for e, d in marks.items():
            ratio = sp.cancel(base / e) if base.is_Add else base / e
            if ratio.is_number:
                return (ratio * d) ** exponent
        return factor

    def split(arg):
        factors = sp.Mul.make_args(sp.factor(arg))
        logs = sp.expand_log(sp.log(sp.Mul(*map(mark, factors))))
        return logs.xreplace({d: e for e, d in marks.items()})

    return expr.replace(sp.log, split)


def _simplify(expr: sp.Expr) -> sp.Expr:
    if expr.has(sp.binomial):  # it may not come back
        return expr
    # SymPy takes a sum from K to N < K for minus one from N + 1 to K - 1
    loops = expr.atoms(sp.Sum, sp.Product)
    unsure = {a for a in loops if not _counts(*a.limits)}
    frozen = {a: sp.Dummy(real=a.is_real) for a in loops if unsure & a.atoms(sp.Sum, sp.Product)}
    try:
        return sp.simplify(expr.xreplace(frozen)).xreplace({d: a for a, d in frozen.items()})
    except Exception:  # SymPy stumbles over some sums: then it has no proof
        return expr


def _recur_gammas(expr: sp.Expr) -> sp.Expr:
    """Use Γ(z + 1) = z Γ(z) and what follows from it for log-gamma and digamma."""
    expr = expr.replace(
        lambda e: isinstance(e, sp.loggamma) and e.args[0].is_positive,
        lambda e: sp.log(sp.gamma(*e.args)),
    )
    expr = expr.replace(sp.RisingFactorial, lambda z, n: sp.gamma(z + n) / sp.gamma(z))
    return sp.expand_func(expr.replace(psi, sp.digamma))
