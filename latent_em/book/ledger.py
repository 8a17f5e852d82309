"""The equation ledger: labelled equations of the book against the checks that notebooks store.

``python -m latent_em.book.ledger`` prints it, and what is wrong with it.
``python -m latent_em.book.ledger pin eq-label ...`` says that a changed equation and its check
were read side by side: a pin is a hash of the LaTeX in the metadata of the cell that checks it,
so an equation cannot change without its check being looked at again.
"""

import ast
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from latent_em.book import foundations, notebooks
from latent_em.book.check import MIMETYPE

KINDS = {
    "identity": "identity",
    "inequality": "inequality",
    "maximum": "stationary point",
    "minimum": "stationary point",
    "quadrature": "quadrature",
    "definition": "definition",
}
WORDS = (  # how an equation was checked, the best first
    "proved",
    "proved in a special case",
    "strict local optimum",
    "numeric",
    "cites a theorem",
    "not said",
    "definition",
)
MAX_DEFINITIONS = 0.15  # of the checks

_MARKDOWN = (
    MarkdownIt("commonmark")
    .use(dollarmath_plugin, allow_labels=True, double_inline=True)
    .use(amsmath_plugin)
    .use(colon_fence_plugin)
)
_NOT_MARKDOWN = ("code", "code-block", "code-cell", "eval-rst", "literalinclude", "mermaid")


class Equation(NamedTuple):
    """A display equation in a Markdown cell; ``label`` is empty when it has none."""

    label: str
    latex: str
    cell: int


class Call(NamedTuple):
    """A call of a checking function in the source of a code cell."""

    label: str
    kind: str
    cell: int
    repeats: bool  # two neighbouring sides have the same source


class Record(NamedTuple):
    """What a check stored in the output of its cell."""

    label: str
    kind: str
    scope: str
    result: str
    claim: str
    cell: int
    word: str = ""
    domain: str = ""
    rests_on: tuple[str, ...] = ()


class Page(NamedTuple):
    """A notebook, as the ledger reads it; ``pins`` go from (label, cell) to hash.

    ``refuted`` has the cell of each block that refutes a claim, and its calls: they check no
    equation.
    """

    name: str
    title: str
    equations: list[Equation]
    calls: list[Call]
    records: list[Record]
    pins: dict[tuple[str, int], str]
    refuted: list[tuple[int, list[Call]]]


class Entry(NamedTuple):
    """A checked equation: one line of the ledger."""

    label: str
    latex: str
    kind: str
    scope: str
    result: str
    claim: str
    notebook: str
    cell: int
    word: str = ""
    domain: str = ""
    rests_on: tuple[str, ...] = ()


# --- reading ------------------------------------------------------------------------------------


def read_book(book: Path = notebooks.BOOK) -> list[Page]:
    """Read all pages of the book that have Markdown cells, in the order of the contents."""
    paths = [*notebooks.find(book), *book.rglob("*.md")]
    order = {name: place for place, name in enumerate(contents(book))}
    names = {p.relative_to(book.parent).with_suffix("").as_posix(): p for p in paths}
    return [
        read_page(names[name], name)
        for name in sorted(names, key=lambda name: (order.get(name, len(order)), name))
    ]


def contents(book: Path = notebooks.BOOK) -> list[str]:
    """Return the names of the pages that are in the table of contents, in its order."""

    def walk(node):
        if isinstance(node, dict):
            yield from (node[key] for key in ("root", "file") if key in node)
            node = list(node.values())
        for child in node if isinstance(node, list) else []:
            yield from walk(child)

    toc = book.parent / "_toc.yml"
    return list(walk(yaml.safe_load(toc.read_text()))) if toc.exists() else []


def read_page(path: Path, name: str) -> Page:
    """Read one notebook or Markdown file."""
    if path.suffix == ".md":
        text = path.read_text()
        equations = [e for e in find_equations(text, 0) if e.label]
        return Page(name, _title(text), equations, [], [], {}, [])
    cells = notebooks.read(path).cells
    texts = [(i, c.source) for i, c in enumerate(cells) if c.cell_type == "markdown"]
    code = [(i, c) for i, c in enumerate(cells) if c.cell_type == "code"]
    return Page(
        name,
        _title("\n".join(text for _, text in texts)),
        [e for i, text in texts for e in find_equations(text, i)],
        [call for i, c in code for call in find_calls(c.source, i)],
        [r for i, c in code for r in _records(c.outputs, i)],
        {(label, i): p for i, c in code for label, p in c.metadata.get("ledger", {}).items()},
        [(i, calls) for i, c in code for calls in find_refuted(c.source, i)],
    )


