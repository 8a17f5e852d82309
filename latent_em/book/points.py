"""Numbers at random points: what refutes an equation."""

import random
from collections.abc import Callable, Iterator
from functools import lru_cache

import mpmath
import sympy as sp

from latent_em.book.algebra import UNEVALUATED, canonical, psi
from latent_em.book.structure import indices, ranges, sizes, substitute

mp = mpmath.MPContext()  # a context of its own: mpmath's global precision stays as it is
mp.dps = 40
SCALES = ("0.01", "0.3", "1", "3", "100")


class Point:
    """A random point in the domain of the symbols; a number is drawn when first asked for.

    Parameters
    ----------
    seed : str
        With the symbol's name it decides the number, whatever else is asked for.
    whole : dict
        Sizes and free indices.
    at : dict
        Variables that lie close to an expression, see `substitute`.
    scale : str
        How large other numbers may be.
    """

    def __init__(self, seed: str, whole: dict, at: dict, scale: str = "1"):
        self.seed, self.whole, self.at, self.scale = seed, whole, at, scale
        self.numbers = {s: mp.mpf(n) for s, n in whole.items()}
        self.terms: dict = {}  # indexed terms
        self.loops: dict = {}  # sums and products

    def __str__(self):
        numbers = {
            str(a): int(v) if mp.isint(v) else mp.nstr(v, 4) for a, v in self.numbers.items()
        }
        return ", ".join(f"{a} = {v}" for a, v in sorted(numbers.items()))

    def difference(self, left: sp.Expr, right: sp.Expr):
        """``left - right`` at this point; 0 when it is no more than rounding.

        A difference is one when it stays the same with three times the digits.
        """
        left, right = _evaluable(left), _evaluable(right)
        a, b = self.value(left), self.value(right)
        if left.has(sp.Integral) or right.has(sp.Integral):  # as exact as its quadrature
            return a - b if abs(a - b) > mp.mpf("1e-25") * (1 + abs(a) + abs(b)) else mp.zero
        if a == b:
            return mp.zero
        with mp.workdps(3 * mp.dps):
            again = Point(self.seed, self.whole, self.at, self.scale)
            try:
                fine = again.value(left) - again.value(right)
            except ZeroDivisionError:  # what was divided by was rounding
                return mp.zero
        return +fine if abs(a - b - fine) < abs(fine) / 1000 else mp.zero

    def value(self, expr: sp.Expr):
        """`expr` at this point, an mpmath number of 40 digits."""
        return _program(expr)(self)

    def picked(self, base: sp.IndexedBase, indices: tuple):
        """Value of the term of `base` with these indices."""
        key = base, indices
        if key not in self.terms:
            self.terms[key] = self.number(base[tuple(map(int, indices))])
        return self.terms[key]

    def number(self, a: sp.Expr):
        """Value of a symbol or of an indexed term."""
        if a not in self.numbers:
            number, goal = self._draw(a), substitute(a, self.at)
            if goal != a:
                # a mean of x that all x[n] are close to is that of the x[n] drawn at large
                base = getattr(a, "base", a)
                rest = {v: e for v, e in self.at.items() if getattr(v, "base", v) != base}
                goal = Point(self.seed, self.whole, rest, self.scale).value(goal)
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


@lru_cache(maxsize=100_000)
def _program(expr: sp.Expr) -> Callable[[Point], "mpmath.mpf"]:
    """Translate an expression into a function of a point: a sum is walked through many times."""
    if expr.is_Rational:
        p, q = expr.p, expr.q
        return lambda point: mp.mpf(p) / q
    if expr.is_Symbol:
        return lambda point: point.number(expr)
    if isinstance(expr, sp.Indexed):
        base, picks = expr.base, [_program(i) for i in expr.indices]
        return lambda point: point.picked(base, tuple(i(point) for i in picks))
    if isinstance(expr, (sp.Sum, sp.Product)):
        return _loop_program(expr)
    if isinstance(expr, (sp.Integral, sp.Piecewise)):
        symbols = [(s, _program(s)) for s in expr.free_symbols if s.is_Symbol]

        def substituted(point):
            return _mpmath(expr.subs({s: sp.Float(f(point), mp.dps) for s, f in symbols}))

        return substituted
    if not expr.args:
        return lambda point: _mpmath(expr)
    args = [_program(a) for a in expr.args]
    if expr.is_Pow and expr.exp.is_Integer:
        power = int(expr.exp)
        return lambda point: args[0](point) ** power
    known = _KNOWN.get(expr.func)
    if known:
        return lambda point: known(*(a(point) for a in args))

    def evaluated(point):
        numbers = [a(point) for a in args]
        whole = [sp.Integer(int(a)) if mp.isint(a) else sp.Float(a, mp.dps) for a in numbers]
        try:
            return _mpmath(expr.func(*whole))
        except (TypeError, ValueError) as error:
            raise ArithmeticError(f"{expr} has no value at a point") from error

    return evaluated


