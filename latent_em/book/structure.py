"""What an expression is about: its sizes, its indices and their ranges.

Expressions are SymPy's, with sums and products that may run to a symbolic size and hold indexed
terms, such as ``Sum(r[n, k] * x[n], (n, 1, N))``. A *size* is a symbol in the limits of a sum or
product; a free *index* is one that picks a term, such as the k of ``r[n, k]``.
"""

from collections.abc import Iterator, Sequence

import sympy as sp


def sizes(*exprs: sp.Basic) -> set[sp.Symbol]:
    """Symbols in the limits of sums and products: N, K, ..."""
    loops = {a for e in exprs for a in e.atoms(sp.Sum, sp.Product)}
    ends = {s for a in loops for _, *ends in a.limits for end in ends for s in end.free_symbols}
    return ends & {s for e in exprs for s in e.free_symbols}


def indices(*exprs: sp.Basic) -> set[sp.Symbol]:
    """Free symbols that pick a term: the k of ``r[n, k]`` where no sum runs over k."""
    picks = {a for e in exprs for a in e.atoms(sp.Indexed, sp.KroneckerDelta)}
    inside = {s for a in picks for s in (a.indices if a.is_Indexed else a.args)}
    free = {s for e in exprs for s in e.free_symbols}
    return {s for i in inside for s in i.free_symbols if s.is_Symbol} & free - sizes(*exprs)


def axes(*exprs: sp.Basic) -> dict:
    """Ranges of the axes of indexed variables, from the sums that run over them.

    A sum to N - 1 runs over an axis of N all the same: the range is that of the symbol.

    Returns
    -------
    dict
        From (base, place of the index) to a set of (low, high).
    """
    found: dict[tuple, set] = {}
    free = {s for e in exprs for s in e.free_symbols}
    for i, low, high, inside in _loops(exprs):
        size = high.as_coeff_Add()[1] or high
        if not size.free_symbols <= free or size.is_infinite:
            continue  # it ends at the index of another sum, or not at all
        for a in inside.atoms(sp.Indexed, sp.KroneckerDelta):
            for place, pick in enumerate(a.indices if a.is_Indexed else a.args):
                if (pick - i).is_Integer:
                    name = (a.base if a.is_Indexed else a, place)
                    start = low if low.is_Integer and low < 1 else sp.S.One
                    found.setdefault(name, set()).add((start, size))
    return found


def ranges(*exprs: sp.Basic) -> dict:
    """Ranges of the free indices: those of the axes from which they pick.

    Returns
    -------
    dict
        From symbol to a list of (low, high).
    """
    found: dict[sp.Symbol, set] = {}
    free = indices(*exprs)
    exprs = [_apart(e, free) for e in exprs]  # the index of a sum may have the same name
    known = axes(*exprs)
    for k in free:
        for a in {a for e in exprs for a in e.atoms(sp.Indexed, sp.KroneckerDelta) if a.has(k)}:
            picks = a.indices if a.is_Indexed else a.args
            for place, pick in enumerate(picks):
                if not pick.has(k):
                    continue
                name = (a.base, place) if a.is_Indexed else (a, 1 - place)
                found.setdefault(k, set()).update(known.get(name, ()))
    return {k: sorted(ends, key=str) for k, ends in found.items() if ends}


def _loops(exprs) -> Iterator:
    for a in {a for e in exprs for a in e.atoms(sp.Sum, sp.Product)}:
        for i, low, high in a.limits:
            yield i, low, high, a.function


def substitute(expr: sp.Basic, at: dict) -> sp.Basic:
    """Replace variables; an indexed one with a symbolic index stands for all its indices."""
    for variable, new in at.items():
        picks = [i for i in getattr(variable, "indices", ()) if i.free_symbols]
        expr = _apart(expr, new.free_symbols.difference(*(i.free_symbols for i in picks)))
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


def _apart(expr: sp.Basic, names: set) -> sp.Basic:
    """Give the indices of sums other names than these: a sum must not catch what is put in."""

    def catches(e):
        return isinstance(e, (sp.Sum, sp.Product)) and any(i in names for i, *_ in e.limits)

    def renamed(e):
        return e.xreplace({i: sp.Dummy(i.name, integer=True) for i, *_ in e.limits})

    return expr.replace(catches, renamed)


class Every(sp.Dummy):
    """An index that stands for all its values from ``low`` to ``high``."""

    def __new__(cls, name, low, high):
        """Keep the range beside the symbol."""
        index = super().__new__(cls, name, integer=True)
        index.low, index.high = low, high
        return index


def every(limits: Sequence) -> dict:
    """Indices of a sum or product, each with its range beside it."""
    new: dict = {}
    for i, low, high in reversed(limits):  # an inner range may hold an outer index
        new[i] = Every(i.name, low.subs(new), high.subs(new))
    return new


def is_count(number: sp.Expr) -> bool:
    """Whether a number is never negative, whatever the sizes and indices in it."""
    for i in number.atoms(Every):
        ends = (number.subs(i, end) for end in (i.low, i.high))
        return not number.diff(i).has(i) and all(map(is_count, ends))
    return bool(number.is_nonnegative)
