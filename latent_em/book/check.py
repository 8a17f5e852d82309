"""Check the book's labelled equations: ``from latent_em.book import check``.

Each function checks one labelled equation, prints one line and stores what it read, so that the
ledger can show it. A check that fails raises `CheckFailed`. Equations are SymPy expressions with
assumptions on their symbols (``positive=True``, ``real=True``, ...), which are their domain. Sums
may run to a symbolic size: ``Sum(r[n] * x[n], (n, 1, N))`` with ``IndexedBase`` terms.

An inequality, and a maximum of all values, is proved by a ``certificate``: terms that add up to
the gap, each of a form that is never negative (`latent_em.book.signs`). `h` is the form that
nearly all of them have: how far the logarithm lies below its tangent.

``with check.refuted():`` turns a check round: the claim in the block must be wrong.
"""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import combinations, pairwise
from textwrap import fill

import sympy as sp
from sympy.core.function import AppliedUndef

from latent_em.book import algebra, matrices, points, signs, stationary, structure
from latent_em.book.points import mp
from latent_em.book.proofs import CheckFailed, Refuted, equal, samples, short, shown
from latent_em.book.terms import cited, h

__all__ = [
    "CheckFailed",
    "Refuted",
    "cited",
    "definition",
    "h",
    "identity",
    "inequality",
    "maximum",
    "minimum",
    "quadrature",
    "refuted",
]

MIMETYPE = "application/vnd.latent-em.check+json"
_FAR = ("1e-6", *points.SCALES, "1e6", "1e14")  # where an inequality may fail
_MANAGEABLE = 200  # operations in an expression; to factorise more could take minutes


def _labelled(check):
    """Read what a check assumes, and let what it raises carry the label of its equation."""

    @functools.wraps(check)
    def labelled(label, *arguments, **keywords):
        if "assuming" in keywords:
            keywords["assuming"] = _assumed(keywords["assuming"])
        try:
            _numbers_only(label, arguments, keywords)
            return check(label, *arguments, **keywords)
        except CheckFailed as failure:
            failure.label = label
            raise

    return labelled


@contextmanager
def refuted() -> Iterator[None]:
    """Show that a claim is wrong: the check in the block must find a counterexample.

    ``with check.refuted(): check.identity("the slip", a, b)`` prints it. What stands in the place
    of a label is a name for the claim, and nothing is stored for the ledger.

    Raises
    ------
    CheckFailed
        When the check passes, or fails without a counterexample.
    """
    try:
        yield
    except Refuted as counterexample:
        line = f"refuted: {counterexample}".replace(" = ", "\xa0=\xa0")  # no break within
        print(fill(line, width=78, subsequent_indent="  ").replace("\xa0", " "))
    else:
        raise CheckFailed("refuted: no counterexample to the claim in the block was found")


def definition(label: str, scope: str = "") -> None:
    """Declare that an equation defines something, so that there is nothing to check."""
    _report(label, "definition", "definition", scope=scope)


@_labelled
def identity(label: str, *sides, assuming=(), cites=(), rests_on=(), scope: str = "") -> None:
    """Check ``sides[0] = sides[1] = ...``, each side against the one before.

    Random points look for a counterexample first, then SymPy has to prove each step.

    Parameters
    ----------
    label : str
        Label of the equation.
    *sides : sympy.Expr or sympy.Matrix
        At least two.
    assuming : sympy.Rel or list, optional
        What the claim assumes beyond the symbols' assumptions, such as ``v > 0``, ``K >= 2`` or,
        of a matrix of symbolic size, ``Q.symmetric(S)``.
    cites : str or list, optional
        Theorems that the step to these expressions rests on.
    rests_on : str or list, optional
        Labels of equations that it rests on.
    scope : str
        The special case in which the equation is checked, such as ``"K = 3"``; empty when it is
        checked as the page states it.

    Raises
    ------
    CheckFailed
        With a counterexample, or when a step is not proved.
    """
    if len(sides) < 2:
        raise ValueError(f"sides: got {len(sides)}, must be at least 2")
    given, sides = sides, [sp.sympify(side) for side in sides]
    names = [f"{label}, step {i}" for i in range(1, len(sides))] if len(sides) > 2 else [label]
    claims = [(name, *pair) for name, pair in zip(names, pairwise(sides), strict=True)]
    for (where, a, b), originals in zip(claims, pairwise(given), strict=True):
        if originals[0] is originals[1] or a == b:
            raise CheckFailed(f"{where}: a thing is compared with itself: {a}")
    rules = equal(*claims, assuming=_listed(assuming))
    _report(
        label,
        "identity",
        "proved",
        scope=scope,
        domain=_domain(sides, assuming),
        result=f"{len(sides) - 1} steps" if len(sides) > 2 else "",
        claim=" = ".join(map(sp.latex, sides)),
        rests_on=[*rules, *_listed(cites), *_listed(rests_on)],
    )