def _title(markdown: str) -> str:
    heading = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    return heading[1].strip() if heading else ""


def find_equations(markdown: str, cell: int) -> Iterator[Equation]:
    """Find display equations, also in blockquotes, lists and MyST directives."""
    for token in _MARKDOWN.parse(markdown):
        if token.type in ("math_block", "math_block_label", "amsmath"):
            label = token.info if token.type == "math_block_label" else ""
            yield Equation(label, token.content.strip(), cell)
        for child in token.children or []:
            if child.type == "math_inline_double":
                yield Equation("", child.content.strip(), cell)
        directive = re.match(r"\{([\w:-]+)\}", token.info or "")
        if token.type not in ("fence", "colon_fence") or not directive:
            continue
        if directive[1] == "math":
            yield Equation("", token.content.strip(), cell)
        elif directive[1] not in _NOT_MARKDOWN:
            yield from find_equations(token.content, cell)


def find_calls(source: str, cell: int) -> Iterator[Call]:
    """Find calls ``check.kind("label", ...)``, those that refute a claim left out."""
    yield from (_call(call, cell) for call in check_calls(parse(source)))


def find_refuted(source: str, cell: int) -> Iterator[list[Call]]:
    """Find the calls in each block ``with check.refuted():``."""
    for block in _refuted_blocks(parse(source)):
        yield [_call(call, cell) for call in _check_calls(block)]


def _call(call: ast.Call, cell: int) -> Call:
    label = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else "?"
    sides = [ast.dump(side) for side in call.args[1:]]
    return Call(str(label), KINDS[call.func.attr], cell, any(a == b for a, b in pairwise(sides)))


def parse(source: str) -> ast.Module:
    """Parse a code cell, its IPython magics left out."""
    return ast.parse(re.sub(r"^\s*[%!].*", "", source, flags=re.MULTILINE))


def check_calls(tree: ast.AST) -> list[ast.Call]:
    """Find calls of checking functions in the order of the source.

    Those in a block ``with check.refuted():`` are left out.
    """
    elsewhere = {id(call) for block in _refuted_blocks(tree) for call in _check_calls(block)}
    return [call for call in _check_calls(tree) if id(call) not in elsewhere]


def _check_calls(tree: ast.AST) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if any(_calls_check(node, kind) for kind in KINDS)]
    return sorted(calls, key=lambda node: (node.lineno, node.col_offset))


def _refuted_blocks(tree: ast.AST) -> list[ast.With]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        and any(_calls_check(item.context_expr, "refuted") for item in node.items)
    ]


