"""Refute that two sides are equal, or prove it: what every check of an equation does."""

import sympy as sp

from latent_em.book import algebra, matrices, points, signs, structure
from latent_em.book.points import mp

POINTS = 12  # at which an identity must hold before SymPy is asked for a proof


class CheckFailed(AssertionError):  # noqa: N818 - reads as what happened
    """A labelled equation does not hold, or was not proved to hold; ``label`` says which."""

    label = ""


class Refuted(CheckFailed):
    """It does not hold: there is a counterexample."""


def equal(*claims: tuple, assuming=()) -> list:
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
        shapes = [shape(side) for side in (a, b)]
        if shapes[0] != shapes[1]:
            raise CheckFailed(f"{where}: the shapes {shapes[0]} and {shapes[1]} must be equal")
        entries = zip(a, b, strict=True) if shapes[0] else [(a, b)]
        pairs += [(where, left, right) for left, right in entries if left != right]
    for where, left, right in pairs:
        for point, (u, v) in samples(where, [left, right], POINTS, None, assuming):
            if point.difference(left, right):
                raise Refuted(f"{where}: {short(u)} is not {short(v)}{shown(point)}")
    ranges = structure.ranges(*(side for _, *sides in pairs for side in sides))
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


def shape(side) -> tuple:
    """The shape of a matrix; an indexed term has none, though it says so with an error."""
    matrix = isinstance(side, (sp.MatrixBase, sp.MatrixExpr, sp.NDimArray))
    return tuple(side.shape) if matrix else ()


def _evaluate_matrix(side):
    """Entries of an unevaluated matrix, such as ``Derivative(log(A.det()), A)``."""
    by_matrix = isinstance(side, sp.Derivative) and any(map(shape, side.variables))
    symbolic = isinstance(side, sp.MatrixExpr) and not isinstance(side, sp.MatrixBase)
    return side.doit() if by_matrix or symbolic else side


def shown(point: points.Point) -> str:
    """Return where a counterexample lies, in words."""
    numbers = str(point)
    return f" at {numbers}" if numbers else ""  # a claim without symbols has no point


def short(number, digits: int = 6) -> str:
    """Return a number in a few digits; what is rounding is zero."""
    return mp.nstr(number if abs(number) > mp.mpf("1e-25") else mp.zero, digits)


def samples(label: str, exprs, count: int, near=None, assuming=(), **how):
    """`points.samples`, where too few points fail the check."""
    try:
        yield from points.samples(exprs, count, label, near, assuming, **how)
    except ArithmeticError as error:
        raise CheckFailed(f"{label}: {error}") from error