_KNOWN = {
    sp.Add: lambda *args: mp.fsum(args),
    sp.Mul: lambda *args: mp.fprod(args),
    sp.Pow: lambda base, exponent: base**exponent,
    sp.exp: mp.exp,
    sp.log: mp.log,
    sp.loggamma: mp.loggamma,
    sp.polygamma: lambda order, a: mp.psi(int(order), a),
    psi: mp.digamma,
}


def _loop_program(expr):
    *inner, (i, low, high) = expr.limits
    body = _program(expr.func(expr.function, *inner) if inner else expr.function)
    start, end = _program(low), _program(high)
    total = mp.fsum if isinstance(expr, sp.Sum) else mp.fprod
    outer = sorted((s for s in expr.free_symbols if s.is_Symbol), key=str)

    def walk(point):
        key = expr, tuple(point.numbers.get(s) for s in outer)
        if key not in point.loops:
            hidden, terms, first, last = point.numbers.get(i), [], start(point), end(point)
            if not (mp.isfinite(first) and mp.isfinite(last)):
                raise ArithmeticError(f"{expr} has no end, and no value is computed for it")
            for j in range(int(first), int(last) + 1):
                point.numbers[i] = mp.mpf(j)
                terms.append(body(point))
            point.numbers.pop(i, None)
            if hidden is not None:
                point.numbers[i] = hidden
            point.loops[key] = total(terms)
        return point.loops[key]

    return walk


def samples(
    exprs: list[sp.Expr],
    count: int,
    seed: str,
    at: dict | None = None,
    assuming: list = (),
    scales: tuple = SCALES,
) -> Iterator:
    """Values of expressions at random points of the domain that the symbols' assumptions give.

    Sizes are 1 to 3, or 0 where they may be, indices lie in their range and often at its ends,
    other numbers are of the size of 0.01 to 100. Points where a value is not a finite real number
    are passed over.

    Parameters
    ----------
    exprs : list of sympy.Expr
    count : int
        Number of points.
    seed : str
    at : dict, optional
        At every other point these variables lie close to these expressions.
    assuming : list of sympy.Rel
        Points where one of them does not hold are passed over.
    scales : tuple of str
        Sizes of the numbers, one for each point.

    Yields
    ------
    point : Point
    values : list of mpf
        One per expression, to 40 digits.

    Raises
    ------
    ArithmeticError
        When the values are real at too few points, or a sum has no end.
    """
    terms = [*exprs, *(side for relation in assuming for side in relation.args)]
    exprs = [_evaluable(e) for e in exprs]
    whole, limits = sorted(sizes(*terms), key=str), ranges(*terms)
    picks = sorted(indices(*terms), key=str)
    found = 0
    for number in range(60 * count):
        name = f"{seed} {number}"
        rng = random.Random(name)
        integers = _integers(rng, whole, picks, limits)
        if integers is None:
            continue
        # the first are near 1: a counterexample that is shown should be easy to read
        scale = rng.choice(scales if number >= count / 4 else ("0.3", "1", "3"))
        point = Point(name, integers, at if at and number % 2 else {}, scale)
        try:
            if not all(_holds(relation, point) for relation in assuming):
                continue
            values = [point.value(e) for e in exprs]
        except ZeroDivisionError:
            continue
        if all(isinstance(v, mp.mpf) and mp.isfinite(v) for v in values):
            found += 1
            yield point, values
            if found == count:
                return
    raise ArithmeticError(f"only {found} of {count} random points give finite real values")


def _integers(rng, whole: list, picks: list, limits: dict) -> dict | None:
    """Sizes and free indices; None when a size of 0 leaves an index nothing to pick from."""
    least = {s: 0 if s.is_nonnegative and not s.is_positive else 1 for s in whole}
    integers = {s: rng.randint(least[s], 3) for s in whole}
    for k in picks:
        low, high = 1, 3
        for ends in limits.get(k, ()):
            start, end = (int(Point("", integers, {}).value(e)) for e in ends)
            low, high = max(low, start) if start else start, min(high, end)
        if high < low and 0 in integers.values():
            return None
        integers[k] = rng.choice((low, high, rng.randint(low, max(low, high))))
    return integers


def _evaluable(expr: sp.Expr) -> sp.Expr:
    done = tuple(c for c in UNEVALUATED if c is not sp.Integral)
    return expr.replace(lambda a: isinstance(a, done), canonical)


def _holds(relation: sp.Rel, point: Point) -> bool:
    gap = point.difference(relation.gts, relation.lts)
    return gap > 0 if isinstance(relation, (sp.Gt, sp.Lt)) else gap >= 0


def _mpmath(expr: sp.Expr):
    number = expr.evalf(mp.dps) if isinstance(expr, sp.Expr) else sp.Symbol(str(expr))
    if not number.is_number:
        raise ArithmeticError(f"{expr} has no value at a point")
    return mp.mpmathify(number) if number.is_finite else mp.nan
