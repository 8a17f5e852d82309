"""What is not negative by its form, and where it is zero: the half of a proof that a reader sees.

An inequality is proved by a *certificate*: terms whose sum is identical with the gap, each of a
form that is never negative. `zeros` knows the forms and returns where a term vanishes; `implies`
compares that with the equality condition that an author states.
"""

from itertools import chain, product

import sympy as sp

from latent_em.book import algebra, structure
from latent_em.book.structure import Every, every, is_count
from latent_em.book.terms import cited, h

_MANAGEABLE = 200  # operations in an expression; to factorise more could take minutes


class UnknownSignError(ValueError):
    """An expression is not one of the forms that are known not to be negative."""


# --- where a term of known form vanishes --------------------------------------------------------


def zeros(expr: sp.Expr, facts: tuple = ()) -> list[list[sp.Expr]]:
    """Where a term of a form that is never negative vanishes.

    Forms: a positive or non-negative symbol, an even power of a real, ``h(t)`` of a non-negative
    t, ``log(t)`` where t - 1 is of such a form, ``1 - KroneckerDelta``, what is
    `latent_em.book.terms.cited`, and sums, products and powers of these. At q = 0,
    ``q * h(p / q)`` means its limit p.

    Parameters
    ----------
    expr : sympy.Expr
    facts : tuple of (sympy.Expr, bool)
        Expressions that are assumed not to be negative, and whether they are positive.

    Returns
    -------
    list of list of sympy.Expr
        The expression vanishes where, in one of the lists, all expressions vanish: ``[]`` is
        nowhere and ``[[]]`` everywhere. What holds an `Every` vanishes for all values of it.

    Raises
    ------
    UnknownSignError
        When the form is not known.
    """
    for known, positive in facts:
        if (expr - known).is_positive and (expr - known).is_number:
            return []
        ratio = sp.cancel(expr / known) if expr.is_Add else expr / known
        if ratio.is_positive and (ratio.is_number or (expr.is_Add and is_positive(ratio))):
            return [] if positive else [[known]]
    if isinstance(expr, (sp.Sum, sp.Product)):
        return _loop(expr, facts)
    if expr.is_zero:
        return [[]]
    if isinstance(expr, cited):
        _, needed, vanishes = expr.entry
        if unsure := [e for e in needed if not is_positive(e, facts)]:
            raise UnknownSignError(f"{expr.by} needs {unsure[0]} > 0")
        return zeros(vanishes, facts)
    if isinstance(expr, h):
        top, bottom = sp.fraction(expr.args[0])
        _all(zeros(part, facts) for part in (top, bottom))  # at 0 and at infinity h is infinite
        return [[top - bottom]]
    if isinstance(expr, sp.log):
        return zeros(expr.args[0] - 1, facts)
    if isinstance(expr, sp.Abs):
        return [[expr.args[0]]]
    if isinstance(expr, sp.exp) and expr.args[0].is_real:
        return []
    for kind, rule in ((sp.Add, _add), (sp.Mul, _mul), (sp.Pow, _pow)):
        if isinstance(expr, kind):
            return rule(expr, facts)
    return _by_assumptions(expr)


def is_positive(expr: sp.Expr, facts: tuple = ()) -> bool:
    """Whether an expression is positive by its form."""
    try:
        return zeros(expr, facts) == []
    except UnknownSignError:
        return False


_SMOOTH = (sp.exp, sp.sin, sp.cos, sp.tanh, sp.atan, sp.erf)
_SMOOTH_ABOVE_0 = (sp.log, sp.gamma, sp.loggamma, sp.polygamma, algebra.psi, h)


def is_smooth(expr: sp.Expr, x: sp.Symbol, facts: tuple = ()) -> bool:
    """Whether an expression is smooth in x on the whole domain, and that is an interval.

    It is so by its form: what is divided by, and what is in a logarithm, has one sign.
    """
    parted = x.is_nonzero and not (x.is_positive or x.is_negative)
    if parted or any(sp.diff(fact, x, 2) != 0 for fact, _ in facts):
        return False  # what is assumed may leave more than one interval
    if not expr.has(x):
        return True
    if isinstance(expr, sp.Pow) and not (expr.exp.is_Integer and expr.exp.is_positive):
        base, whole = expr.base, expr.exp.is_integer
        away = is_positive(base, facts) or (whole and is_positive(-base, facts))
    else:
        away = not isinstance(expr, _SMOOTH_ABOVE_0) or is_positive(expr.args[-1], facts)
    if isinstance(expr, (sp.Sum, sp.Product)):
        return not any(sp.Tuple(*ls).has(x) for ls in expr.limits) and is_smooth(
            expr.function, x, facts
        )
    known = (sp.Symbol, sp.Add, sp.Mul, sp.Pow, *_SMOOTH, *_SMOOTH_ABOVE_0)
    return away and isinstance(expr, known) and all(is_smooth(e, x, facts) for e in expr.args)


