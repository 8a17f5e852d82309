"""Refute at random points, prove symbolically: the two halves of every check of an equation.

Both work on SymPy expressions whose sums and products may run to a symbolic size and hold
indexed terms, such as ``Sum(r[n, k] * x[n], (n, 1, N))``. A *size* is a symbol in the limits of
a sum or product; a free *index* is one that picks a term, such as the k of ``r[n, k]``.
"""

import random
from collections import Counter
from collections.abc import Iterator
from functools import reduce
from itertools import permutations
from math import prod
from operator import or_

import mpmath
import sympy as sp
from sympy.concrete.delta import deltasummation
from sympy.core.sorting import default_sort_key
from sympy.polys.rings import ring

_UNEVALUATED = (sp.Derivative, sp.Integral, sp.MatrixExpr, sp.Determinant, sp.Trace)

mp = mpmath.MPContext()  # a context of its own: mpmath's global precision stays as it is
mp.dps = 40


# --- numbers at random points -------------------------------------------------------------------


class Point:
    """A random point in the domain of the symbols; a number is drawn when first asked for.

    Parameters
    ----------
    seed : str
        With the symbol's name it decides the number, whatever else is asked for.
    integers : dict
        Sizes and free indices.
    at : dict
        Variables that lie close to an expression, see `substitute`.
    """

    def __init__(self, seed: str, integers: dict, at: dict):
        self.seed, self.at = seed, at
        self.scale = random.Random(seed).choice(("0.3", "1", "3"))
        self.numbers = {s: mp.mpf(n) for s, n in integers.items()}

    def __str__(self):
        numbers = {
            str(a): int(v) if mp.isint(v) else mp.nstr(v, 4) for a, v in self.numbers.items()
        }
        return ", ".join(f"{a} = {v}" for a, v in sorted(numbers.items()))

    def value(self, expr: sp.Expr, known: dict | None = None):
        """`expr` at this point, an mpmath number of 40 digits."""
        known = {} if known is None else known
        if expr not in known:
            known[expr] = self._value(expr, known)
        return known[expr]

    def _value(self, expr, known):
        if expr.is_Rational:
            return mp.mpf(expr.p) / expr.q
        if expr.is_Symbol:
            return self._number(expr)
        if isinstance(expr, sp.Indexed):
            return self._number(expr.base[tuple(int(self.value(i, known)) for i in expr.indices)])
        if isinstance(expr, (sp.Sum, sp.Product)):
            return self._loop(expr)
        if isinstance(expr, (sp.Integral, sp.Piecewise)):
            numbers = {s: self.value(s, known) for s in expr.free_symbols if s.is_Symbol}
            return _mpmath(expr.subs({s: sp.Float(v, mp.dps) for s, v in numbers.items()}))
        if not expr.args:
            return _mpmath(expr)
        args = [self.value(a, known) for a in expr.args]
        if expr.is_Add:
            return mp.fsum(args)
        if expr.is_Mul:
            return mp.fprod(args)
        if expr.is_Pow:
            return args[0] ** (int(expr.exp) if expr.exp.is_Integer else args[1])
        if isinstance(expr, (sp.exp, sp.log)):
            return getattr(mp, expr.func.__name__)(*args)
        return _mpmath(
            expr.func(*(sp.Integer(int(a)) if mp.isint(a) else sp.Float(a, mp.dps) for a in args))
        )

    def _loop(self, expr):
        *inner, (i, low, high) = expr.limits
        body = expr.func(expr.function, *inner) if inner else expr.function
        hidden = self.numbers.get(i)
        terms = []
        for j in range(int(self.value(low)), int(self.value(high)) + 1):
            self.numbers[i] = mp.mpf(j)
            terms.append(self.value(body))
        del self.numbers[i]
        if hidden is not None:
            self.numbers[i] = hidden
        return mp.fsum(terms) if isinstance(expr, sp.Sum) else mp.fprod(terms)

    def _number(self, a: sp.Expr):
        if a not in self.numbers:
            number, goal = self._draw(a), substitute(a, self.at)
            if goal != a:
                goal = self.value(goal)
                number = goal + (number - goal) / 20
            self.numbers[a] = number
        return self.numbers[a]

    def _draw(self, a: sp.Expr):
        rng = random.Random(f"{self.seed} {a}")
        if a.is_integer:
            return mp.mpf(rng.randint(1 if a.is_positive else 0 if a.is_nonnegative else -4, 4))
        size = mp.mpf(rng.randint(10**4, 10**6)) / 10**6 * mp.mpf(self.scale)
        if a.is_nonnegative:
            return size
        return -size if a.is_nonpositive or rng.random() < 0.5 else size


