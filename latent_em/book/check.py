"""Check the book's labelled equations: ``from latent_em.book import check``.

Each function checks one labelled equation, prints one line and stores what it read, so that the
ledger can show it. A check that fails raises `CheckFailed`. Equations are SymPy expressions with
assumptions on their symbols (``positive=True``, ``real=True``, ...), which are their domain. Sums
may run to a symbolic size: ``Sum(r[n] * x[n], (n, 1, N))`` with ``IndexedBase`` terms.

Numbers on a simplex are best written as ``a[k] / (a[1] + a[2] + a[3])`` with positive ``a``: then
the assumptions say everything.

``with check.refuted():`` turns a check round: the claim in the block must be wrong.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations, pairwise, product
from textwrap import fill

import numpy as np
import sympy as sp

from latent_em.book import algebra
from latent_em.book.algebra import mp

MIMETYPE = "application/vnd.latent-em.check+json"
_MANAGEABLE = 200  # operations in an expression; to factorise more could take minutes


class CheckFailed(AssertionError):  # noqa: N818 - reads as what happened
    """A labelled equation does not hold, or was not proved to hold."""


class Refuted(CheckFailed):
    """It does not hold: there is a counterexample."""


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
    _report(label, "definition", scope, "nothing to check", "")


def identity(label: str, *sides, scope: str = "") -> None:
    """Check ``sides[0] = sides[1] = ...``, each side against the one before.

    Random points look for a counterexample first, then SymPy has to prove each step.

    Parameters
    ----------
    label : str
        Label of the equation.
    *sides : sympy.Expr or sympy.Matrix
        At least two.
    scope : str
        What is assumed beyond the symbols, such as ``"K = 3"``.

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
        # two matrices may well have the same entries when each was computed on its own
        if originals[0] is originals[1] or (a == b and not hasattr(a, "shape")):
            raise CheckFailed(f"{where}: a thing is compared with itself: {a}")
    residual = _equal(*claims)
    steps = f" in each of {len(sides) - 1} steps" if len(sides) > 2 else ""
    claim = " = ".join(map(sp.latex, sides))
    _report(label, "identity", _scope(scope, sides), f"residual {residual}{steps}", claim)


def inequality(label: str, smaller, larger, *, equality, scope: str = "") -> None:
    """Check ``smaller <= larger``, its direction and its equality condition.

    On the equality condition the two sides must be equal (proved); off it the gap must be
    positive at 200 random points, half of them close to the condition.

    Parameters
    ----------
    label : str
    smaller, larger : sympy.Expr
    equality : dict or list of dict
        Substitutions under which the two sides are equal.
    scope : str

    Raises
    ------
    CheckFailed
    """
    smaller, larger = sp.sympify(smaller), sp.sympify(larger)
    conditions = [equality] if isinstance(equality, dict) else list(equality)
    if not conditions or not all(conditions):
        raise ValueError(f"equality: got {equality}, must be one or more substitutions")
    conditions = [{k: sp.sympify(v) for k, v in c.items()} for c in conditions]
    for condition in conditions:
        at_equality = [algebra.substitute(side, condition) for side in (smaller, larger)]
        _equal((f"{label}, equality condition", *at_equality))
    gaps = []
    for condition in conditions:
        for point, (low, high) in _samples(label, [smaller, larger], 200, condition):
            if low >= high or not algebra.differ(low, high):
                raise Refuted(f"{label}: {_short(low)} < {_short(high)} fails{_at(point)}")
            gaps.append(high - low)
    if sp.factor(algebra.canonical(larger - smaller)).is_nonnegative:
        result = "proved, with its equality"
    else:
        result = f"{len(gaps)} points, least gap {_short(min(gaps), 2)}, equality proved"
    holds = r" \text{ or } ".join(_equations(c) for c in conditions)
    claim = rf"{sp.latex(smaller)} \le {sp.latex(larger)}, \quad \text{{equal at }} {holds}"
    scope = _scope(scope, [smaller, larger])
    _report(label, "inequality", scope, result, claim)


