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
from contextlib import contextmanager
from itertools import combinations, pairwise, product
from textwrap import fill

import numpy as np
import sympy as sp

from latent_em.book import algebra, matrices, signs
from latent_em.book.algebra import mp
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
    "simulation",
]

MIMETYPE = "application/vnd.latent-em.check+json"
_FAR = ("1e-6", *algebra.SCALES, "1e6", "1e14")  # where an inequality may fail
POINTS = 12  # at which an identity must hold before SymPy is asked for a proof
_MANAGEABLE = 200  # operations in an expression; to factorise more could take minutes


class CheckFailed(AssertionError):  # noqa: N818 - reads as what happened
    """A labelled equation does not hold, or was not proved to hold; ``label`` says which."""

    label = ""


class Refuted(CheckFailed):
    """It does not hold: there is a counterexample."""


def _labelled(check):
    """Let what a check raises carry the label of its equation."""

    @functools.wraps(check)
    def labelled(label, *arguments, **keywords):
        try:
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
    rules = _equal(*claims, assuming=_listed(assuming))
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
    at_equality = [[algebra.substitute(e, c) for e in (smaller, larger)] for c in conditions]
    where = f"{label}, equality condition"
    domain = _domain([smaller, larger], assuming)
    known = (larger - smaller).free_symbols
    for condition in conditions:
        border = _in_domain(where, condition, known, assuming)
        domain, assuming = _join(domain, *border.values()), [*assuming, *border]
    _equal(*((where, *sides) for sides in at_equality), assuming=assuming)
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
        points = _samples(label, sides, share, condition, assuming, scales=_FAR)
        for point, (low, high) in points:
            if point.difference(larger, smaller) < 0:
                raise Refuted(f"{label}: {_short(low)} < {_short(high)} fails{_at(point)}")


def _certify(label, gap, certificate, conditions, assuming, constraint=None) -> str:
    """Prove that a gap is the sum of terms that are never negative.

    Returns
    -------
    str
        Where it vanishes beyond the conditions; empty if nowhere.
    """
    where, total = f"{label}, certificate", sp.Add(*certificate)
    for term in _citations(certificate):
        for point, _ in _samples(where, [term.doit()], 40, None, assuming):
            if point.difference(term.doit(), sp.S.Zero) < 0:
                raise CheckFailed(f"{where}: {term.doit()} is negative{_at(point)}")
    try:
        sides = [algebra.substitute(side, constraint or {}) for side in (gap, total)]
        _equal((where, *sides), assuming=assuming)
    except Refuted as failure:  # the certificate is wrong, the claim may hold
        raise CheckFailed(str(failure)) from None
    facts = signs.facts_of(assuming)
    try:
        ways = signs.zeros(sp.Add(*map(algebra.read, certificate), evaluate=False), facts)
    except signs.UnknownSignError as error:
        raise CheckFailed(f"{where}: {error}") from None
    known = gap.free_symbols | total.free_symbols
    return signs.implies(ways, conditions, known, algebra.axes(gap, total), facts)


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
        return signs.implies(ways, conditions, gap.free_symbols, algebra.axes(gap), facts)
    if len(conditions) != 1 or len(conditions[0]) != 1:
        return None
    ((x, e),) = conditions[0].items()
    if not x.is_Symbol or x.is_integer or not x.is_real or x in e.free_symbols:
        return None
    slope = sp.factor(algebra.canonical(sp.diff(gap, x)))
    if signs.is_positive(sp.factor(slope / (x - e)), facts):
        return ""
    flat = algebra.residual(algebra.substitute(slope, {x: e})) == 0
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
    assuming, constraints = _listed(assuming), _listed(subject_to)
    for c in constraints:
        _equal((f"{label}, constraint", algebra.substitute(c, at), sp.S.Zero), assuming=assuming)
    border = _in_domain(label, at, objective.free_symbols | set(at), assuming)
    domain = _join(_domain([objective, *at.values()], assuming), *border.values())
    assuming += border
    what = "maximum" if sign < 0 else "minimum"
    variables, rest = ", ".join(map(sp.latex, at)), ""
    gap = sign * (objective - algebra.substitute(objective, at))
    if certificate is not None:
        certificate = [sp.sympify(term) for term in certificate]
        under = {}
        for c in constraints:
            under |= _solve(label, c, at)
        positive = (e > 0 for v, e in under.items() if v.is_Symbol and v.is_positive)
        assuming += [relation for relation in positive if isinstance(relation, sp.Rel)]
        for point, (value, best) in _samples(
            label,
            [algebra.substitute(e, under) for e in (gap, objective)],
            40,
            None,
            assuming,
        ):
            if point.difference(algebra.substitute(gap, under), sp.S.Zero) < 0:
                raise Refuted(
                    f"{label}: the objective is {_short(best)}, "
                    f"better by {_short(-value)} than the claimed {what}{_at(point)}"
                )
        elsewhere = _certify(label, gap, certificate, [at], assuming, under)
        cites = [*_listed(cites), *(t.by for t in _citations(certificate))]
        if elsewhere == "everywhere":
            raise CheckFailed(f"{label}: the objective is the same everywhere")
        word, result = "proved", f"global {what}" + (", perhaps not the only one" * bool(elsewhere))
        rest = rf", \quad \text{{the gap is }} {sp.latex(sp.Add(*certificate))}"
    else:
        _stationary(label, sign, objective, at, constraints, assuming)
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