def samples(exprs: list[sp.Expr], count: int, seed: str, at: dict | None = None) -> Iterator:
    """Values of expressions at random points of the domain that the symbols' assumptions give.

    Points where a value is not a finite real number are passed over.

    Parameters
    ----------
    exprs : list of sympy.Expr
    count : int
        Number of points.
    seed : str
    at : dict, optional
        At every other point these variables lie close to these expressions.

    Yields
    ------
    point : Point
    values : list of mpf
        One per expression, to 40 digits.

    Raises
    ------
    ArithmeticError
        When the values are real at too few points.
    """
    done = tuple(c for c in _UNEVALUATED if c is not sp.Integral)
    exprs = [e.replace(lambda a: isinstance(a, done), canonical) for e in exprs]
    whole, picks = (sorted(f(*exprs), key=str) for f in (sizes, indices))
    found = 0
    for number in range(60 * count):
        name = f"{seed} {number}"
        rng = random.Random(name)
        integers = {s: rng.choice((3, 4)) for s in whole} | {s: rng.choice((1, 2)) for s in picks}
        point = Point(name, integers, at if at and number % 2 else {})
        try:
            values = [point.value(e) for e in exprs]
        except ZeroDivisionError:
            continue
        if all(isinstance(v, mp.mpf) and mp.isfinite(v) for v in values):
            found += 1
            yield point, values
            if found == count:
                return
    raise ArithmeticError(f"only {found} of {count} random points give finite real values")


def sizes(*exprs: sp.Basic) -> set[sp.Symbol]:
    """Symbols in the limits of sums and products: N, K, ..."""
    loops = {a for e in exprs for a in e.atoms(sp.Sum, sp.Product)}
    return {s for a in loops for _, *ends in a.limits for end in ends for s in end.free_symbols}


def indices(*exprs: sp.Basic) -> set[sp.Symbol]:
    """Free symbols that pick a term: the k of ``r[n, k]`` where no sum runs over k."""
    picks = {a for e in exprs for a in e.atoms(sp.Indexed, sp.KroneckerDelta)}
    inside = {s for a in picks for s in (a.indices if a.is_Indexed else a.args)}
    free = {s for e in exprs for s in e.free_symbols}
    return {s for i in inside for s in i.free_symbols if s.is_Symbol} & free - sizes(*exprs)


def differ(a, b) -> bool:
    """Whether two values of `samples` differ by more than rounding."""
    return abs(a - b) > mp.mpf("1e-25") * (1 + abs(a) + abs(b))


def substitute(expr: sp.Basic, at: dict) -> sp.Basic:
    """Replace variables; an indexed one with a symbolic index stands for all its indices."""
    for variable, new in at.items():
        picks = [i for i in getattr(variable, "indices", ()) if i.free_symbols]
        if not picks:
            expr = expr.subs(variable, new)
            continue
        wild = {i: sp.Wild(f"w{i}") for i in picks}
        # indices of sums in the new value must not catch those that are put in for the wild ones
        new = new.replace(
            lambda e: isinstance(e, (sp.Sum, sp.Product)),
            lambda e: e.xreplace({i: sp.Dummy(i.name, integer=True) for i, *_ in e.limits}),
        )
        expr = expr.replace(variable.xreplace(wild), new.xreplace(wild))
    return expr


def _mpmath(expr: sp.Expr):
    number = expr.evalf(mp.dps)
    if not number.is_number:
        raise TypeError(f"{expr} has no value at a point")
    return mp.mpmathify(number) if number.is_finite else mp.nan