@_labelled
def inequality(
    label: str,
    smaller,
    larger,
    *,
    equality,
    certificate=None,
    assuming=(),
    cites=(),
    rests_on=(),
    scope: str = "",
) -> None:
    """Check ``smaller <= larger``, its direction and when the two are equal.

    It is proved by a certificate: terms that add up to the gap ``larger - smaller`` (proved, for
    any size) and are never negative by their form, see `signs.zeros`. The gap vanishes where all
    terms do, and that must be the equality condition, no less and no more. Without a certificate
    the gap itself may have such a form, or, in one variable, a derivative of one sign.

    Parameters
    ----------
    label : str
    smaller, larger : sympy.Expr
    equality : dict or list of dict or None
        Substitutions under which the two sides are equal, and only under them; an indexed
        variable with a symbolic index stands for all, and a symbol that is in neither side for
        some number. None when the two are never equal.
    certificate : list of sympy.Expr, optional
    assuming, cites, rests_on, scope
        See `identity`.

    Raises
    ------
    CheckFailed
    """
    smaller, larger, assuming = sp.sympify(smaller), sp.sympify(larger), _listed(assuming)
    conditions = _conditions(equality)
    for condition in conditions:
        _are_variables(f"{label}, equality condition", condition)
    at_equality = [[structure.substitute(e, c) for e in (smaller, larger)] for c in conditions]
    where = f"{label}, equality condition"
    domain = _domain([smaller, larger], assuming)
    known = (larger - smaller).free_symbols
    for condition in conditions:
        border = _in_domain(where, condition, known, assuming)
        domain, assuming = _join(domain, *border.values()), [*assuming, *border]
    equal(*((where, *sides) for sides in at_equality), assuming=assuming)
    gap, word, terms = larger - smaller, "proved", ""
    elsewhere = _proved_alone(gap, conditions, assuming) if certificate is None else ""
    _never_larger(label, smaller, larger, conditions, assuming, 1000 if elsewhere is None else 40)
    if certificate is not None:
        certificate = [sp.sympify(term) for term in certificate]
        elsewhere = _certify(label, gap, certificate, conditions, assuming)
        terms = rf", \quad \text{{the gap is }} {sp.latex(sp.Add(*certificate))}"
        cites = [*_listed(cites), *(t.by for t in _citations(certificate))]
        if gap in [term.doit() for term in certificate if isinstance(term, cited)]:
            word = "cites"  # the claim is the theorem
    if elsewhere is None:
        raise CheckFailed(f"{label}: holds at 1000 points but is not proved: give a certificate")
    if elsewhere:
        raise CheckFailed(f"{label}: not shown to be equal only there, but where {elsewhere}")
    condition = r"\text{never equal}"
    if conditions:
        condition = rf"\text{{equal only at }} {_alternatives(conditions)}"
    _report(
        label,
        "inequality",
        word,
        scope=scope,
        domain=domain,
        claim=rf"{sp.latex(smaller)} \le {sp.latex(larger)}, \quad {condition}{terms}",
        rests_on=[*_listed(cites), *_listed(rests_on)],
    )


def _never_larger(label, smaller, larger, conditions, assuming, count):
    """Look for a counterexample at random points, half of them close to the condition."""
    sides, share = [smaller, larger], count // max(1, len(conditions))
    for condition in conditions or [{}]:
        points = samples(label, sides, share, condition, assuming, scales=_FAR)
        for point, (low, high) in points:
            if point.difference(larger, smaller) < 0:
                raise Refuted(f"{label}: {short(low)} < {short(high)} fails{shown(point)}")


def _certify(label, gap, certificate, conditions, assuming, constraint=None) -> str:
    """Prove that a gap is the sum of terms that are never negative.

    Returns
    -------
    str
        Where it vanishes beyond the conditions; empty if nowhere.
    """
    where, total = f"{label}, certificate", sp.Add(*certificate)
    try:
        sides = [structure.substitute(side, constraint or {}) for side in (gap, total)]
        equal((where, *sides), assuming=assuming)
    except Refuted as failure:  # the certificate is wrong, the claim may hold
        raise CheckFailed(str(failure)) from None
    facts = signs.facts_of(assuming)
    try:
        ways = signs.zeros(sp.Add(*map(algebra.read, certificate), evaluate=False), facts)
    except signs.UnknownSignError as error:
        raise CheckFailed(f"{where}: {error}") from None
    known = gap.free_symbols | total.free_symbols
    return signs.implies(ways, conditions, known, structure.axes(gap, total), facts)