def _calls_check(node: ast.AST, name: str) -> bool:
    """Whether a node is the call ``check.name(...)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) == ("check", name)
    )


def _records(outputs: list, cell: int) -> Iterator[Record]:
    for output in outputs:
        if MIMETYPE in output.get("data", {}):
            yield Record(**output["data"][MIMETYPE], cell=cell)


# --- judging ------------------------------------------------------------------------------------


def entries(pages: Iterable[Page]) -> list[Entry]:
    """Return one entry per check whose equation stands in the same notebook."""
    return [
        Entry(
            label=e.label,
            latex=e.latex,
            kind=r.kind,
            scope=r.scope,
            result=r.result,
            claim=r.claim,
            notebook=page.name,
            cell=r.cell,
            word=r.word,
            domain=r.domain,
            rests_on=tuple(r.rests_on),
        )
        for page in pages
        for e in page.equations
        for r in page.records
        if r.label == e.label
    ]


def share_of_definitions(found: list[Entry]) -> float:
    """Return the share of definitions among the checks."""
    return sum(e.kind == "definition" for e in found) / max(1, len(found))


def word(e: Entry) -> str:
    """Return how an equation was checked, in one of the `WORDS`."""
    if e.word == "proved" and e.scope:
        return "proved in a special case"
    if e.word.startswith("strict local"):
        return "strict local optimum"
    return {"cites": "cites a theorem", "": "not said"}.get(e.word, e.word)


def words(found: list[Entry]) -> Counter:
    """Count the equations by their word, the weakest where an equation has several checks."""
    weakest: dict[str, int] = {}
    for e in found:
        weakest[e.label] = max(weakest.get(e.label, 0), WORDS.index(word(e)))
    return Counter(WORDS[place] for place in weakest.values())


def rests_on(found: list[Entry]) -> dict[str, list[str]]:
    """Return from theorem, rule or label to the labels whose checks rest on it."""
    rests: dict[str, list[str]] = {}
    for e in found:
        for name in e.rests_on:
            rests.setdefault(name, []).append(e.label)
    return {name: list(dict.fromkeys(labels)) for name, labels in rests.items()}


def problems(pages: list[Page]) -> list[str]:
    """Return what is wrong with the ledger; an empty list if nothing is."""
    found = [f"{page.name}: {p}" for page in pages for p in _page_problems(page)]
    homes: dict[str, list[str]] = {}
    for page in pages:
        for e in page.equations:
            homes.setdefault(e.label, []).append(f"{page.name} cell {e.cell}")
    for label, places in homes.items():
        if label and len(places) > 1:
            found.append(f"{label}: defined {len(places)} times, in {', '.join(places)}")
    for page in pages:
        here = {e.label for e in page.equations}
        for call in page.calls:
            if call.label not in here:
                place = homes.get(call.label, ["no notebook"])[0]
                found.append(
                    f"{page.name}: cell {call.cell} checks {call.label}, which is in {place}"
                )
    found += _foundation_problems(entries(pages), homes)
    share = share_of_definitions(entries(pages))
    if share > MAX_DEFINITIONS:
        found.append(
            f"definitions are {share:.0%} of the checks, must be at most {MAX_DEFINITIONS:.0%}"
        )
    return found


def _foundation_problems(found: list[Entry], homes: dict) -> Iterator[str]:
    """What rests on an equation that is not there, or in a circle on itself."""
    below: dict[str, set] = {}
    for name, labels in rests_on(found).items():
        if not name.startswith("eq-"):
            continue
        for label in labels:
            below.setdefault(label, set()).add(name)
            if name not in homes:
                yield f"{label}: rests on {name}, which is in no notebook"
    for label in below:
        reached, new = set(), {label}
        while new:
            new = set().union(*(below.get(name, set()) for name in new)) - reached
            reached |= new
        if label in reached:
            yield f"{label}: rests on itself"


def _page_problems(page: Page) -> Iterator[str]:
    made = {(c.label, c.kind, c.cell) for c in page.calls}
    stored = {(r.label, r.kind, r.cell) for r in page.records}  # more records, in a loop
    for label, kind, cell in sorted(made - stored, key=lambda check: check[2]):
        yield f"cell {cell}: the {kind} check of {label} has no stored result: run make execute"
    for label, kind, cell in sorted(stored - made, key=lambda check: check[2]):
        yield f"cell {cell}: stores a result for {label} ({kind}) that no call in it makes"
    for e in page.equations:
        if not e.label:
            if "/chapters/" in f"/{page.name}":
                yield f"cell {e.cell}: a display equation without $$ … $$ (eq-label): {e.latex!r}"
            continue
        checks = [c for c in page.calls if c.label == e.label]
        if not checks:
            yield f"{e.label}: no check in this notebook"
            continue
        if any(c.repeats for c in checks):
            yield f"{e.label}: its check compares an expression with itself"
        if min(c.cell for c in checks) < e.cell:
            yield f"{e.label}: checked in cell {checks[0].cell}, before it is shown in {e.cell}"
        pins = [page.pins[e.label, c.cell] for c in checks if (e.label, c.cell) in page.pins]
        if fingerprint(e.latex) not in pins:
            what = "its LaTeX changed since it was pinned" if pins else "it has no pin"
            yield f"{e.label}: {what}; compare it with its check, then pin it"
    for label, cell in page.pins:
        if not any(c.label == label and c.cell == cell for c in page.calls):
            yield f"cell {cell}: pins {label}, which it does not check"
    for cell, calls in page.refuted:
        if len(calls) != 1:  # what comes after the first counterexample does not run
            yield f"cell {cell}: a block that refutes a claim has {len(calls)} checks, must have 1"
        for label in {c.label for c in calls} & {e.label for e in page.equations}:
            yield f"cell {cell}: refutes {label}, which is the label of an equation"


def fingerprint(latex: str) -> str:
    """Hash LaTeX: 12 hexadecimal digits that do not depend on white space."""
    return hashlib.sha256(" ".join(latex.split()).encode()).hexdigest()[:12]


# --- showing ------------------------------------------------------------------------------------


def page_markdown(pages: list[Page] | None = None) -> str:
    """Write the body of the ledger page: every equation, its check, and what the machine read.

    Without an argument, of the pages in the table of contents: others cannot be referred to.
    """
    if pages is None:
        listed = set(contents())
        pages = [page for page in read_book() if page.name in listed]
    found = entries(pages)
    titles = {page.name: page.title for page in pages}
    parts = [summary(found), totals(found, titles)]
    for name, here in groupby(found, key=lambda e: e.notebook):
        in_chapter = list(here)
        parts.append(f"## {{doc}}`{titles[name]} </{name}>`")
        parts += _drawn(in_chapter, found, titles[name])
        for (label, latex), checks in groupby(in_chapter, key=lambda e: (e.label, e.latex)):
            parts.append("\n\n".join(_folded(label, latex, list(checks))))
    return "\n\n".join(parts) + "\n"


def _folded(label: str, latex: str, checks: list[Entry]) -> Iterator[str]:
    """One line for an equation, which opens to its checks and to what the machine read."""
    shown = dict.fromkeys(", ".join(filter(None, [e.word, e.scope])) for e in checks)
    yield f":::{{dropdown}} {{eq}}`{label}` {label}: {'; '.join(shown)}"
    yield f"Equation {{eq}}`{label}` of the book is"
    yield f"$$\n{latex}\n$$"
    for e in checks:
        line = "; ".join(filter(None, [f"**{e.kind}**", *outcome(e)])) + "."
        yield line + (" Read by the machine as" if e.claim else "")
        if e.claim:
            yield f"$$\n{e.claim}\n$$"
    yield ":::"


def totals(found: list[Entry], titles: dict[str, str]) -> str:
    """Count the equations of each chapter by their word, in a table."""
    chapters = {n: words(list(here)) for n, here in groupby(found, key=lambda e: e.notebook)}
    used = [w for w in WORDS if any(counted[w] for counted in chapters.values())]
    rows = [["Chapter", *used], ["---", *("---:" for _ in used)]]
    for name, counted in chapters.items():
        rows.append([f"[]({Path('/', name).as_posix()})", *(str(counted[w] or "") for w in used)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _drawn(in_chapter: list[Entry], found: list[Entry], title: str) -> Iterator[str]:
    """What rests on what in one chapter, as a picture."""
    homes = {e.label: f"../../{e.notebook}.html#equation-{e.label}" for e in found}
    picture = foundations.svg(rests_on(in_chapter), homes, f"What rests on what: {title}")
    if picture:
        yield "What rests on what:"
        yield f"```{{raw}} html\n{picture}\n```"


def outcome(e: Entry) -> list[str]:
    """Return what a check showed, in words."""
    by = [f"by {{eq}}`{r}`" if r.startswith("eq-") else f"by {r}" for r in e.rests_on]
    return [*filter(None, [e.word, e.scope, e.domain, e.result]), *by]


def summary(found: list[Entry]) -> str:
    """Say how equations were checked, of which kinds the checks are, and the definitions' share."""
    kinds = Counter(e.kind for e in found)
    counts = ", ".join(f"{kind} {kinds[kind]}" for kind in dict.fromkeys(KINDS.values()))
    counted = words(found)
    by_word = ", ".join(f"{name} {counted[name]}" for name in WORDS if counted[name])
    return (
        f"Labelled equations: {sum(counted.values())} ({by_word}). "
        f"Checks: {len(found)} ({counts}). "
        f"Definitions are {share_of_definitions(found):.0%} of the checks, "
        f"at most {MAX_DEFINITIONS:.0%} are allowed."
    )