def _solve(label, constraint, at) -> dict:
    """Values of variables that fulfil a constraint, whatever they are: v t / S for S = t."""
    for v in at:
        for total in constraint.atoms(sp.Sum):
            goal = sp.expand(total - constraint)
            inside = {a.base for a in total.atoms(sp.Indexed)}
            if v.is_Symbol or v.base not in inside or goal.has(v.base):
                continue
            under = {v: v * goal / total}
            if algebra.residual(algebra.substitute(constraint, under)) == 0:
                return under
        if v.is_Symbol and sp.diff(constraint, v, 2) == 0 and sp.diff(constraint, v) != 0:
            return {v: sp.solve(constraint, v)[0]}
    raise CheckFailed(f"{label}: cannot fulfil the constraint {constraint} with {list(at)}")


def _stationary(label, sign, objective, at, constraints, assuming) -> None:
    """Prove that the gradient vanishes and that the Hessian has one sign."""
    variables = list(at)

    # canonical first: it renames the indices of sums, which may clash with the k of mu[k]
    gradient = _derivatives([algebra.canonical(objective)], variables).T
    jacobian = _derivatives([algebra.canonical(sp.sympify(c)) for c in constraints], variables)
    g, j = algebra.substitute(gradient, at), algebra.substitute(jacobian, at)
    lagrangian, tangent = gradient, sp.eye(len(variables))
    picks = {s for v in variables for s in algebra.indices(v)}
    if constraints:
        pivots = list(j.applyfunc(sp.cancel).rref()[1])
        if len(pivots) < len(constraints):
            raise CheckFailed(f"{label}: the constraints' gradients depend on each other")
        multipliers = j[:, pivots].T.LUsolve(sp.Matrix([g[p] for p in pivots]))
        multipliers = multipliers.applyfunc(lambda e: sp.cancel(algebra.canonical(e)))
        if multipliers.free_symbols & picks:
            raise CheckFailed(f"{label}: the multiplier {multipliers} must not depend on {picks}")
        g = g - j.T * multipliers
        lagrangian = gradient - jacobian.T * multipliers
        if not picks:
            tangent = sp.Matrix.hstack(*j.nullspace())
    slopes = zip(variables, g if picks else tangent.T * g, strict=False)
    claims = ((f"{label}, gradient in {v}", slope, sp.S.Zero) for v, slope in slopes)
    _equal(*claims, assuming=assuming)

    hessian = algebra.substitute(_derivatives(list(lagrangian), variables), at)
    if picks:
        _blocks_only(label, list(lagrangian), variables, picks)
    _definite(label, sign, tangent.T * hessian * tangent, at, assuming)


