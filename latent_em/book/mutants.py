"""Break every checked claim on purpose: ``python -m latent_em.book.mutants [NOTEBOOK ...]``.

One change at a time is made to the code of a claim: to the arguments of a check and to what
feeds them in the same cell. The check must then fail. A mutant that survives shows a claim that
its check does not pin down, and has to be named in ``book/survivors.toml`` with the reason why
the changed claim is true as well. Left alone are sizes, seeds, numbers of draws and digits, text,
and the definitions of symbols; but inequalities and optima are also tried for a real symbol in
the place of each positive one.
"""

import argparse
import ast
import contextlib
import copy
import multiprocessing
import os
import random
import sys
import time
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import NamedTuple

import sympy as sp

from latent_em.book import ledger, notebooks
from latent_em.book.check import CheckFailed, Refuted

SURVIVORS = notebooks.BOOK / "survivors.toml"
REQUIRED = 0.95  # of the mutants of a notebook whose survivors are not yet named
TIME_LIMIT = 60.0  # seconds; what is refuted is refuted in far less
REFUTED, UNPROVED, SURVIVED = "refuted", "not proved", "survived"
CRASHED, TIMEOUT = "crashed", "timeout"

_NO_CLAIM = {"symbols", "Symbol", "Dummy", "Wild", "Idx", "IndexedBase", "MatrixSymbol"}
_NO_CLAIM |= {"Function", "range", "default_rng", "eye", "zeros", "ones", "print"}
_NO_CLAIM_KEYWORDS = {"scope", "digits", "points", "random_state", "seed", "size"}
_NO_CLAIM_KEYWORDS |= {"assuming", "cites", "rests_on"}
_OTHER_FUNCTION = {"log": "exp", "exp": "log", "sqrt": "log", "Sum": "Product", "Product": "Sum"}
_OTHER_FUNCTION |= {"loggamma": "digamma", "digamma": "loggamma", "h": "log"}
_SYMMETRIC = {"max", "min", "KroneckerDelta", "gcd", "lcm", "beta", "isclose"}
_LARGE = 1000  # integers from here on are numbers of draws


class Check(NamedTuple):
    """A call of a checking function: what it checks, and the line of its cell."""

    label: str
    kind: str
    line: int


class Mutant(NamedTuple):
    """A cell with one change; ``checks`` are those that the change reaches."""

    checks: tuple[Check, ...]
    line: int
    before: str
    after: str
    source: str


class Outcome(NamedTuple):
    """What became of a mutant of a cell of a notebook."""

    notebook: Path
    cell: int
    mutant: Mutant
    fate: str


# --- making mutants -----------------------------------------------------------------------------


def find_checks(source: str) -> list[Check]:
    """Return the checks of a code cell."""
    return [_check(call) for call in ledger.check_calls(ledger.parse(source))]


def _check(call: ast.Call) -> Check:
    label = call.args[0].value if isinstance(call.args[0], ast.Constant) else "?"
    return Check(label, ledger.KINDS[call.func.attr], call.lineno)


def find_mutants(
    source: str, indices: set[str] = frozenset(), positive: set[str] = frozenset()
) -> list[Mutant]:
    """Return all mutants of a code cell.

    Parameters
    ----------
    source : str
        With its calls ``check.kind("label", ...)``.
    indices : set of str
        Names that may stand in for another index, beside those the cell uses as an index.
    positive : set of str
        Names of positive symbols.
    """
    tree = ledger.parse(source)
    reach: dict[int, list[Check]] = {}
    for call in ledger.check_calls(tree):
        if call.func.attr != "definition":
            for node in _claim(tree, call):
                reach.setdefault(id(node), []).append(_check(call))
    nodes = list(ast.walk(tree))
    names = sorted(indices | {n.id for s in nodes for n in _index_names(s)})
    found = []
    for place, node in enumerate(nodes):
        changes = list(_changes(node, names)) if id(node) in reach else []
        if node in ledger.check_calls(tree):
            used = {n.id for n in _claim(tree, node) if isinstance(n, ast.Name)}
            changes += _weaker(node, sorted(used & positive))
        for new in changes:
            if ast.unparse(new) == ast.unparse(node):  # such as equality=None where it was None
                continue
            changed = copy.deepcopy(tree)
            changed = _Swap(list(ast.walk(changed))[place], new).visit(changed)
            found.append(
                Mutant(
                    checks=tuple(dict.fromkeys(reach[id(node)])),
                    line=node.lineno,
                    before=ast.unparse(node),
                    after=ast.unparse(new),
                    source=ast.unparse(ast.fix_missing_locations(changed)),
                )
            )
    return found


