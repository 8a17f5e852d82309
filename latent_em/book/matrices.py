"""Identities of matrices whose sizes are symbols: refuted with numbers, proved by their algebra.

Expressions are SymPy's: ``MatrixSymbol``, ``Identity``, sums, products, transposes, inverses and
a ``BlockMatrix``, which has an inverse when it is of two blocks by two; and numbers made of their
traces and determinants. What is inverted is taken to have an inverse; of two blocks by two, the
first block and its Schur complement.
"""

import random
from functools import reduce
from itertools import product
from operator import add, mul
from typing import NamedTuple

import sympy as sp
from sympy.matrices.exceptions import NonInvertibleMatrixError
from sympy.matrices.expressions.matexpr import MatrixExpr

TRIALS = 12
_NUMBERS = (sp.Trace, sp.Determinant)  # of a matrix
_ROUNDS = 8  # of multiplying by what is inverted


def is_symbolic(side) -> bool:
    """Whether an expression is one of matrices that have no entries yet."""
    if not isinstance(side, MatrixExpr):
        return any(is_symbolic(number.arg) for number in side.atoms(*_NUMBERS))
    return not isinstance(side, sp.MatrixBase) and bool(
        side.has(sp.MatrixSymbol) or _symbols(side.shape)
    )


def sizes(*exprs: MatrixExpr) -> set[sp.Symbol]:
    """Symbols in the shapes of matrices."""
    parts = {m for e in exprs for m in (e, *e.atoms(MatrixExpr)) if isinstance(m, MatrixExpr)}
    return {s for m in parts for s in _symbols(m.shape)}


def has_inverse(e) -> bool:
    """Whether something is inverted, and so is taken to have an inverse."""
    return any(m.exp.is_negative for m in e.atoms(sp.MatPow)) or e.has(sp.Inverse)


def _unfolded(e: MatrixExpr):
    """Write a power as a product."""
    power = isinstance(e, sp.MatPow) and not isinstance(e, sp.Inverse) and e.exp.is_Integer
    if not power:
        return e
    base = e.base if e.exp > 0 else sp.Inverse(e.base)
    return sp.MatMul(*[base] * abs(int(e.exp)), evaluate=False)


def symmetric(assuming: list) -> set[sp.MatrixSymbol]:
    """Matrices that are assumed to be symmetric, by a ``Q.symmetric(S)``."""
    return {a.arg for a in assuming if getattr(a, "function", None) == sp.Q.symmetric}


def _symbols(exprs) -> set:
    return set().union(*(sp.sympify(e).free_symbols for e in exprs))


# --- numbers ------------------------------------------------------------------------------------


def counterexample(left: MatrixExpr, right: MatrixExpr, equal_transpose: set) -> str:
    """Sizes and entries, as fractions, at which two expressions differ; empty if none is found."""
    matrices = sorted(left.atoms(sp.MatrixSymbol) | right.atoms(sp.MatrixSymbol), key=str)
    whole = sizes(left, right)
    others = {s for s in left.free_symbols | right.free_symbols if s.is_Symbol} - whole
    tried = 0
    for trial in range(20 * TRIALS):
        rng = random.Random(f"{left} {right} {trial}")

        def number(*_, rng=rng):
            return sp.Rational(rng.randint(-30, 30), 10)

        known = {s: sp.Integer(rng.randint(1, 3)) for s in sorted(whole, key=str)}
        known |= {s: abs(n) if s.is_nonnegative else n for s in others for n in [number()]}
        for m in matrices:
            entries = sp.Matrix(*(n.subs(known) for n in m.shape), number)
            known[m] = entries + entries.T if m in equal_transpose else entries
        try:
            a, b = (_value(side, known) for side in (left, right))
        except (NonInvertibleMatrixError, ZeroDivisionError):
            continue
        if a != b:
            values = ((s, v.tolist() if s in matrices else v) for s, v in known.items())
            return ", ".join(f"{s} = {v}" for s, v in values)
        tried += 1
        if tried == TRIALS:
            return ""
    raise ArithmeticError(f"only {tried} of {TRIALS} random points have a value")


