"""Break every checked claim on purpose: ``python -m latent_em.book.mutants [NOTEBOOK ...]``.

One change at a time is made to the code of a claim: to the arguments of a check and to what
feeds them in the same cell. The check must then fail. A mutant that survives shows a claim that
its check does not pin down. Left alone are sizes, seeds, numbers of draws and digits, text, and
the definitions of symbols: a claim stays true when they change.
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
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import NamedTuple

import sympy as sp

from latent_em.book import ledger, notebooks
from latent_em.book.check import CheckFailed

REQUIRED = 0.95
TIME_LIMIT = 60.0  # seconds; what is refuted is refuted in far less
KILLED, SURVIVED, STILLBORN, TIMEOUT = "killed", "survived", "stillborn", "timeout"

_NO_CLAIM = {"symbols", "Symbol", "Dummy", "Wild", "Idx", "IndexedBase", "MatrixSymbol"}
_NO_CLAIM |= {"Function", "range", "default_rng", "eye", "zeros", "ones", "print"}
_NO_CLAIM_KEYWORDS = {"scope", "digits", "points", "random_state", "seed", "size"}
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


def find_mutants(source: str, indices: set[str] = frozenset()) -> list[Mutant]:
    """Return all mutants of a code cell.

    Parameters
    ----------
    source : str
        With its calls ``check.kind("label", ...)``.
    indices : set of str
        Names that may stand in for another index, beside those the cell uses as an index.
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
        for new in _changes(node, names) if id(node) in reach else ():
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
            mutants = find_mutants(cell.source, indices)
            run = partial(_run, space=space, jobs=jobs, limit=limit)
            for mutant, fate in run(mutants) if sample is None else _sample(mutants, sample, run):
                outcomes.append(Outcome(path, number, mutant, fate))
            with contextlib.redirect_stdout(None):
                exec(compile(ledger.parse(cell.source), path.name, "exec"), space)
    return outcomes


def _sample(mutants: list[Mutant], count: int, run: Callable) -> Iterator:
    """Run mutants in random order until each check has ``count`` that were not stillborn."""
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
            viable[mutant.checks[0]] += fate != STILLBORN
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
                yield mutant, TIMEOUT if late else _FATES.get(process.exitcode, STILLBORN)


_FATES = {0: SURVIVED, 10: KILLED}


def _meet_fate(mutant: Mutant, space: dict) -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - closed by _exit
    status = 1
    try:
        exec(compile(mutant.source, "mutant", "exec"), space)
        status = 0
    except CheckFailed as failure:
        label = str(failure).split(":")[0].split(",")[0]
        status = 10 if label in {check.label for check in mutant.checks} else 1
    finally:
        os._exit(status)


# --- reporting ----------------------------------------------------------------------------------


def report(outcomes: list[Outcome], checks: list[tuple[Path, int, Check]]) -> tuple[str, bool]:
    """Return the report, and whether the checks are good enough.

    Parameters
    ----------
    outcomes : list of Outcome
    checks : list of tuple
        (notebook, cell, check) of every check.
    """
    lines = []
    for o in outcomes:
        if o.fate in (SURVIVED, TIMEOUT):
            labels = ", ".join(dict.fromkeys(check.label for check in o.mutant.checks))
            lines.append(f"{o.fate}: {o.notebook.stem}, cell {o.cell}, {labels}")
            lines += [f"    line {o.mutant.line}: {o.mutant.before}", f"    → {o.mutant.after}"]
    fates = Counter(o.fate for o in outcomes)
    viable = [o for o in outcomes if o.fate != STILLBORN]
    tested = {(o.notebook, o.cell, check) for o in viable for check in o.mutant.checks}
    claims = [c for c in checks if c[2].kind != "definition"]
    untested = [c for c in claims if c not in tested]
    lines += [f"no mutant: {path.stem}, cell {cell}, {c.label}" for path, cell, c in untested]
    share = fates[KILLED] / len(viable) if viable else 1.0
    lines.append(
        f"{len(claims)} checks and {len(checks) - len(claims)} definitions, guarded by their pins; "
        f"{len(viable)} mutants, {fates[KILLED]} killed ({share:.1%}), {fates[SURVIVED]} survived, "
        f"{fates[TIMEOUT]} timed out; {fates[STILLBORN]} more were stillborn"
    )
    return "\n".join(lines), share >= REQUIRED and not untested


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants of the given notebooks, or of all; return 1 when too many survive."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--sample", type=int, metavar="N", help="at most N mutants of a check")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--limit", type=float, default=TIME_LIMIT, help="seconds for a mutant")
    given = parser.parse_args(arguments)
    os.environ["MPLBACKEND"] = "Agg"
    paths = [path.resolve() for path in given.notebooks] or notebooks.find()
    outcomes, checks = [], []
    for path in paths:
        cells = enumerate(notebooks.read(path).cells)
        code = [(number, cell.source) for number, cell in cells if cell.cell_type == "code"]
        here = [(path, number, check) for number, source in code for check in find_checks(source)]
        if here:
            found = run_notebook(path, given.sample, given.jobs, given.limit)
            killed = sum(o.fate == KILLED for o in found)
            print(f"{path.stem}: {len(here)} checks, {killed} mutants killed", flush=True)
            outcomes += found
        checks += here
    text, good = report(outcomes, checks)
    print(text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