def _derivatives(exprs, variables) -> sp.Matrix:
    ranges = algebra.ranges(*exprs, *variables)
    slopes = [
        algebra.settle(algebra.canonical(sp.diff(e, v)), ranges) for e in exprs for v in variables
    ]
    return sp.Matrix(len(exprs), len(variables), slopes)


def _blocks_only(label, gradient, variables, picks):
    """A variable with a symbolic index stands for all: different indices must not interact."""
    for count in range(1, len(picks) + 1):
        for some in combinations(sorted(picks, key=str), count):
            other = {s: sp.Dummy(f"{s}'", integer=True) for s in some}
            for slope, v in product(gradient, variables):
                cross = algebra.canonical(sp.diff(slope, v.xreplace(other)))
                same = {sp.KroneckerDelta(*pair): 0 for pair in other.items()}
                ranges = algebra.ranges(*gradient, v)
                ranges |= {other[s]: ranges[s] for s in other if s in ranges}
                cross = algebra.settle(cross.xreplace(same), ranges)
                where = f"{label}, Hessian between different indices of {v}"
                try:
                    _equal((where, cross, sp.S.Zero))
                except Refuted as error:  # the way to check is, not the claim
                    raise CheckFailed(str(error)) from None


def _definite(label, sign, hessian, at, assuming) -> None:
    """Eigenvalues of ``sign * hessian`` at random points, then Sylvester's criterion in symbols."""
    word, size, unsure = "negative" if sign < 0 else "positive", hessian.rows, 0
    for point, _ in _samples(f"{label}, Hessian", list(hessian), 40, None, assuming):
        values = [point.difference(e, sp.S.Zero) for e in hessian]  # 0 where there is rounding only
        curvature = sign * mp.matrix([values[i : i + size] for i in range(0, size**2, size)])
        least = min(mp.eigsy(curvature, eigvals_only=True))
        rounding = mp.mnorm(curvature, "f") * mp.mpf("1e-25")
        unsure += abs(least) <= rounding  # here a Hessian says nothing
        if least < -rounding or unsure > 20:
            raise (CheckFailed if unsure > 20 else Refuted)(
                f"{label}: the Hessian is not {word} definite, "
                f"with an eigenvalue {_short(sign * least)}{_at(point)}"
            )
    manageable = size <= 3 and max(e.count_ops() for e in hessian) < _MANAGEABLE
    if hessian.is_diagonal():
        minors = [sign * e for e in hessian.diagonal()]
    elif manageable or not hessian.free_symbols:
        minors = [(sign * hessian)[:n, :n].det() for n in range(1, size + 1)]
    else:
        minors = [sp.nan]
    if not all(_positive(m, at) for m in minors):
        raise CheckFailed(f"{label}: the Hessian is not proved {word} definite: give a certificate")