def _value(e, known):
    """An expression at a point, a matrix of fractions."""
    e = _unfolded(e)
    if e in known:
        return known[e]
    if isinstance(e, sp.BlockMatrix):
        return sp.Matrix([[_value(block, known) for block in row] for row in e.blocks.tolist()])
    if isinstance(e, sp.Identity):
        return sp.eye(e.rows.subs(known))
    if isinstance(e, sp.ZeroMatrix):
        return sp.zeros(*(n.subs(known) for n in e.shape))
    if isinstance(e, sp.Inverse):
        return _value(e.arg, known).inv()
    if isinstance(e, sp.Transpose):
        return _value(e.arg, known).T
    if isinstance(e, (sp.MatAdd, sp.MatMul)):
        return reduce(add if e.is_MatAdd else mul, (_value(a, known) for a in e.args))
    if isinstance(e, _NUMBERS):
        matrix = _value(e.arg, known)
        return matrix.trace() if isinstance(e, sp.Trace) else matrix.det()
    return e.xreplace({a: _value(a, known) for a in e.atoms(*_NUMBERS)}).subs(known)


# --- proofs -------------------------------------------------------------------------------------


class Letter(NamedTuple):
    """A matrix, perhaps transposed or inverted; or the inverse of a sum, as a set of its words."""

    of: sp.MatrixSymbol | frozenset
    transposed: bool = False
    inverted: bool = False


def vanishes(expr, equal_transpose: set) -> bool:
    """Whether an expression is proved to be zero, by algebra alone, at any size.

    It is written as a sum of words: from a tuple of letters, matrices multiplied, to a number.
    """
    words = _Words(equal_transpose)
    if isinstance(expr, MatrixExpr):
        return all(words.is_zero(block) for row in words.rows(expr) for block in row)
    numbers = {a: words.number(a) for a in expr.atoms(*_NUMBERS)}
    return sp.expand(expr.xreplace(numbers)) == 0