def _weaker(call: ast.Call, positive: list[str]) -> Iterator[ast.AST]:
    """A check without what it assumes."""
    if any(keyword.arg == "assuming" for keyword in call.keywords):
        rest = [keyword for keyword in call.keywords if keyword.arg != "assuming"]
        yield ast.Call(call.func, call.args, rest)
    if call.func.attr in ("inequality", "maximum", "minimum"):
        for name in positive:
            func = ast.parse(f"weakened({ast.unparse(call.func)}, {name})", mode="eval").body
            yield ast.Call(func, call.args, call.keywords)


def weakened(check: Callable, symbol) -> Callable:
    """Return a check that takes a positive symbol, or indexed variable, for a real one."""
    old = getattr(symbol, "label", symbol)
    new = sp.Symbol(old.name, real=True)

    def weaker(thing):
        if isinstance(thing, dict):
            return {weaker(k): weaker(v) for k, v in thing.items()}
        if isinstance(thing, (list, tuple)):
            return type(thing)(map(weaker, thing))
        return thing.xreplace({old: new}) if hasattr(thing, "xreplace") else thing

    def checked(label, *arguments, **keywords):
        changed = weaker(list(arguments)), weaker(keywords)
        if changed == (list(arguments), keywords):
            raise ValueError(f"symbol: got {symbol}, which is not in the claim")
        return check(label, *changed[0], **changed[1])

    return checked


