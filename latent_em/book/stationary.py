"""Prove that a point is a strict local optimum: gradient zero, Hessian of one sign."""

from itertools import combinations, product

import sympy as sp

from latent_em.book import algebra, structure
from latent_em.book.points import mp
from latent_em.book.proofs import CheckFailed, Refuted, equal, samples, short, shown

_MANAGEABLE = 200  # operations in an expression; to factorise more could take minutes


def prove(label, sign, objective, at, constraints, assuming) -> None:
    """Prove that the gradient vanishes and that the Hessian has one sign."""
    variables = list(at)

    # canonical first: it renames the indices of sums, which may clash with the k of mu[k]
    gradient = _derivatives([algebra.canonical(objective)], variables).T
    jacobian = _derivatives([algebra.canonical(sp.sympify(c)) for c in constraints], variables)
    g, j = structure.substitute(gradient, at), structure.substitute(jacobian, at)
    lagrangian, tangent = gradient, sp.eye(len(variables))
    picks = {s for v in variables for s in structure.indices(v)}
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
    equal(*claims, assuming=assuming)

    hessian = structure.substitute(_derivatives(list(lagrangian), variables), at)
    if picks:
        _blocks_only(label, list(lagrangian), variables, picks)
    _definite(label, sign, tangent.T * hessian * tangent, at, assuming)


def _derivatives(exprs, variables) -> sp.Matrix:
    ranges = structure.ranges(*exprs, *variables)
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
                ranges = structure.ranges(*gradient, v)
                ranges |= {other[s]: ranges[s] for s in other if s in ranges}
                cross = algebra.settle(cross.xreplace(same), ranges)
                where = f"{label}, Hessian between different indices of {v}"
                try:
                    equal((where, cross, sp.S.Zero))
                except Refuted as error:  # the way to check is, not the claim
                    raise CheckFailed(str(error)) from None


def _definite(label, sign, hessian, at, assuming) -> None:
    """Eigenvalues of ``sign * hessian`` at random points, then Sylvester's criterion in symbols."""
    word, size, unsure = "negative" if sign < 0 else "positive", hessian.rows, 0
    for point, _ in samples(f"{label}, Hessian", list(hessian), 40, None, assuming):
        values = [point.difference(e, sp.S.Zero) for e in hessian]  # 0 where there is rounding only
        curvature = sign * mp.matrix([values[i : i + size] for i in range(0, size**2, size)])
        least = min(mp.eigsy(curvature, eigvals_only=True))
        rounding = mp.mnorm(curvature, "f") * mp.mpf("1e-25")
        unsure += abs(least) <= rounding  # here a Hessian says nothing
        if least < -rounding or unsure > 20:
            raise (CheckFailed if unsure > 20 else Refuted)(
                f"{label}: the Hessian is not {word} definite, "
                f"with an eigenvalue {short(sign * least)}{shown(point)}"
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