class _Words:
    def __init__(self, equal_transpose: set):
        self.equal_transpose = equal_transpose
        self.names: dict = {}  # symbols for traces and determinants

    def rows(self, e) -> list[list[dict]]:
        """The blocks of an expression, each a sum of words; mostly it is one."""
        e = _unfolded(e)
        if isinstance(e, sp.BlockMatrix):
            return [[self.block(block) for block in row] for row in e.blocks.tolist()]
        if isinstance(e, sp.Identity):
            return [[{(): sp.S.One}]]
        if isinstance(e, sp.ZeroMatrix):
            return [[{}]]
        if isinstance(e, sp.MatrixSymbol):
            return [[{(Letter(e),): sp.S.One}]]
        if isinstance(e, sp.Transpose):
            columns = zip(*self.rows(e.arg), strict=True)
            return [[self.transposed(block) for block in column] for column in columns]
        if isinstance(e, sp.Inverse):
            return self.inverted(self.rows(e.arg))
        if isinstance(e, sp.MatAdd):
            terms = zip(*map(self.rows, e.args), strict=True)
            return [[_sum(*blocks) for blocks in zip(*rows, strict=True)] for rows in terms]
        if isinstance(e, sp.MatMul):
            number, matrices = e.as_coeff_matrices()
            blocks = reduce(self.times, map(self.rows, matrices))
            return [[_scaled(block, number) for block in row] for row in blocks]
        raise TypeError(f"{e}: this operation on matrices is not known here")

    def block(self, e):
        ((words,),) = self.rows(e)  # not of blocks again
        return words

    def is_zero(self, p):
        """Whether a sum is zero, when what is inverted at its ends is multiplied out."""
        for _ in range(_ROUNDS):
            first, last = ({w[end] for w in p if w} for end in (0, -1))
            if z := next(filter(_is_sum, first), None):
                p = self.product(_plain(z), p)
            elif z := next(filter(_is_sum, last), None):
                p = self.product(p, _plain(z))
            else:
                break
        return not p

    def number(self, e):
        """A trace or a determinant, in symbols for those of single words."""
        p, size = self.block(e.arg), e.arg.rows
        if isinstance(e, sp.Trace):
            return sum(a * (self.named("tr", w) if w else size) for w, a in p.items())
        one = p.pop((), 0)
        if len(p) != 1 or (one != 0 and one.free_symbols):
            return self.named("det", frozenset((p | {(): one}).items()))
        ((word, a),) = p.items()
        if one:  # det(1 + A B) = det(1 + B A)
            return one**size * self.named(a / one, word)
        if not all(map(_is_square, word)):
            return a**size * self.named("det", word)
        return a**size * sp.Mul(
            *(self.named("det", x.of) ** (-1 if x.inverted else 1) for x in word)
        )

    def named(self, what, of):
        """The symbol for a number: of a word, which may begin anywhere and be transposed."""
        key = what, of
        if isinstance(of, tuple):
            while len(of) > 1 and of[0] == of[-1]._replace(inverted=not of[-1].inverted):
                of = of[1:-1]
            both = [of, *(w for w, a in self.transposed({of: sp.S.One}).items() if a == 1)]
            key = what, frozenset(w[i:] + w[:i] for w in both for i in range(len(w)))
        return self.names.setdefault(key, sp.Dummy())

    def times(self, a, b):
        if len(a[0]) != len(b):
            raise ValueError(f"{len(a[0])} columns of blocks times {len(b)} rows of them")
        columns = list(zip(*b, strict=True))
        return [[_sum(*map(self.product, row, column)) for column in columns] for row in a]

    def inverted(self, rows):
        if len(rows) == 1:
            return [[self.inverse(rows[0][0])]]
        (a, b), (c, d) = rows
        left, right = self.product(c, self.inverse(a)), self.product(self.inverse(a), b)
        schur = self.inverse(_sum(d, _scaled(self.product(left, b), -1)))
        corner = self.product(self.product(right, schur), left)
        above, below = self.product(right, schur), self.product(schur, left)
        return [[_sum(self.inverse(a), corner), _scaled(above, -1)], [_scaled(below, -1), schur]]

    def product(self, *sums):
        """Multiply sums of words."""
        whole = {(): sp.S.One}
        for p in sums:
            pairs = product(whole.items(), p.items())
            whole = _sum(*(_scaled(self.joined(u, v), a * b) for (u, a), (v, b) in pairs))
        return whole

    def joined(self, u, v):
        """Multiply two words."""
        if not u or not v:
            return {u + v: sp.S.One}
        last, first = u[-1], v[0]
        if last == first._replace(inverted=not first.inverted):
            return self.joined(u[:-1], v[1:])
        if (
            (_is_sum(last) or _is_sum(first)) and last.inverted and first.inverted
        ):  # of an inverse and an inverse
            one = self.inverse(self.product(_plain(first), _plain(last)))
            return self.product({u[:-1]: sp.S.One}, one, {v[1:]: sp.S.One})
        return self.cancelled(u + v)

    def cancelled(self, word):
        """Use Z (A + B) = 1 for the inverse Z of a sum: Z A is 1 - Z B, and A Z is 1 - B Z."""
        for place, z in enumerate(word):
            if not _is_sum(z):
                continue
            rest = dict(z.of)
            lead = max(rest, key=_order)
            del rest[lead]
            before, after = word[:place], word[place + 1 :]
            if after[: len(lead)] == lead:
                swapped = {(z, *u): -a for u, a in rest.items()}
                after = after[len(lead) :]
            elif before[-len(lead) :] == lead:
                swapped = {(*u, z): -a for u, a in rest.items()}
                before = before[: -len(lead)]
            else:
                continue
            return self.product({before: sp.S.One}, {(): sp.S.One} | swapped, {after: sp.S.One})
        return {word: sp.S.One}

    def inverse(self, p):
        """The inverse of one word, or of a sum of words as a letter."""
        ((word, number), *more) = p.items()
        if not more and all(map(_is_square, word)):
            turned = ({(x._replace(inverted=not x.inverted),): sp.S.One} for x in word)
            return _scaled(self.product(*(_opened(q) for q in [*turned][::-1])), 1 / number)
        number = p[max(p, key=_order)]
        letter = Letter(frozenset(_scaled(p, 1 / number).items()), inverted=True)
        return {(letter,): 1 / number}

    def transposed(self, p):
        words = (self.product(*map(self.turned, word[::-1])) for word in p)
        return _sum(*(_scaled(q, a) for q, a in zip(words, p.values(), strict=True)))

    def turned(self, letter):
        """The transpose of a letter."""
        if _is_sum(letter):
            return self.inverse(self.transposed(dict(letter.of)))
        other = letter.transposed ^ (letter.of not in self.equal_transpose)
        return {(letter._replace(transposed=other),): sp.S.One}


def _is_sum(letter):
    return isinstance(letter.of, frozenset)


def _is_square(letter):
    return _is_sum(letter) or letter.of.rows == letter.of.cols


def _plain(letter):
    """What a letter is the inverse of."""
    return _opened({(letter._replace(inverted=False),): sp.S.One})


def _opened(p):
    """A sum that is not inverted is no letter."""
    ((letter,),) = p
    return dict(letter.of) if _is_sum(letter) and not letter.inverted else p


def _order(word):
    return len(word), str(word)


def _sum(*sums):
    total: dict = {}
    for word, number in (item for p in sums for item in p.items()):
        total[word] = total.get(word, 0) + number
    return {word: number for word, number in total.items() if sp.expand(number) != 0}


def _scaled(p, number):
    return {word: number * a for word, a in p.items()}