def _citations(certificate) -> list:
    return sorted({c for term in certificate for c in term.atoms(cited)}, key=str)


def _proved_alone(gap, conditions, assuming) -> str | None:
    """Whether a gap is never negative by its own form, or because a derivative has one sign.

    Returns
    -------
    str or None
        Where it vanishes beyond the conditions, empty if nowhere; None when it is not proved.
    """
    facts = signs.facts_of(assuming)
    gap = algebra.canonical(gap)
    if gap.count_ops() > _MANAGEABLE:
        return None
    try:
        ways = signs.zeros(sp.factor(gap), facts)
    except signs.UnknownSignError:
        pass
    else:
        return signs.implies(ways, conditions, gap.free_symbols, structure.axes(gap), facts)
    if len(conditions) != 1 or len(conditions[0]) != 1:
        return None
    ((x, e),) = conditions[0].items()
    if not x.is_Symbol or x.is_integer or not x.is_real or x in e.free_symbols:
        return None
    if not signs.is_smooth(gap, x, facts):
        return None
    slope = sp.factor(algebra.canonical(sp.diff(gap, x)))
    if signs.is_positive(sp.factor(slope / (x - e)), facts):
        return ""
    flat = algebra.residual(structure.substitute(slope, {x: e})) == 0
    curved = signs.is_positive(sp.factor(algebra.canonical(sp.diff(slope, x))), facts)
    return "" if flat and curved else None


@_labelled
def maximum(
    label: str,
    objective,
    at: dict,
    *,
    certificate=None,
    subject_to=None,
    assuming=(),
    cites=(),
    rests_on=(),
    scope: str = "",
) -> None:
    """Check that a point is a maximum: the global one with a certificate, else a local one.

    A certificate proves that no value is larger: its terms add up to ``f(at) - f`` (proved, for
    any size, under the constraints) and are never negative, see `inequality`. Where they vanish
    says whether the maximum is the only one. Without one, the point is shown to be a strict
    local maximum: gradient zero, Hessian negative definite.

    Parameters
    ----------
    label : str
    objective : sympy.Expr
    at : dict
        From variable, a symbol or an indexed term, to its claimed value. ``mu[k]`` with a
        symbolic k stands for all k at once.
    certificate : list of sympy.Expr, optional
    subject_to : sympy.Expr or list, optional
        Expressions that must vanish. The gradient is then that of the Lagrangian, and the
        Hessian is taken on the tangent space. With a certificate, one that is linear in a
        variable, or in a sum of one over its last index.
    assuming, cites, rests_on, scope
        See `identity`.

    Raises
    ------
    CheckFailed
    """
    _optimum(label, -1, objective, at, certificate, subject_to, assuming, cites, rests_on, scope)


@_labelled
def minimum(
    label: str,
    objective,
    at: dict,
    *,
    certificate=None,
    subject_to=None,
    assuming=(),
    cites=(),
    rests_on=(),
    scope: str = "",
) -> None:
    """Check that a point is a minimum; see `maximum`."""
    _optimum(label, 1, objective, at, certificate, subject_to, assuming, cites, rests_on, scope)