def _by_assumptions(expr):
    if not expr.has(sp.Sum, sp.Product):  # SymPy takes an empty sum for a positive number
        if expr.is_positive:
            return []
        if expr.is_nonnegative:
            return [[expr]]
    raise UnknownSignError(f"{expr} is not of a form that is known not to be negative")


def facts_of(assuming: list) -> tuple:
    """Read relations such as ``v > 0`` as the facts that `zeros` takes."""
    found = []
    for relation in assuming:
        factors = sp.Mul.make_args(sp.factor(relation.gts - relation.lts))
        core = sp.Mul(*(f for f in factors if not is_positive(f)))
        found.append((core, isinstance(relation, (sp.Gt, sp.Lt))))
    return tuple(found)


def _add(expr, facts):
    if isinstance(1 - expr, sp.KroneckerDelta):
        i, j = (1 - expr).args
        return [[i - j]]
    try:
        return _all(zeros(term, facts) for term in expr.args)
    except UnknownSignError:
        factored = sp.factor(expr) if expr.count_ops() < _MANAGEABLE else expr
        return _by_assumptions(expr) if factored.is_Add else zeros(factored, facts)


def _all(parts) -> list:
    """Where all parts vanish: each in one of its ways."""
    return [list(chain(*ways)) for ways in product(*parts)]


def _mul(expr, facts):
    number, factors = expr.as_coeff_mul()
    if number.is_negative:
        raise UnknownSignError(f"{expr} has a minus sign")
    tangents = [f for f in factors if isinstance(f, h)]
    ways = []
    for factor in factors:
        found = zeros(factor, facts)
        if found == [[factor]] and any(_is_below(factor, t, facts) for t in tangents):
            found = []  # at q = 0 the limit of q h(p/q) is p: it vanishes where p = q there too
        ways += found
    return ways


def _is_below(q, tangent, facts) -> bool:
    """Whether a tangent is ``h(p / q)``, or h of a positive multiple that does not depend on q."""
    multiple = sp.fraction(tangent.args[0])[1] / q
    return not multiple.has(q) and is_positive(multiple, facts)


def _pow(expr, facts):
    base, exponent = expr.as_base_exp()
    if exponent.is_real and is_positive(base, facts):
        return []
    if exponent.is_even and exponent.is_positive and _is_real(base):
        return [[base]]
    if exponent.is_positive:
        return zeros(base, facts)
    if exponent.is_even and _is_real(base):
        return []
    return _by_assumptions(expr)


def _is_real(expr) -> bool:
    """Whether an expression is real where it has a value: SymPy asks whether it has one."""
    if expr.is_Add or expr.is_Mul:
        return all(map(_is_real, expr.args))
    if expr.is_Pow and expr.exp.is_Integer:
        return _is_real(expr.base)
    if isinstance(expr, sp.Sum):
        return _is_real(expr.function)
    return bool(expr.is_real)


def _loop(expr, facts):
    new = every(expr.limits)
    ways = zeros(expr.function.subs(new), facts)
    if isinstance(expr, sp.Product):
        if ways:
            raise UnknownSignError(f"{expr} has factors that are not known to be positive")
        return ways
    for i, *_ in expr.limits:
        ways = _for_all(ways, new[i])
    return ways


def _for_all(ways, i: Every):
    """Where a sum over i vanishes, from where its terms do."""
    rest = [way for way in ways if not any(e.has(i) for e in way)]
    mine = [way for way in ways if way not in rest]
    if len(mine) > 1:
        if any(len(way) > 1 for way in mine):
            raise UnknownSignError(f"each term of a sum over {i} may vanish in its own way")
        mine = [[sp.Mul(*(e for (e,) in mine))]]
    count = i.high - i.low + 1
    if not is_count(count):
        raise UnknownSignError(
            f"a sum of {count} terms is empty, and vanishes, wherever that is < 1"
        )
    if not is_count(count - 1):
        rest.append([count])  # or the sum is empty
    return rest + [list(chain(*(_all_values(e, i) for e in way))) for way in mine]


def _all_values(e, i):
    """An equation that only compares i with something holds for all i when there is one i."""
    if any(a.has(i) for a in e.atoms(sp.Indexed, sp.Function)) or e.diff(i) not in (1, -1):
        return [e]
    return [i.high - i.low, e.subs(i, i.low)]


# --- comparing it with what the author says ------------------------------------------------------


