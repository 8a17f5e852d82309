import re
import subprocess
import sys

import nbformat.v4 as nbf
import pytest
import sympy as sp

from latent_em.book import check, mutants, notebooks


def changes(source, indices=frozenset()):
    """The changes made to a cell, as (before, after)."""
    return [(m.before, m.after) for m in mutants.find_mutants(source, set(indices))]


def identity(side):
    return f'check.identity("eq-a", {side}, z)'


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("a + b", [("a + b", "a - b"), ("a + b", "a"), ("a + b", "b")]),
        ("a - b", [("a - b", "a + b"), ("a - b", "a"), ("a - b", "-b")]),
        ("a * b", [("a * b", "a"), ("a * b", "b")]),
        ("a @ b", [("a @ b", "a"), ("a @ b", "b")]),
        ("a / b", [("a / b", "a")]),
        ("-a", [("-a", "a")]),
        ("a ** 2", [("2", "3")]),
        ("0.5", [("0.5", "1.5")]),
        ("KL(p, q)", [("KL(p, q)", "KL(q, p)")]),
        ("sp.Rational(1, 3)", [("sp.Rational(1, 3)", "sp.Rational(3, 1)"), ("1", "2"), ("3", "4")]),
        ("x[i, j]", [("x[i, j]", "x[j, i]"), ("x[i, j]", "x[j, j]"), ("x[i, j]", "x[i, i]")]),
        ("x[n]", []),
        ("a < b", [("a < b", "a > b")]),
        ("max(a, b)", []),
        ("f(p)", []),
        ("log(p)", [("log(p)", "__import__('sympy').exp(p)")]),
        (
            "sp.Sum(p, (n, i, N))",
            [
                ("sp.Sum(p, (n, i, N))", "sp.Product(p, (n, i, N))"),
                ("(n, i, N)", "(n, i, N - 1)"),
            ],
        ),
    ],
)
def test_every_kind_of_change_is_made(side, expected):
    assert changes(identity(side)) == expected


def test_another_index_comes_from_the_variables():
    assert changes(identity("x[n]"), {"k", "n"}) == [("x[n]", "x[k]")]


def test_the_claim_itself_is_turned_round():
    source = 'check.inequality("eq-a", p, q, equality={p: q})'
    turned, strict = mutants.find_mutants(source)
    assert turned.source == "check.inequality('eq-a', q, p, equality={p: q})"
    assert strict.source == "check.inequality('eq-a', p, q, equality=None)"


def test_a_mutant_is_not_the_claim_itself():
    (turned,) = mutants.find_mutants('check.inequality("eq-a", p, q, equality=None)')
    assert turned.source == "check.inequality('eq-a', q, p, equality=None)"
    (mutant,) = mutants.find_mutants('check.maximum("eq-a", f, at={x: m}, subject_to=c)')
    assert mutant.source == "check.minimum('eq-a', f, at={x: m}, subject_to=c)"


def test_what_is_assumed_is_dropped():
    source = 'check.maximum("eq-a", f(p), at={x: m}, assuming=v > 0)'
    found = [m.after for m in mutants.find_mutants(source, positive={"p", "q"})]
    assert found[1] == "check.maximum('eq-a', f(p), at={x: m})"
    assert found[2] == "weakened(check.maximum, p)('eq-a', f(p), at={x: m}, assuming=v > 0)"
    assert len(found) == 3


def test_a_positive_symbol_becomes_a_real_one():
    a, b = sp.symbols("a b", positive=True)
    w, n = sp.IndexedBase("w", positive=True), sp.Symbol("n", integer=True)
    for claim, symbol in (
        ((-b, a, {"equality": None}), a),  # true of positive numbers
        ((0, w[n], {"equality": None}), w),
    ):
        *sides, keywords = claim
        check.inequality("eq-a", *sides, **keywords)
        with pytest.raises(check.CheckFailed):
            mutants.weakened(check.inequality, symbol)("eq-a", *sides, **keywords)
    with pytest.raises(ValueError, match="which is not in the claim"):
        mutants.weakened(check.identity, b)("eq-a", sp.log(a**2), 2 * sp.log(a))