def maximum(label: str, objective, at: dict, *, subject_to=None, scope: str = "") -> None:
    """Check that a point is a strict local maximum: gradient zero, Hessian negative definite.

    Parameters
    ----------
    label : str
    objective : sympy.Expr
    at : dict
        From variable, a symbol or an indexed term, to its claimed value. ``mu[k]`` with a
        symbolic k stands for all k at once.
    subject_to : sympy.Expr or list, optional
        Expressions that must vanish. The gradient is then that of the Lagrangian, and the
        Hessian is taken on the tangent space.
    scope : str

    Raises
    ------
    CheckFailed
    """
    _stationary(label, -1, sp.sympify(objective), at, subject_to, scope)


def minimum(label: str, objective, at: dict, *, subject_to=None, scope: str = "") -> None:
    """Check that a point is a strict local minimum; see `maximum`."""
    _stationary(label, 1, sp.sympify(objective), at, subject_to, scope)


def _stationary(label, sign, objective, at, subject_to, scope):
    at = {v: sp.sympify(e) for v, e in at.items()}
    variables = list(at)
    if subject_to is None:
        subject_to = []
    constraints = list(subject_to) if isinstance(subject_to, (list, tuple)) else [subject_to]
    for c in constraints:
        _equal((f"{label}, constraint", algebra.substitute(c, at), sp.S.Zero))

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
    _equal(*((f"{label}, gradient in {v}", slope, sp.S.Zero) for v, slope in slopes))

    hessian = algebra.substitute(_derivatives(list(lagrangian), variables), at)
    if picks:
        _blocks_only(label, list(lagrangian), variables, picks)
    how = _definite(label, sign, tangent.T * hessian * tangent, at)
    word = "negative" if sign < 0 else "positive"
    result = f"gradient 0, Hessian {word} definite ({how})"
    arg = r"\arg\max" if sign < 0 else r"\arg\min"
    claim = rf"{arg}_{{{', '.join(map(sp.latex, variables))}}} {sp.latex(objective)}"
    if constraints:
        claim += r" \ \text{ subject to } " + ", ".join(f"{sp.latex(c)} = 0" for c in constraints)
    claim += rf" \ \text{{ is }} \ {_equations(at)}"
    scope = _scope(scope, [objective, *at.values()])
    _report(label, "stationary point", scope, result, claim)


def _derivatives(exprs, variables) -> sp.Matrix:
    slopes = [algebra.canonical(sp.diff(e, v)) for e in exprs for v in variables]
    return sp.Matrix(len(exprs), len(variables), slopes)


def _blocks_only(label, gradient, variables, picks):
    """A variable with a symbolic index stands for all: different indices must not interact."""
    for count in range(1, len(picks) + 1):
        for some in combinations(sorted(picks, key=str), count):
            other = {s: sp.Dummy(f"{s}'", integer=True) for s in some}
            for slope, v in product(gradient, variables):
                cross = algebra.canonical(sp.diff(slope, v.xreplace(other)))
                cross = cross.replace(sp.KroneckerDelta, lambda *_: sp.S.Zero)
                where = f"{label}, Hessian between different indices of {v}"
                try:
                    _equal((where, cross, sp.S.Zero))
                except Refuted as error:  # the way to check is, not the claim
                    raise CheckFailed(str(error)) from None