def implies(ways: list, conditions: list[dict], known: set, axes: dict, facts: tuple = ()) -> str:
    """Say where terms vanish beyond the conditions; the empty string if nowhere.

    Parameters
    ----------
    ways : list of list of sympy.Expr
        As `zeros` returns them.
    conditions : list of dict
        From variable to value; one of them has to hold. An indexed variable with a symbolic
        index stands for all; a symbol that is not `known` is a number that exists.
    known : set of sympy.Symbol
    axes : dict
        The ranges of each axis of the indexed variables, see `structure.axes`.
    facts : tuple
        See `zeros`.
    """
    facts = (*facts, *((algebra.canonical(e), positive) for e, positive in facts))
    for way in ways:
        for case in product(*map(_factors, way)):
            if any(is_positive(e, facts) or is_positive(-e, facts) for e in case):
                continue  # outside the domain
            if not any(_follows(list(case), c, known, axes, facts) for c in conditions):
                return ", ".join(f"{e} = 0" for e in case) or "everywhere"
    return ""


def _factors(equation) -> list:
    """Expressions one of which vanishes; with an index that stands for all, only one is known."""
    top = algebra.numerator(algebra.canonical(equation))
    if top.count_ops() < _MANAGEABLE:
        factors = [f for f, _ in sp.factor_list(top)[1] if not f.is_number]
        unsure = [f for f in factors if not (is_positive(f) or is_positive(-f))]
        if unsure and (len(unsure) == 1 or not equation.atoms(Every)):
            return unsure
    return [top]


def _follows(equations, condition, known, axes, facts) -> bool:
    goals = dict(condition)
    while goals:
        found = ((v, s) for v in goals for e in equations for s in _solutions(e, v, axes, facts))
        for v, s in found:
            goal = _meet(s, goals[v], v, known)
            if goal is not None:
                del goals[v]
                goals = {u: structure.substitute(e, goal) for u, e in goals.items()}
                equations = [structure.substitute(e, {v: s}) for e in equations]
                break
        else:
            return False
    return True


def _solutions(equation, v, axes, facts):
    """Solve an equation that is linear in v."""
    equation = _instance(equation, v, axes)
    if equation is None:
        return
    top = sp.expand(algebra.numerator(algebra.canonical(equation)))
    slope, rest = top.coeff(v, 1), top.coeff(v, 0)
    if slope == 0 or slope.has(v) or rest.has(v) or sp.expand(top - slope * v - rest) != 0:
        return
    slope = sp.factor(slope)
    if slope.is_number or is_positive(slope, facts) or is_positive(-slope, facts):
        yield -rest / slope


def _instance(equation, v, axes):
    """What an equation for all values of its indices says of v."""
    if v.is_Symbol:
        return equation
    for term in sorted(equation.atoms(sp.Indexed), key=str):
        if term.base != v.base or len(term.indices) != len(v.indices):
            continue
        new, fits = {}, True
        for place, (i, j) in enumerate(zip(term.indices, v.indices, strict=True)):
            if isinstance(i, Every):
                whole = axes.get((v.base, place), {(i.low, i.high)}) == {(i.low, i.high)}
                fits &= whole if j.free_symbols else (j - i.low).is_nonnegative is True
                new[i] = j
            else:
                fits &= i == j
        if fits:
            return equation.subs(new)
    return None


def _meet(solution, goal, v, known):
    """Numbers that make a solution the goal: ``{}`` when it is, None when there are none."""
    left = algebra.numerator(algebra.canonical(solution - goal))
    if left == 0 or algebra.residual(solution - goal) == 0:
        return {}
    picks = {s for i in getattr(v, "indices", ()) for s in i.free_symbols}
    terms = [a for a in goal.atoms(sp.Indexed) if not a.base.free_symbols & known]
    numbers = [b for b in goal.free_symbols - known - picks if b.is_Symbol]
    for b in sorted(terms or numbers, key=str):
        own = {s for i in getattr(b, "indices", ()) for s in i.free_symbols}
        for s in sp.solve(left, b) if left.coeff(b, 2) == 0 else ():
            if not s.free_symbols & (picks - own) and _is_one_of(s, b):
                return {b: s}
    return None


def _is_one_of(value, b) -> bool:
    """Whether a value has all that is assumed of b, as far as that is known by its form."""
    plain = sp.Dummy(positive=True) if b.is_positive else sp.Dummy(real=b.is_real)
    more = {fact: so for fact, so in b.assumptions0.items() if plain.assumptions0.get(fact) != so}
    if b.is_positive and not is_positive(value):
        return False
    return all(getattr(value, f"is_{fact}") == so for fact, so in more.items())