def _optimum(label, sign, objective, at, certificate, subject_to, assuming, cites, rests_on, scope):
    objective, at = sp.sympify(objective), {v: sp.sympify(e) for v, e in at.items()}
    _are_variables(label, at)
    own = {getattr(v, "base", v) for v in at}
    for v, e in at.items():
        if held := own & (e.free_symbols | {a.base for a in e.atoms(sp.Indexed)}):
            raise CheckFailed(f"{label}: the value {e} of {v} must not hold {held.pop()}")
    assuming, constraints = _listed(assuming), _listed(subject_to)
    for c in constraints:
        equal((f"{label}, constraint", structure.substitute(c, at), sp.S.Zero), assuming=assuming)
    border = _in_domain(label, at, objective.free_symbols | set(at), assuming)
    domain = _join(_domain([objective, *at.values()], assuming), *border.values())
    assuming += border
    what = "maximum" if sign < 0 else "minimum"
    variables, rest = ", ".join(map(sp.latex, at)), ""
    gap = sign * (objective - structure.substitute(objective, at))
    if certificate is not None:
        certificate = [sp.sympify(term) for term in certificate]
        under = {}
        for c in constraints:
            under |= _solve(label, c, at, assuming)
        positive = (e > 0 for v, e in under.items() if v.is_Symbol and v.is_positive)
        assuming += [relation for relation in positive if isinstance(relation, sp.Rel)]
        for point, (value, best) in samples(
            label,
            [structure.substitute(e, under) for e in (gap, objective)],
            40,
            None,
            assuming,
        ):
            if point.difference(structure.substitute(gap, under), sp.S.Zero) < 0:
                raise Refuted(
                    f"{label}: the objective is {short(best)}, "
                    f"better by {short(-value)} than the claimed {what}{shown(point)}"
                )
        elsewhere = _certify(label, gap, certificate, [at], assuming, under)
        cites = [*_listed(cites), *(t.by for t in _citations(certificate))]
        if elsewhere == "everywhere":
            raise CheckFailed(f"{label}: the objective is the same everywhere")
        word, result = "proved", f"global {what}" + (", perhaps not the only one" * bool(elsewhere))
        rest = rf", \quad \text{{the gap is }} {sp.latex(sp.Add(*certificate))}"
    else:
        stationary.prove(label, sign, objective, at, constraints, assuming)
        alone = len(at) == 1 and not constraints
        if alone and _proved_alone(gap, [at], assuming) == "":
            word, result = "proved", f"global {what}"
        else:
            word, result = f"strict local {what}", "proved"
    is_only = result == f"global {what}"
    if is_only:
        arg = r"\arg\max" if sign < 0 else r"\arg\min"
        claim = rf"{arg}_{{{variables}}} {sp.latex(objective)}"
    else:
        kind = "global" if result.startswith("global") else "strict local"
        claim = rf"\text{{{kind} {what} of }} {sp.latex(objective)}"
    if constraints:
        claim += r" \ \text{ subject to } " + ", ".join(f"{sp.latex(c)} = 0" for c in constraints)
    claim += rf": \quad {_equations(at)}{rest}"
    _report(
        label,
        "stationary point",
        word,
        scope=scope,
        domain=domain,
        result=result,
        claim=claim,
        rests_on=[*_listed(cites), *_listed(rests_on)],
    )


def _solve(label, constraint, at, assuming) -> dict:
    """Values of variables that fulfil a constraint, whatever they are: v t / S for S = t.

    All that fulfil it are among these: what is divided by is not zero where they do.
    """
    facts = signs.facts_of(assuming)

    def has_sign(e):
        return signs.is_positive(e, facts) or signs.is_positive(-e, facts)

    for v in at:
        for total in constraint.atoms(sp.Sum):
            goal = sp.expand(total - constraint)
            inside = {a.base for a in total.atoms(sp.Indexed)}
            if v.is_Symbol or v.base not in inside or goal.has(v.base) or not has_sign(goal):
                continue
            under = {v: v * goal / total}
            if algebra.residual(structure.substitute(constraint, under)) == 0:
                return under
        slope = sp.diff(constraint, v) if v.is_Symbol else sp.S.Zero
        if not slope.has(v) and has_sign(slope):
            return {v: sp.solve(constraint, v)[0]}
    raise CheckFailed(f"{label}: cannot fulfil the constraint {constraint} with {list(at)}")


@_labelled
def quadrature(
    label: str, integrand, *limits, claimed, digits: int = 15, points: int = 3, scope: str = ""
) -> None:
    """Compare an integral, done numerically, with the claimed expression at random parameters.

    Parameters
    ----------
    label : str
    integrand : sympy.Expr
    *limits : tuple
        ``(x, low, high)``, or ``(x, low, middle, ..., high)`` to split the range, one per
        variable; the ends may hold parameters.
    claimed : sympy.Expr
    digits : int
        Digits that must agree.
    points : int
        Number of random parameter values.
    scope : str

    Raises
    ------
    CheckFailed
    """
    integrand, claimed = sp.sympify(integrand), sp.sympify(claimed)
    limits = [tuple(map(sp.sympify, limit)) for limit in limits]
    variables = [v for v, *_ in limits]
    integral = sp.Integral(integrand, *((ls[0], ls[1], ls[-1]) for ls in limits))
    parameters = sorted(integral.free_symbols | claimed.free_symbols, key=str)
    with mp.workdps(digits + 10):
        for point, (want, *_) in samples(
            label, [claimed, *parameters], points, scales=("0.3", "1", "3")
        ):
            ranges = [[_end(e, point) for e in ends] for _, *ends in limits]

            def f(*xs, point=point):
                point.numbers.update(zip(variables, xs, strict=True))
                return point.value(integrand)

            got, error = mp.quad(f, *ranges, error=True)
            for v in variables:
                del point.numbers[v]
            off, allowed = abs(got - want), (abs(want) or 1) * mp.mpf(10) ** -digits
            if max(off, error) > allowed:
                raise (Refuted if error <= allowed else CheckFailed)(
                    f"{label}: {short(got, digits)} is not {short(want, digits)}{shown(point)}"
                )
    claim = f"{sp.latex(integral)} = {sp.latex(claimed)}"
    _report(
        label,
        "quadrature",
        "numeric",
        scope=scope,
        domain=_domain([integral, claimed], ()),
        result=f"{digits} digits at {points} points",
        claim=claim,
    )