def _definite(label, sign, hessian, at) -> str:
    """Eigenvalues of ``sign * hessian`` at random points, then Sylvester's criterion in symbols."""
    word, size = "negative" if sign < 0 else "positive", hessian.rows
    for point, values in _samples(f"{label}, Hessian", list(hessian), 40):
        curvature = sign * mp.matrix([values[i : i + size] for i in range(0, size**2, size)])
        least = min(mp.eigsy(curvature, eigvals_only=True))
        if least <= 0 or not algebra.differ(least, 0):
            wrong = least < 0 and algebra.differ(least, 0)  # at zero a Hessian says nothing
            raise (Refuted if wrong else CheckFailed)(
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
    return "proved" if all(_positive(m, at) for m in minors) else "40 points"


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
        for point, (want, *_) in _samples(label, [claimed, *parameters], points):
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
    scope = _scope(scope, [integral, claimed])
    _report(label, "quadrature", scope, f"{digits} digits at {points} points", claim)


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
    scope = ", ".join(filter(None, [scope, f"{len(draws)} draws"]))
    numbers = sp.latex(sp.Array(claimed) if claimed.ndim else sp.Float(claimed, 6))
    claim = rf"\text{{mean of {len(draws)} draws}} \approx {numbers}"
    _report(label, "simulation", scope, result, claim)


# --- shared -------------------------------------------------------------------------------------


def _equal(*claims: tuple) -> sp.Expr:
    """Refute, or prove, that left equals right in each (where, left, right).

    Expressions or matrices. All are refuted before any is proved: that is the quick part.

    Returns
    -------
    sympy.Expr
        The sum of the residuals.
    """
    pairs = []
    for where, *sides in claims:
        a, b = map(_evaluate_matrix, sides)
        shapes = [getattr(side, "shape", ()) for side in (a, b)]
        if shapes[0] != shapes[1]:
            raise CheckFailed(f"{where}: the shapes {shapes[0]} and {shapes[1]} must be equal")
        entries = zip(a, b, strict=True) if shapes[0] else [(a, b)]
        pairs += [(where, left, right) for left, right in entries if left != right]
    for where, left, right in pairs:
        for point, (u, v) in _samples(where, [left, right], 4):
            if algebra.differ(u, v):
                raise Refuted(f"{where}: {_short(u)} is not {_short(v)}{_at(point)}")
    total = sp.S.Zero
    for where, left, right in pairs:
        residual = algebra.residual(left - right)
        if residual != 0:
            raise CheckFailed(f"{where}: holds at 4 points but is not proved, {residual} is left")
        total += residual
    return total


def _evaluate_matrix(side):
    """Entries of an unevaluated matrix, such as ``Derivative(log(A.det()), A)``."""
    by_matrix = isinstance(side, sp.Derivative) and any(hasattr(v, "shape") for v in side.variables)
    symbolic = isinstance(side, sp.MatrixExpr) and not isinstance(side, sp.MatrixBase)
    return side.doit() if by_matrix or symbolic else side


def _end(limit: sp.Expr, point):
    return mp.mpf(str(limit).replace("oo", "inf")) if limit.is_infinite else point.value(limit)


def _at(point: algebra.Point) -> str:
    numbers = str(point)
    return f" at {numbers}" if numbers else ""  # a claim without symbols has no point


def _short(number, digits: int = 6) -> str:
    return mp.nstr(number if algebra.differ(number, 0) else mp.zero, digits)  # without rounding


def _samples(label: str, exprs, count: int, near: dict | None = None):
    try:
        yield from algebra.samples(exprs, count, label, near)
    except ArithmeticError as error:
        raise CheckFailed(f"{label}: {error}") from error


def _scope(scope: str, exprs) -> str:
    whole = sorted(map(str, algebra.sizes(*exprs)))
    symbols = any(e.free_symbols for e in exprs)
    general = f"any {', '.join(whole)}" if whole else "symbols" if symbols else "numbers"
    return ", ".join(filter(None, [scope, general]))


def _equations(at: dict) -> str:
    return ", ".join(f"{sp.latex(k)} = {sp.latex(v)}" for k, v in at.items())


def _report(label, kind, scope, result, claim) -> None:
    line = f"{label:<24}  {kind:<16}  {scope:<18}  {result}"
    record = {"label": label, "kind": kind, "scope": scope, "result": result, "claim": claim}
    if "IPython" in sys.modules:
        from IPython.core.interactiveshell import InteractiveShell
        from IPython.display import display

        if InteractiveShell.initialized():
            display({"text/plain": line, MIMETYPE: record}, raw=True)
            return
    print(line)
