import pytest
from sympy import (
    BlockMatrix,
    Determinant,
    Identity,
    MatrixSymbol,
    Q,
    Symbol,
    Trace,
    ZeroMatrix,
    log,
    symbols,
)

from latent_em.book import check, matrices
from latent_em.book.check import CheckFailed, Refuted

D, O, M = symbols("D O M", integer=True, positive=True)  # noqa: E741
A, B, C, S = (MatrixSymbol(name, D, D) for name in "ABCS")
eye = Identity(D)
S_oo, S_mm = MatrixSymbol("S_oo", O, O), MatrixSymbol("S_mm", M, M)
S_om = MatrixSymbol("S_om", O, M)
d_o, d_m = MatrixSymbol("d_o", O, 1), MatrixSymbol("d_m", M, 1)
whole, dev = BlockMatrix([[S_oo, S_om], [S_om.T, S_mm]]), BlockMatrix([[d_o], [d_m]])
long = MatrixSymbol("d", O + M, 1)
slope = S_om.T * S_oo.I
left_over = S_mm - slope * S_om
both = [Q.symmetric(S_oo), Q.symmetric(S_mm)]
off = d_m - slope * d_o
U, V, T = MatrixSymbol("U", D, M), MatrixSymbol("V", M, D), MatrixSymbol("T", M, M)
one = Identity(M)
blocks = BlockMatrix([[Identity(O), ZeroMatrix(O, M)], [ZeroMatrix(M, O), Identity(M)]])


@pytest.mark.parametrize(
    ("left", "right", "assuming"),
    [
        ((A + B) * C, A * C + B * C, []),
        ((A - B) * (A + B), A * A - B * B + A * B - B * A, []),
        ((A * B + C).T, B.T * A.T + C.T, []),
        ((A * S).T, S * A.T, Q.symmetric(S)),
        ((2 * A * B).I, B.I * A.I / 2, []),
        ((A - B).I, (eye - A.I * B).I * A.I, []),
        ((A - B).I * A - (A - B).I * B, eye, []),
        (A * (B - A).I, B * (B - A).I - eye, []),
        ((A + S).I.T, (A.T + S).I, Q.symmetric(S)),
        ((A + B).I, A.I - A.I * (A.I + B.I).I * A.I, []),
        ((eye + U * V).I * U, U * (one + V * U).I, []),
        ((A + U * T * V).I, A.I - A.I * U * (T.I + V * A.I * U).I * V * A.I, []),
        ((U * V).I * U * V, eye, []),
        (Trace(U * V), Trace(V * U), []),
        (Trace(A * B * C), Trace(C * A * B), []),
        (Trace(A * B), Trace(A.T * B.T), []),
        (Trace(A.I * B * A) - Trace(B), Trace(eye) - D, []),
        (Trace(A * S), Trace(A.T * S), Q.symmetric(S)),
        (Determinant(eye + U * V), Determinant(one + V * U), []),
        (Determinant(2 * eye - U * V) / 2**D, Determinant(one - V * U / 2), []),
        (Determinant(A * B.T * A.I), Determinant(B), []),
        (log(Determinant(3 * A)), log(3**D * Determinant(A)), []),
        (whole.I * dev - whole.I * dev + whole * dev, whole * dev + ZeroMatrix(O + M, 1), []),
        (dev.T * whole.I * dev, d_o.T * S_oo.I * d_o + off.T * left_over.I * off, both),
    ],
)
def test_a_true_identity_is_proved_at_any_size(left, right, assuming):
    listed = assuming if isinstance(assuming, list) else [assuming]
    known = matrices.symmetric(listed)
    assert matrices.counterexample(left, right, known) == ""
    assert matrices.vanishes(left - right, known)


@pytest.mark.parametrize(
    ("left", "right", "assuming"),
    [
        (A * B, B * A, []),
        (U * V, eye, []),
        (V * (U * V).I * U, one, []),
        ((eye + U * V).I * U, U * (one + V * U).I * T, []),
        ((A + U * V).I, A.I - A.I * U * (one + V * U).I * V * A.I, []),
        (Trace(A * B * C), Trace(A * C * B), []),
        (Trace(A * B), Trace(A * B.T), []),
        (Trace(A), Trace(A.I), []),
        (Trace(A * B), Trace(A) * Trace(B), []),
        (Determinant(A + B), Determinant(A) + Determinant(B), []),
        (Determinant(2 * A), 2 * Determinant(A), []),
        (Determinant(eye + U * V), Determinant(eye) + Determinant(U * V), []),
        (Determinant(U * V), Determinant(V * U), []),
        ((A * B).T, A.T * B.T, []),
        ((A * B).I, A.I * B.I, []),
        ((A * S).T, S * A, Q.symmetric(S)),
        ((A * S).T, S * A.T, []),
        (S, eye, Q.symmetric(S)),
        (eye, ZeroMatrix(D, D), []),
        ((A - B).I, (eye - A.I * B).I * A, []),
        ((A - B).I, A.I * (eye - A.I * B).I, []),
        ((A + B).I, A.I + B.I, []),
        (dev.T * whole.I * dev, d_o.T * S_oo.I * d_o + d_m.T * S_mm.I * d_m, both),
        (dev.T * whole.I * dev, d_o.T * S_oo.I * d_o + off.T * left_over.I * off, []),
        (dev.T * whole.I * dev, d_o.T * S_oo.I * d_o + off.T * S_mm.I * off, both),
    ],
)
def test_a_false_identity_is_refuted(left, right, assuming):
    with pytest.raises(Refuted, match=r"^eq-x: the two sides differ at .* = "):
        check.identity("eq-x", left, right, assuming=assuming)


def test_the_inverse_of_two_blocks_by_two_is_one():
    words = matrices._Words(set())
    product = words.times(words.rows(whole), words.inverted(words.rows(whole)))
    assert product == words.rows(blocks)
    product = words.times(words.inverted(words.rows(whole)), words.rows(whole))
    assert product == words.rows(blocks)


def test_a_check_prints_sizes_and_what_is_assumed(capsys):
    check.identity("eq-x", (A * S).T, S * A.T, assuming=Q.symmetric(S))
    assert capsys.readouterr().out.endswith("  proved, any D, S symmetric\n")
    check.identity("eq-x", (A - B).I * A - (A - B).I * B, eye)
    assert capsys.readouterr().out.endswith("  proved, any D, inverses exist\n")


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (A, S_oo, "shapes"),
        (A, Symbol("a"), "shapes"),
        (A**D, (A.T) ** D, "not known|differ"),
        (whole, Identity(O + M), "differ"),
        (whole * long + long, (whole + Identity(O + M)) * long, "blocks|not"),  # true
        (BlockMatrix([[whole, dev]]).T.T, BlockMatrix([[whole, dev]]) * 1, "unpack|compared"),
    ],
)
def test_what_is_not_known_fails(left, right, message):
    with pytest.raises(CheckFailed, match=message):
        check.identity("eq-x", left, right)