# --- shared -------------------------------------------------------------------------------------


def _are_variables(where, at: dict) -> None:
    """Refuse what does not stand for one variable, or for all of an indexed one, once."""
    for v in at:
        picks = [i for i in getattr(v, "indices", ()) if not i.is_Integer]
        plain = all(i.is_Symbol for i in picks) and len(set(picks)) == len(picks)
        if not plain or not (v.is_Symbol or v.is_Indexed):
            raise CheckFailed(f"{where}: {v} must be a symbol, or have distinct symbols as indices")
    for u, v in combinations([v for v in at if v.is_Indexed], 2):
        pairs = list(zip(u.indices, v.indices, strict=False))
        apart = u.base != v.base or any(i.is_Integer and j.is_Integer and i != j for i, j in pairs)
        if not apart:
            raise CheckFailed(f"{where}: {u} and {v} may be the same")


def _in_domain(where, at: dict, known: set, assuming: list) -> dict:
    """Prove that values lie in the domain of their variables.

    Returns
    -------
    dict
        What is to be assumed of those that may lie on its border, in words.
    """
    assumed = {}

    def prove(value, strict, what, outside, word):
        if _may_vanish(where, value, strict, what, outside, assuming) and strict:
            assumed[value > 0] = word

    for relation in assuming:
        if isinstance(relation, sp.Rel):
            gap, strict = relation.gts - relation.lts, isinstance(relation, (sp.Gt, sp.Lt))
            value = structure.substitute(gap, at)
            if value != gap and not value.free_symbols - known - gap.free_symbols:
                prove(value, strict, _values(at), str(relation), "")
    for v, e in at.items():
        _is_of_the_kind(where, v, e, known)
        bounds = [(e, ">")] * bool(v.is_nonnegative) + [(-e, "<")] * bool(v.is_nonpositive)
        for value, sign in bounds:
            if not e.free_symbols - known:
                prove(value, bool(v.is_nonzero), f"{v} = {e}", "its domain", f"{v} {sign} 0")
            elif not any(n[0] > 0 for _, n in samples(where, [value], 40, None, assuming)):
                raise Refuted(f"{where}: {v} = {e} is outside its domain")  # for any number
    return assumed


def _may_vanish(where, value, strict, what, domain, assuming) -> bool:
    """Prove that a value is not negative; return whether it may be zero."""
    facts = signs.facts_of(assuming)
    facts += tuple((algebra.canonical(e), positive) for e, positive in facts)
    if signs.is_positive(value, facts):
        return False
    factors = sp.Mul.make_args(sp.factor(algebra.canonical(value)))
    unsure = sp.Mul(*(f for f in factors if not signs.is_positive(f, facts)))
    for point, _ in samples(where, [unsure], 40, None, assuming):
        distance = point.difference(unsure, sp.S.Zero)
        if distance < 0 or (strict and distance == 0 and not unsure.free_symbols):
            raise Refuted(f"{where}: {what} is outside {domain}{shown(point)}")
    for form in (unsure, value):
        with suppress(signs.UnknownSignError):
            return signs.zeros(form, facts) != []
    raise CheckFailed(f"{where}: {what} is not shown to lie in {domain}")