def test_what_leaves_a_claim_true_is_left_alone():
    source = """
import numpy as np
K, D = 3, 2
n, N = sp.symbols("n N", integer=True)
a = sp.symbols("a1:4")
rng = np.random.default_rng(1)
unrelated = 4 + 5
for i in range(3):
    print(i)
check.identity("eq-a", rng.normal(size=(200, 2)) + a[K], m, scope="3 + 4")
check.quadrature("eq-b", f, (x, low, 0, high), claimed=m, digits=12, points=2)
check.definition("eq-c")
"""
    assert {m.line for m in mutants.find_mutants(source)} == {10}
    assert all("a[K]" in before for before, _ in changes(source))
    assert changes('check.identity("eq-a", draw(rng, n=5000), m)') == []


def test_refuted_claims_are_left_alone():
    source = """
with check.refuted():
    check.identity("a slip", a + b, z)
check.identity("eq-a", c * d, z)
"""
    assert [c.label for c in mutants.find_checks(source)] == ["eq-a"]
    assert {m.before for m in mutants.find_mutants(source)} == {"c * d"}


def test_what_feeds_a_check_in_its_cell_is_changed():
    source = """
def density(x):
    return x + 1

half = a / 2
other = b / 3
check.identity("eq-a", density(half), z)
check.identity("eq-b", other, half)
"""
    mutated = mutants.find_mutants(source)
    found = {(*(c.label for c in m.checks), m.before): m.after for m in mutated}
    assert found["eq-a", "x + 1"] == "1"
    assert found["eq-a", "eq-b", "a / 2"] == "a"
    assert found["eq-b", "b / 3"] == "b"
    assert len({m.source for m in mutated}) == len(mutated)


def test_a_check_in_a_loop_is_changed():
    source = 'for i in (1, 2):\n    d = f(i) + 3\n    check.identity("eq-a", d / 2, z)'
    assert ("f(i) + 3", "f(i)") in changes(source)
    assert ("d / 2", "d") in changes(source)
    assert {m.line for m in mutants.find_mutants(source)} == {2, 3}  # 1 and 2 are sizes
    assert len({m.source for m in mutants.find_mutants(source)}) == len(changes(source))


# --- running ------------------------------------------------------------------------------------

SYMBOLS = """
import sympy as sp
from latent_em.book import check
a, b, c = sp.symbols("a b c", positive=True)
"""