def _positive(expr, at) -> bool:
    """Whether `expr` is proved positive, given that a positive variable's value is positive."""
    expr = algebra.canonical(expr)
    if expr.count_ops() > _MANAGEABLE:
        return False
    expr = sp.factor(expr)
    for v, e in at.items():
        top, bottom = sp.fraction(sp.factor(algebra.canonical(e)))
        for factor in sp.Mul.make_args(top):
            if v.is_positive and factor.is_Add:
                new = sp.Dummy(positive=True) * bottom * factor / top
                expr = expr.subs({factor: new, -factor: -new})
    return bool(expr.is_positive)


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
        for point, (want, *_) in _samples(
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
                    f"{label}: {_short(got, digits)} is not {_short(want, digits)}{_at(point)}"
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


@_labelled
def simulation(label: str, draws, claimed, scope: str = "") -> None:
    """Compare the mean of seeded draws with the claimed expectation.

    Parameters
    ----------
    label : str
    draws : array_like of shape (n_draws, ...)
        Independent draws, made with an explicit seed.
    claimed : array_like of shape (...)
        Their expectation.
    scope : str

    Raises
    ------
    CheckFailed
        When a mean is more than 4 standard errors off, or the standard error is too large to
        refute a claim that is 10% off.
    """
    draws = np.asarray(draws, dtype=float)
    claimed = np.asarray(claimed, dtype=float)
    if draws.shape[1:] != claimed.shape:
        raise ValueError(
            f"claimed: got shape {claimed.shape}, must be {draws.shape[1:]}, that of one draw"
        )
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    scale = np.abs(claimed).max() or draws.std(axis=0).max()
    if not error.max() <= scale / 80:
        raise CheckFailed(
            f"{label}: the standard error {error.max():.2g} must be at most {scale / 80:.2g}, "
            "to refute a claim that is 10% off: draw more"
        )
    off = np.abs(draws.mean(axis=0) - claimed)
    if not (off <= 4 * error).all():
        raise CheckFailed(
            f"{label}: the mean {draws.mean(axis=0)} must be within 4 standard errors, "
            f"{4 * error}, of {claimed}"
        )
    result = f"{off.max():.1g} off, standard error {error.max():.2g}"
    numbers = sp.latex(sp.Array(claimed) if claimed.ndim else sp.Float(claimed, 6))
    claim = rf"\text{{mean of {len(draws)} draws}} \approx {numbers}"
    _report(
        label,
        "simulation",
        "simulated",
        scope=scope,
        domain=f"{len(draws)} draws",
        result=result,
        claim=claim,
    )


# --- shared -------------------------------------------------------------------------------------


def _equal(*claims: tuple, assuming=()) -> list:
    """Refute, or prove, that left equals right in each (where, left, right).

    Expressions or matrices. All are refuted before any is proved: that is the quick part.

    Returns
    -------
    list of str
        Rules beyond algebra that a proof took: induction on a size.
    """
    pairs, rules, equal_transpose = [], [], matrices.symmetric(assuming)
    assuming = [a for a in assuming if isinstance(a, sp.Rel)]
    for where, *sides in claims:
        if any(map(matrices.is_symbolic, sides)):
            _equal_matrices(where, *sides, equal_transpose)
            continue
        a, b = map(_evaluate_matrix, sides)
        shapes = [_shape(side) for side in (a, b)]
        if shapes[0] != shapes[1]:
            raise CheckFailed(f"{where}: the shapes {shapes[0]} and {shapes[1]} must be equal")
        entries = zip(a, b, strict=True) if shapes[0] else [(a, b)]
        pairs += [(where, left, right) for left, right in entries if left != right]
    for where, left, right in pairs:
        for point, (u, v) in _samples(where, [left, right], POINTS, None, assuming):
            if point.difference(left, right):
                raise Refuted(f"{where}: {_short(u)} is not {_short(v)}{_at(point)}")
    ranges = algebra.ranges(*(side for _, *sides in pairs for side in sides))
    positive = tuple(fact for fact, _ in signs.facts_of(assuming))
    for where, left, right in pairs:
        residual = algebra.residual(left - right, ranges, positive)
        size = algebra.induction(left - right, ranges) if residual != 0 else None
        if size:
            rules.append(f"induction on {size}")
        elif residual != 0:
            raise CheckFailed(
                f"{where}: holds at {POINTS} points but is not proved, {residual} is left"
            )
    return rules


def _equal_matrices(where, left, right, equal_transpose) -> None:
    """The same for matrices of symbolic size."""
    shapes = [getattr(side, "shape", ()) for side in (left, right)]
    if shapes[0] != shapes[1]:
        raise CheckFailed(f"{where}: the shapes {shapes[0]} and {shapes[1]} must be equal")
    try:
        if numbers := matrices.counterexample(left, right, equal_transpose):
            raise Refuted(f"{where}: the two sides differ at {numbers}")
        proved = matrices.vanishes(left - right, equal_transpose)
    except (ArithmeticError, TypeError, ValueError) as error:  # an operation that is not known
        raise CheckFailed(f"{where}: {error}") from error
    if not proved:
        raise CheckFailed(f"{where}: holds at {matrices.TRIALS} points but is not proved")


def _shape(side) -> tuple:
    """The shape of a matrix; an indexed term has none, though it says so with an error."""
    matrix = isinstance(side, (sp.MatrixBase, sp.MatrixExpr, sp.NDimArray))
    return tuple(side.shape) if matrix else ()


def _evaluate_matrix(side):
    """Entries of an unevaluated matrix, such as ``Derivative(log(A.det()), A)``."""
    by_matrix = isinstance(side, sp.Derivative) and any(map(_shape, side.variables))
    symbolic = isinstance(side, sp.MatrixExpr) and not isinstance(side, sp.MatrixBase)
    return side.doit() if by_matrix or symbolic else side


def _in_domain(where, at: dict, known: set, assuming: list) -> dict:
    """Refuse values outside the domain of their variables.

    Returns
    -------
    dict
        What is to be assumed of those that may lie on its border, in words.
    """
    facts, assumed = signs.facts_of(assuming), {}
    for v, e in at.items():
        bounds = [v] * bool(v.is_nonnegative) + [-v] * bool(v.is_nonpositive)
        for bound in bounds:
            value, strict = bound.subs(v, e), bool(v.is_nonzero)
            if signs.is_positive(value, facts) or (value.is_nonnegative and not strict):
                continue
            free = bool(e.free_symbols - known)  # some number, not every one
            inside = border = 0
            for point, (number,) in _samples(where, [value], 40, None, assuming):
                outside = point.difference(value, sp.S.Zero) < 0
                if outside and not free:
                    raise Refuted(
                        f"{where}: {v} = {_short(number)} is outside its domain{_at(point)}"
                    )
                border += not outside and strict and not point.difference(value, sp.S.Zero)
                inside += not outside
            if inside == border * strict:
                raise Refuted(f"{where}: {v} = {e} is outside its domain")
            elif border:
                assumed[value > 0] = f"{v} {'>' if bound == v else '<'} 0"
    return assumed


def _end(limit: sp.Expr, point):
    return mp.mpf(str(limit).replace("oo", "inf")) if limit.is_infinite else point.value(limit)


def _at(point: algebra.Point) -> str:
    numbers = str(point)
    return f" at {numbers}" if numbers else ""  # a claim without symbols has no point


def _short(number, digits: int = 6) -> str:
    return mp.nstr(number if abs(number) > mp.mpf("1e-25") else mp.zero, digits)


def _samples(label: str, exprs, count: int, near=None, assuming=(), **how):
    try:
        yield from algebra.samples(exprs, count, label, near, assuming, **how)
    except ArithmeticError as error:
        raise CheckFailed(f"{label}: {error}") from error


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
    whole = algebra.sizes(*exprs) | matrices.sizes(*filter(matrices.is_symbolic, exprs))
    whole = ", ".join(sorted(map(str, whole)))
    ranges = algebra.ranges(*exprs).items()
    within = [f"{k} = {low}..{high}" for k, ((low, high), *_) in sorted(ranges, key=str)]
    assumed = [f"{a.arg} symmetric" if hasattr(a, "arg") else str(a) for a in _listed(assuming)]
    return _join(f"any {whole}" if whole else "", *within, *assumed)


def _join(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _equations(at: dict) -> str:
    return ", ".join(f"{sp.latex(k)} = {sp.latex(v)}" for k, v in at.items())


def _alternatives(conditions: list[dict]) -> str:
    return r" \text{ or } ".join(map(_equations, conditions))


def _report(label, kind, word, *, scope="", domain="", result="", claim="", rests_on=()) -> None:
    """Print the line of a check and store what it showed.

    ``word`` says how: proved, a strict local maximum, numeric, cites, simulated,
    definition. ``scope`` is the special case, ``domain`` the sizes and what is assumed.
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