def _is_of_the_kind(where, v, e, known: set) -> None:
    """Refuse values that are not shown to be integers, not zero, ..., where their variable is."""
    if e.has(sp.I, sp.oo, -sp.oo, sp.zoo, sp.nan):
        raise CheckFailed(f"{where}: {v} = {e} is outside its domain")
    if e.free_symbols - known:  # some number, not every one
        return
    signed = ("real", "positive", "nonnegative", "negative", "nonpositive")
    plain = sp.Dummy(**{name: True for name in signed if getattr(v, f"is_{name}")})
    facts = {name: so for name, so in v.assumptions0.items() if not name.startswith("extended")}
    for name, so in facts.items():
        if plain.assumptions0.get(name) != so and getattr(e, f"is_{name}") != so:
            raise CheckFailed(f"{where}: {v} = {e} is not shown to be {'' if so else 'not '}{name}")


def _end(limit: sp.Expr, point):
    return mp.mpf(str(limit).replace("oo", "inf")) if limit.is_infinite else point.value(limit)


def _assumed(assuming) -> list:
    """Read what is assumed, without what holds anyway: SymPy makes ``K >= 1`` True."""
    found = [a for a in map(sp.sympify, _listed(assuming)) if a != sp.true]
    known = (sp.Gt, sp.Ge, sp.Lt, sp.Le)
    for a in found:
        if not isinstance(a, known) and getattr(a, "function", None) != sp.Q.symmetric:
            raise TypeError(f"assuming: got {a}, must be >, >=, <, <= or Q.symmetric(S)")
    return found


def _numbers_only(label, *things) -> None:
    """Refuse symbols that do not commute: at random points they would be numbers."""
    for thing in things:
        if isinstance(thing, dict):
            _numbers_only(label, *thing.keys(), *thing.values())
        elif isinstance(thing, (list, tuple)):
            _numbers_only(label, *thing)
        elif isinstance(thing, sp.Basic | sp.MatrixBase):
            for a in sorted(thing.atoms(sp.Symbol, AppliedUndef), key=str):
                if not a.is_commutative:
                    raise CheckFailed(f"{label}: {a} does not commute, must be a number")


def _listed(things) -> list:
    """Nothing, one or several, as a list."""
    if things is None:
        return []
    return list(things) if isinstance(things, (list, tuple)) else [things]


def _conditions(equality) -> list[dict]:
    if equality is None:
        return []
    conditions = [equality] if isinstance(equality, dict) else list(equality)
    if not conditions or not all(conditions):
        raise ValueError(f"equality: got {equality}, must be one or more substitutions, or None")
    return [{k: sp.sympify(v) for k, v in c.items()} for c in conditions]


def _domain(exprs, assuming) -> str:
    """Sizes, ranges of indices and what is assumed."""
    of_matrices = list(filter(matrices.is_symbolic, exprs))
    whole = structure.sizes(*exprs) | matrices.sizes(*of_matrices)
    whole = ", ".join(sorted(map(str, whole)))
    ranges = structure.ranges(*exprs).items()
    within = [
        f"{k} = {' and '.join(f'{low}..{high}' for low, high in ends)}"
        for k, ends in sorted(ranges, key=str)
    ]
    assumed = [f"{a.arg} symmetric" if hasattr(a, "arg") else str(a) for a in _listed(assuming)]
    inverses = "inverses exist" if any(map(matrices.has_inverse, of_matrices)) else ""
    return _join(f"any {whole}" if whole else "", *within, inverses, *assumed)


def _join(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _values(at: dict) -> str:
    return ", ".join(f"{v} = {e}" for v, e in at.items())


def _equations(at: dict) -> str:
    return ", ".join(f"{sp.latex(k)} = {sp.latex(v)}" for k, v in at.items())


def _alternatives(conditions: list[dict]) -> str:
    return r" \text{ or } ".join(map(_equations, conditions))


def _report(label, kind, word, *, scope="", domain="", result="", claim="", rests_on=()) -> None:
    """Print the line of a check and store what it showed.

    ``word`` says how: proved, a strict local maximum, numeric, cites, definition. ``scope`` is
    the special case, ``domain`` the sizes and what is assumed.
    """
    rests_on = list(dict.fromkeys(rests_on))
    outcome = _join(word, scope, domain, result, *(f"by {name}" for name in rests_on))
    record = {
        "label": label,
        "kind": kind,
        "word": word,
        "scope": scope,
        "domain": domain,
        "result": result,
        "rests_on": rests_on,
        "claim": claim,
    }
    line = f"{label:<24}  {kind:<16}  {outcome}"
    if "IPython" in sys.modules:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.display import display

        if InteractiveShell.initialized():
            display({"text/plain": line, MIMETYPE: record}, raw=True)
            return
    print(line)