def run(tmp_path, *cells, arguments=()):
    path = tmp_path / "small.ipynb"
    notebook = nbf.new_notebook(cells=[nbf.new_code_cell(c) for c in (SYMBOLS, *cells)])
    notebooks.write(path, notebook)
    command = [sys.executable, "-m", "latent_em.book.mutants", *arguments, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_sound_check_kills_its_mutants(tmp_path):
    cell = 'check.identity("eq-a", (a + b) ** 2, a ** 2 + 2 * a * b + b ** 2)'
    code, text = run(tmp_path, cell, 'check.definition("eq-b")')
    assert code == 0, text
    assert "1 checks and 1 definitions" in text
    assert (
        "17 mutants, 17 refuted, 0 not proved, 0 survived (0 named with a reason), 0 timed" in text
    )
    assert "5 mutants, 5 refuted" in run(tmp_path, cell, arguments=["--sample", "5"])[1]


def test_a_cell_that_refutes_a_claim_runs_and_has_no_mutants(tmp_path):
    cell = 'with check.refuted():\n    check.identity("a slip", a + b, a * b)'
    sound = 'check.identity("eq-a", sp.log(a * b), sp.log(a) + sp.log(b))'
    code, text = run(tmp_path, cell, sound)
    assert code == 0, text
    assert "1 checks and 0 definitions" in text
    code, text = run(tmp_path, cell.replace("a * b", "2 * a + b - sp.exp(sp.log(a))"), sound)
    assert code == 1
    assert "CheckFailed: a slip: a thing is compared with itself" in text


def test_a_check_that_does_not_pin_its_terms_down_is_reported(tmp_path):
    """The square of m + c is what it is for every m, so what m is goes unnoticed."""
    cell = 'm = a - 2 * b\ncheck.identity("eq-a", sp.expand((m + c) ** 2), m**2 + 2 * m * c + c**2)'
    code, text = run(tmp_path, cell)
    assert code == 1
    assert "survived: small, cell 1, eq-a\n    line 1: a - 2 * b\n    → a + 2 * b\n" in text


def test_a_survivor_is_named_with_its_reason(tmp_path):
    outcome = mutants.Outcome(
        tmp_path / "small.ipynb",
        1,
        mutants.Mutant((mutants.Check("eq-a", "identity", 1),), 1, "m", "n", ""),
        mutants.SURVIVED,
    )
    checks = [(outcome.notebook, 1, outcome.mutant.checks[0])]
    file = tmp_path / "survivors.toml"
    entry = '[[survivor]]\nnotebook = "small"\nlabel = "eq-a"\nbefore = "m"\nafter = "n"\n'
    file.write_text(f'{entry}reason = "both are any number"')
    reasons, pending = mutants.known_survivors(file)
    assert not mutants.report([outcome], checks)[1]
    assert mutants.report([outcome], checks, reasons, pending)[1]
    text, good = mutants.report([outcome._replace(fate=mutants.REFUTED)], checks, reasons, pending)
    assert not good
    assert "named as a survivor, and is none: small, eq-a, m, n" in text
    file.write_text(entry)
    with pytest.raises(ValueError, match="has no reason"):
        mutants.known_survivors(file)


def test_nothing_to_run_is_red(tmp_path):
    assert not mutants.report([], [])[1]
    assert run(tmp_path, "d = 1")[0] == 1


def test_the_book_names_its_survivors():
    reasons, pending = mutants.known_survivors()
    names = {path.stem for path in notebooks.find()}
    assert {key[0] for key in reasons} | pending <= names


def test_a_check_without_a_mutant_is_reported(tmp_path):
    sides = "left = sp.log(a * b)\nright = sp.log(a) + sp.log(b)"
    call = 'check.identity("eq-a", left, right)'
    other = 'check.inequality("eq-a", sp.log(a), a - 1, equality={a: 1})'
    code, text = run(tmp_path, sides, f"{other}\n{call}")
    assert code == 1
    assert "no mutant: small, cell 2, eq-a" in text
    code, text = run(tmp_path, f"{sides}\n{call}")
    assert code == 0, text


def test_a_failing_notebook_is_an_error(tmp_path):
    code, text = run(tmp_path, 'check.identity("eq-a", b, c)')
    assert code == 1
    assert "Refuted: eq-a" in text


def test_errors_that_are_not_failed_checks_do_not_count(tmp_path):
    cell = 'one = (a,)\ncheck.identity("eq-a", sp.log(one[0] * b), sp.log(a) + sp.log(b))'
    text = run(tmp_path, cell)[1]  # one[1] does not exist
    assert "more crashed" in text
    assert "0 survived" in text
    assert "1 mutants, 1 refuted" in run(tmp_path, cell, arguments=["--sample", "1"])[1]


def test_a_mutant_that_takes_too_long_is_not_killed(tmp_path):
    cell = """
import time
wait = 0 * 60
time.sleep(wait)
check.identity("eq-a", sp.log(a * b) + wait, sp.log(a) + sp.log(b))
"""
    code, text = run(tmp_path, cell, arguments=["--limit", "2"])
    assert code == 1
    assert "timeout: small, cell 1, eq-a\n    line 3: 0 * 60\n    → 60\n" in text


def test_mutants_of_one_cell_do_not_reach_the_next(tmp_path):
    cells = ['d = b - a\ncheck.identity("eq-a", d * (a + b), b**2 - a**2)']
    cells += ['check.identity("eq-b", d**2, b**2 - 2 * a * b + a**2)']
    code, text = run(tmp_path, *cells)
    assert code == 0, text


CHAPTERS = [p for p in notebooks.find() if p.parent.name in ("chapters", "appendix")]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=[] if path.stem.startswith("04") else pytest.mark.slow
        )
        for path in CHAPTERS
    ],
)
def test_every_check_of_the_book_has_mutants_and_most_die(path):
    """A sample, and of one chapter unless slow; `make mutants` runs them all and asks for more."""
    command = [sys.executable, "-m", "latent_em.book.mutants", "--sample", "1", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = re.search(r"(\d+) mutants, (\d+) refuted, (\d+) not proved", done.stdout)
    assert counts, done.stderr
    mutated, refuted, unproved = map(int, counts.groups())
    assert refuted + unproved > 0.8 * mutated, done.stdout
    assert "no mutant" not in done.stdout, done.stdout
