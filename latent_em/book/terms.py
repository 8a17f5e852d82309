"""Terms of a certificate that are not negative: the tangent of the logarithm, and theorems.

What is not negative by its form is in `latent_em.book.signs`. A term that is so by a theorem is
`cited`. The theorem is named, and its entry in `THEOREMS` says what the term is, what it needs
and where it is zero: whoever cites it chooses the arguments and nothing else.
"""

import sympy as sp
from sympy.core.symbol import Str


class h(sp.Function):  # noqa: N801 - a function, as in SymPy
    """How far the logarithm lies below its tangent at 1: h(t) = t - 1 - log(t).

    For t > 0 it is not negative, and zero only at t = 1.
    """

    nargs = 1
    is_real = True

    def fdiff(self, argindex=1):
        """Return the derivative."""
        return 1 - 1 / self.args[0]

    def doit(self, **_):
        """Return t - 1 - log(t)."""
        return self.args[0] - 1 - sp.log(self.args[0])


class cited(sp.Expr):  # noqa: N801 - reads as what it says of a term
    """A term that is not negative by a theorem, or by what another equation says.

    Parameters
    ----------
    by : str
        A name in `THEOREMS`.
    *arguments : sympy.Expr or tuple
        What the theorem is about; a range of an index is a tuple, as in a sum.
    """

    is_commutative = True
    is_real = True

    def __new__(cls, by, *arguments):
        """Give the indices of the ranges names of their own, which nothing outside can catch."""
        name = str(by)
        if name not in THEOREMS:
            raise ValueError(f"by: got {name!r}, must be one of {', '.join(THEOREMS)}")
        arguments = [sp.Tuple(*a) if isinstance(a, tuple) else sp.sympify(a) for a in arguments]
        indices = [a[0] for a in arguments if isinstance(a, sp.Tuple)]
        new = {i: sp.Dummy(i.name, integer=True) for i in indices if not i.is_Dummy}
        return super().__new__(cls, Str(name), *(a.xreplace(new) for a in arguments))

    @property
    def by(self) -> str:
        """The theorem, or the label of the equation."""
        return self.args[0].name

    @property
    def entry(self) -> tuple:
        """The term, what must be positive, and what is zero where the term is."""
        return THEOREMS[self.by](*self.args[1:])

    @property
    def free_symbols(self):
        """Without the indices of the ranges."""
        inside = set().union(*(a.free_symbols for a in self.args))
        own = {a[0] for a in self.args if isinstance(a, sp.Tuple)}
        return {s for s in inside if not s.free_symbols & own}

    def doit(self, **_):
        """Return the term."""
        return self.entry[0]

    def _latex(self, printer):
        return rf"\left[{printer.doprint(self.doit())}\right]"


# --- what may be cited --------------------------------------------------------------------------


def _mean_tangent(a, b, limit):
    """E[h(q / p)] for the densities p of Dir(a) and q of Dir(b), the mean is taken under p.

    It is E[log p] - E[log q], as both integrate to one.
    """

    def mean_log_density(c):
        return sp.Sum((c - 1) * _mean_log(a, limit), limit) - _log_norm(c, limit)

    return mean_log_density(a) - mean_log_density(b), *_where_dirichlets_agree(a, b, limit)


def _dirichlet_divergence(a, b, limit):
    """KL(Dir(a) || Dir(b))."""
    change = sp.Sum((a - b) * _mean_log(a, limit), limit)
    term = _log_norm(b, limit) - _log_norm(a, limit) + change
    return term, *_where_dirichlets_agree(a, b, limit)


def _log_norm(c, limit):
    return sp.Sum(sp.loggamma(c), limit) - sp.loggamma(sp.Sum(c, limit))


def _mean_log(c, limit):
    """The mean of the logarithm of a share under Dir(c)."""
    return sp.digamma(c) - sp.digamma(sp.Sum(c, limit))


def _where_dirichlets_agree(a, b, limit):
    """What must be positive, and what vanishes; with one outcome there is one distribution."""
    _, low, high = limit
    return [a, b], (high - low) * sp.Sum((a - b) ** 2, limit)


def _length_of_image(matrix, vector, column, row):
    """The squared length of an invertible matrix times a vector."""
    if column[1:] != row[1:]:
        raise ValueError(f"row: got {row}, must run as {column}: the matrix must be square")
    if not isinstance(matrix, sp.Indexed) or matrix.indices != (row[0], column[0]):
        raise ValueError(f"matrix: got {matrix}, must be the entries of a matrix of any numbers")
    if vector.has(row[0]):
        raise ValueError(f"vector: got {vector}, must not depend on the row {row[0]}")
    term = sp.Sum(sp.Sum(matrix * vector, column) ** 2, row)
    return term, [], sp.Sum(vector**2, column)


THEOREMS = {
    "the integral of a non-negative function": _mean_tangent,
    "eq-dirichlet-kl": _dirichlet_divergence,
    "L is invertible": _length_of_image,
}