# --- proofs -------------------------------------------------------------------------------------


def residual(expr: sp.Expr) -> sp.Expr:
    """Return 0 when `expr` is proved to vanish, else what is left of it: no proof was found."""
    for way in (canonical, sp.expand, _split_logs, _recur_gammas, sp.simplify):
        expr = canonical(way(expr))
        if numerator(expr) == 0 or _summands_vanish(expr):
            return sp.S.Zero
    return expr


def canonical(expr: sp.Expr) -> sp.Expr:
    """Do derivatives and integrals; bring sums and products to one form.

    Logarithms are expanded, sums taken apart by linearity, constants pulled out of them,
    Kronecker deltas summed, nested sums merged and their indices renamed.
    """
    if not expr.args or not expr.has(sp.Sum, sp.Product, sp.log, *_UNEVALUATED):
        return expr
    if isinstance(expr, sp.Derivative):  # inside first: the names of indices may clash
        return canonical(sp.diff(canonical(expr.expr), *expr.variable_count))
    if isinstance(expr, _UNEVALUATED):
        return canonical(expr.doit(deep=False))
    if isinstance(expr, (sp.Sum, sp.Product)):
        loop = _sum if isinstance(expr, sp.Sum) else _product
        result = canonical(expr.function)
        for limit in expr.limits:
            result = loop(result, limit)
        return result
    expr = expr.func(*(canonical(a) for a in expr.args))
    if isinstance(expr, sp.log):
        split = sp.expand_log(expr)
        return split if split == expr else canonical(split)
    return expr


def _sum(summand: sp.Expr, limit: tuple) -> sp.Expr:
    i, low, high = limit
    if low.is_Integer and high.is_Integer:
        return sp.Add(*(canonical(summand.subs(i, j)) for j in range(low, high + 1)))
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(summand)):
        outside, inside = term.as_independent(i, as_Add=False)
        if inside == 1:
            total += outside * (high - low + 1)
        elif inside.has(sp.KroneckerDelta):
            total += outside * canonical(deltasummation(inside, limit, no_piecewise=True))
        else:
            limits = [limit]
            nested = [a for a in sp.Mul.make_args(inside) if isinstance(a, sp.Sum)]
            if len(nested) == 1 and not any(set(ls[1:]) & {i} for ls in nested[0].limits):
                inside = inside / nested[0] * nested[0].function
                limits = [*nested[0].limits, limit]
            total += outside * _named(sp.Sum, inside, limits)
    return total


def _product(factors: sp.Expr, limit: tuple) -> sp.Expr:
    i, low, high = limit
    if low.is_Integer and high.is_Integer:
        return sp.Mul(*(canonical(factors.subs(i, j)) for j in range(low, high + 1)))
    total = sp.S.One
    for factor in sp.Mul.make_args(sp.expand(factors, mul=False, power_exp=False)):
        base, exponent = factor.as_base_exp()
        if not factor.has_free(i):
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
    taken = {s.name for s in inside.free_symbols | bound if s.is_Symbol} - {
        ls[0].name for ls in limits
    }
    names = [f"i_{level}" for level in range(1, 20) if f"i_{level}" not in taken]
    free = [sp.Symbol(name, integer=True) for name in names[: len(limits)]]
    forms = []
    for order in permutations(limits):
        renamed = dict(zip((ls[0] for ls in order), free, strict=True))
        new = [(renamed[i], *ends) for i, *ends in order]
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
    if rest != 0 and len(groups) == 1:  # a constant is a sum too: N = sum of 1
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


def _split_logs(expr: sp.Expr) -> sp.Expr:
    return expr.replace(sp.log, lambda arg: sp.expand_log(sp.log(sp.factor(arg))))


def _recur_gammas(expr: sp.Expr) -> sp.Expr:
    """Use Γ(z + 1) = z Γ(z) and what follows from it for log-gamma and digamma."""
    expr = expr.replace(
        lambda e: isinstance(e, sp.loggamma) and e.args[0].is_positive,
        lambda e: sp.log(sp.gamma(*e.args)),
    )
    return sp.expand_func(expr)