class _Swap(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def _claim(tree: ast.Module, call: ast.Call) -> Iterator[ast.AST]:
    """Walk the parts of a check call, and of what feeds it in the cell, that make the claim."""
    yield from _parts(call)
    needed = {n.id for n in ast.walk(call) if isinstance(n, ast.Name)}
    for statement in reversed(tree.body):
        given = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and _is_stored(n)}
        given |= {getattr(statement, "name", None)}  # a function
        if statement.lineno < call.lineno and given & needed:
            needed |= {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
            yield from _parts(statement)


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        if _name(node) in _NO_CLAIM:
            return
        children = [c for c in children if getattr(c, "arg", None) not in _NO_CLAIM_KEYWORDS]
        if _name(node) == "quadrature":  # a range may be split anywhere: (x, low, middle, high)
            ranges = [c.elts for c in children if isinstance(c, ast.Tuple)]
            children = [c for c in children if not isinstance(c, ast.Tuple)]
            children += [end for elements in ranges for end in (elements[1], elements[-1])]
    if isinstance(node, ast.Assign | ast.For | ast.comprehension):  # sizes: K = 3, for K in (2, 3)
        values = node.value if isinstance(node, ast.Assign) else node.iter
        children = [c for c in children if c is not values]
        children += [
            v for v in getattr(values, "elts", [values]) if not isinstance(v, ast.Constant)
        ]
    yield node
    for child in children:
        yield from _parts(child)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _changes(node: ast.AST, indices: list[str]) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(left=a, op=ast.Add() | ast.Sub() as op, right=b):
            subtract = isinstance(op, ast.Sub)
            yield ast.BinOp(a, ast.Add() if subtract else ast.Sub(), b)
            yield a
            yield ast.UnaryOp(ast.USub(), b) if subtract else b
        case ast.BinOp(left=a, op=ast.Mult() | ast.MatMult(), right=b):
            yield from (a, b)
        case ast.BinOp(left=a, op=ast.Div()):
            yield a
        case ast.UnaryOp(op=ast.USub(), operand=a):
            yield a
        case ast.Constant(value=int() | float() as c) if not isinstance(c, bool) and c < _LARGE:
            yield ast.Constant(c + 1)
        case ast.Compare(ops=[ast.Lt() | ast.LtE()]):
            yield ast.Compare(node.left, [ast.Gt()], node.comparators)
        case ast.Compare(ops=[ast.Gt() | ast.GtE()]):
            yield ast.Compare(node.left, [ast.Lt()], node.comparators)
        case ast.Subscript(slice=ast.Tuple(elts=[i, j])) if ast.dump(i) != ast.dump(j):
            yield ast.Subscript(node.value, ast.Tuple([j, i], ast.Load()), node.ctx)
        case ast.Call(func=ast.Attribute(value=ast.Name("check"), attr="maximum" | "minimum")):
            other = {"maximum": "minimum", "minimum": "maximum"}[node.func.attr]
            func = ast.Attribute(node.func.value, other, ast.Load())
            yield ast.Call(func, node.args, node.keywords)
        case ast.Call(func=ast.Attribute(value=ast.Name("check"), attr="inequality")):
            label, a, b, *rest = node.args
            yield ast.Call(node.func, [label, b, a, *rest], node.keywords)
            strict = [
                ast.keyword(k.arg, ast.Constant(None)) if k.arg == "equality" else k
                for k in node.keywords
            ]
            yield ast.Call(node.func, node.args, strict)
        case ast.Call() if _name(node) in _OTHER_FUNCTION and node.args:
            other = _OTHER_FUNCTION[_name(node)]
            func = ast.parse(ast.unparse(node.func), mode="eval").body
            if isinstance(func, ast.Attribute):
                func.attr = other
            else:
                func = ast.parse(f"__import__('sympy').{other}", mode="eval").body
            yield ast.Call(func, node.args, node.keywords)
        case ast.Tuple(elts=[ast.Name() as i, low, ast.Name() as high]):
            fewer = ast.BinOp(high, ast.Sub(), ast.Constant(1))
            yield ast.Tuple([i, low, fewer], ast.Load())
        case ast.Call(args=[a, b]) if _name(node) not in _SYMMETRIC | set(
            ledger.KINDS
        ) and ast.dump(a) != ast.dump(b):
            yield ast.Call(node.func, [b, a], node.keywords)
    for name in _index_names(node):
        for other in [i for i in indices if i != name.id][:1]:
            new = ast.Name(other, ast.Load())
            picks = [new if i is name else i for i in _picks(node)]
            index = ast.Tuple(picks, ast.Load()) if len(picks) > 1 else picks[0]
            yield ast.Subscript(node.value, index, node.ctx)


def _picks(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.Subscript):
        return []
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _index_names(node: ast.AST) -> list[ast.Name]:
    return [i for i in _picks(node) if isinstance(i, ast.Name)]


# --- running them -------------------------------------------------------------------------------


def run_notebook(path: Path, sample: int | None, jobs: int, limit: float) -> list[Outcome]:
    """Run a notebook once; before each cell, run the cell's mutants in forked processes.

    Parameters
    ----------
    path : Path
    sample : int or None
        At most so many mutants of each check, chosen by a fixed seed; None for all.
    jobs : int
        Processes at a time.
    limit : float
        Seconds a mutant may take.

    Returns
    -------
    list of Outcome
    """
    space: dict = {"__name__": "__main__", "display": lambda *_, **__: None}
    outcomes = []
    with contextlib.chdir(path.parent), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # figures that are not shown; forks beside threads
        for number, cell in enumerate(notebooks.read(path).cells):
            if cell.cell_type != "code":
                continue
            symbols = {k: v for k, v in space.items() if isinstance(v, sp.Symbol)}
            indices = {k for k, v in symbols.items() if v.is_integer and k.islower()}
            signs = space | {k: v.label for k, v in space.items() if isinstance(v, sp.IndexedBase)}
            positive = {k for k, v in signs.items() if isinstance(v, sp.Symbol) and v.is_positive}
            positive -= {k for k, v in symbols.items() if v.is_integer}
            mutants = find_mutants(cell.source, indices, positive)
            run = partial(_run, space=space, jobs=jobs, limit=limit)
            for mutant, fate in run(mutants) if sample is None else _sample(mutants, sample, run):
                outcomes.append(Outcome(path, number, mutant, fate))
            with contextlib.redirect_stdout(None):
                exec(compile(ledger.parse(cell.source), path.name, "exec"), space)
    return outcomes


def _sample(mutants: list[Mutant], count: int, run: Callable) -> Iterator:
    """Run mutants in random order until each check has ``count`` that did not crash."""
    rest, viable = random.Random(0).sample(mutants, len(mutants)), Counter()
    while True:
        batch, later, taken = [], [], Counter(viable)
        for mutant in rest:
            wanted = taken[mutant.checks[0]] < count
            (batch if wanted else later).append(mutant)
            taken[mutant.checks[0]] += wanted
        if not batch:
            return
        for mutant, fate in run(batch):
            viable[mutant.checks[0]] += fate != CRASHED
            yield mutant, fate
        rest = later


def _run(mutants: list[Mutant], space: dict, jobs: int, limit: float) -> Iterator:
    """Fork a process per mutant, so that each starts from the same variables."""
    context = multiprocessing.get_context("fork")
    waiting, running = mutants[::-1], {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            process = context.Process(target=_meet_fate, args=(mutant, space))
            process.start()
            running[process.sentinel] = process, mutant, time.monotonic() + limit
        ready = wait(list(running), timeout=1)
        for sentinel, (process, mutant, deadline) in list(running.items()):
            late = sentinel not in ready and time.monotonic() > deadline
            if late:
                process.kill()
            if late or sentinel in ready:
                process.join()
                del running[sentinel]
                yield mutant, TIMEOUT if late else _FATES.get(process.exitcode, CRASHED)


_FATES = {0: SURVIVED, 10: REFUTED, 11: UNPROVED}


def _meet_fate(mutant: Mutant, space: dict) -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - closed by _exit
    status = 1
    try:
        exec(compile(mutant.source, "mutant", "exec"), space | {"weakened": weakened})
        status = 0
    except CheckFailed as failure:
        if failure.label in {check.label for check in mutant.checks}:
            status = 10 if isinstance(failure, Refuted) else 11
    finally:
        os._exit(status)


# --- reporting ----------------------------------------------------------------------------------


def known_survivors(path: Path = SURVIVORS) -> tuple[dict, set]:
    """Read the survivors that have a reason, and the notebooks whose survivors are not named yet.

    Returns
    -------
    reasons : dict
        From (notebook, label, before, after) to the reason.
    pending : set of str
        Names of notebooks.

    Raises
    ------
    ValueError
        When a survivor has no reason.
    """
    content = tomllib.loads(path.read_text()) if path.exists() else {}
    reasons = {}
    for one in content.get("survivor", []):
        key = tuple(one[part] for part in ("notebook", "label", "before", "after"))
        if not one.get("reason", "").strip():
            raise ValueError(f"{path.name}: {key} has no reason")
        reasons[key] = one["reason"]
    return reasons, set(content.get("pending", []))


def report(
    outcomes: list[Outcome],
    checks: list[tuple[Path, int, Check]],
    reasons: dict | None = None,
    pending: set = frozenset(),
    whole: bool = True,
) -> tuple[str, bool]:
    """Return the report, and whether every mutant was caught or is named with a reason.

    Parameters
    ----------
    outcomes : list of Outcome
    checks : list of tuple
        (notebook, cell, check) of every check.
    reasons, pending
        As `known_survivors` returns them.
    whole : bool
        Whether all mutants were run, so that a named survivor has to be among them.
    """
    reasons, lines, named = reasons or {}, [], set()
    for o in outcomes:
        if o.fate not in (SURVIVED, TIMEOUT):
            continue
        labels = list(dict.fromkeys(check.label for check in o.mutant.checks))
        keys = {(o.notebook.stem, label, o.mutant.before, o.mutant.after) for label in labels}
        if keys & reasons.keys():
            named |= keys & reasons.keys()
            continue
        lines.append(f"{o.fate}: {o.notebook.stem}, cell {o.cell}, {', '.join(labels)}")
        lines += [f"    line {o.mutant.line}: {o.mutant.before}", f"    → {o.mutant.after}"]
    run = {path.stem for path, *_ in checks}
    gone = [key for key in reasons if whole and key[0] in run and key not in named]
    fates = Counter(o.fate for o in outcomes)
    viable = [o for o in outcomes if o.fate != CRASHED]
    tested = {(o.notebook, o.cell, check) for o in viable for check in o.mutant.checks}
    claims = [c for c in checks if c[2].kind != "definition"]
    untested = [c for c in claims if c not in tested]
    lines += [f"no mutant: {path.stem}, cell {cell}, {c.label}" for path, cell, c in untested]
    lines += [f"named as a survivor, and is none: {', '.join(key)}" for key in gone]
    caught = fates[REFUTED] + fates[UNPROVED]
    lines.append(
        f"{len(claims)} checks and {len(checks) - len(claims)} definitions, guarded by their pins; "
        f"{len(viable)} mutants, {fates[REFUTED]} refuted, {fates[UNPROVED]} not proved, "
        f"{fates[SURVIVED]} survived ({len(named)} named with a reason), "
        f"{fates[TIMEOUT]} timed out; {fates[CRASHED]} more crashed"
    )
    loose = len(viable) - caught - len(named)
    tolerated = (1 - REQUIRED) * len(viable) if run and run <= pending else 0
    return "\n".join(lines), bool(claims) and loose <= tolerated and not untested and not gone


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants of the given notebooks, or of all; return 1 when one is not accounted for."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--sample", type=int, metavar="N", help="at most N mutants of a check")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--limit", type=float, default=TIME_LIMIT, help="seconds for a mutant")
    given = parser.parse_args(arguments)
    os.environ["MPLBACKEND"] = "Agg"
    paths = [path.resolve() for path in given.notebooks] or notebooks.find()
    reasons, pending = known_survivors()
    outcomes, checks = [], []
    for path in paths:
        cells = enumerate(notebooks.read(path).cells)
        code = [(number, cell.source) for number, cell in cells if cell.cell_type == "code"]
        here = [(path, number, check) for number, source in code for check in find_checks(source)]
        if here:
            found = run_notebook(path, given.sample, given.jobs, given.limit)
            caught = sum(o.fate in (REFUTED, UNPROVED) for o in found)
            print(f"{path.stem}: {len(here)} checks, {caught} mutants caught", flush=True)
            outcomes += found
        checks += here
    text, good = report(outcomes, checks, reasons, pending, whole=given.sample is None)
    print(text)
    if not checks:
        print("no notebook with a check was found")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