def pin(labels: list[str], book: Path = notebooks.BOOK) -> None:
    """Write the pins of equations whose checks were read again.

    Raises
    ------
    ValueError
        When a label has no equation with a check in the same notebook.
    """
    pages = read_book(book)
    for label in labels:
        homes = [
            (page.name, e.latex, c.cell)
            for page in pages
            for e in page.equations
            for c in page.calls
            if e.label == c.label == label
        ]
        if not homes:
            raise ValueError(f"label: got {label!r}, must be an equation with a check beside it")
        name, latex, cell = homes[0]
        path = book.parent / f"{name}.ipynb"
        notebook = notebooks.read(path)
        notebook.cells[cell].metadata.setdefault("ledger", {})[label] = fingerprint(latex)
        notebooks.write(path, notebook)
        print(f"{label}: pinned {fingerprint(latex)} in {name}, cell {cell}\n{latex}\n")


def main(arguments: list[str]) -> int:
    """Print the ledger and its problems, or pin labels."""
    if arguments:
        if arguments[0] != "pin" or len(arguments) < 2:
            print("usage: python -m latent_em.book.ledger [pin eq-label ...]", file=sys.stderr)
            return 2
        pin(arguments[1:])
        return 0
    pages = read_book()
    found = entries(pages)
    for e in found:
        print(f"{e.label:<28}  {e.kind:<16}  {e.scope:<20}  {e.notebook}, cell {e.cell}")
    print(summary(found))
    wrong = problems(pages)
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
