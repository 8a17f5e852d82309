"""The points of the exercises, in a table at the end of ``pytest --nbval``.

`latent_em.book.pytest_plugin` registers this for notebooks of the book that have exercises. A
check earns its points if its original source ran to the end and printed what the reference
prints, to the last digit but one. What answers print decides nothing, and neither does stderr.

The reference compares with the outputs stored in its notebooks. A release brings ``checks.json``:
its locked cells run as they were released, whatever the notebook says now.
"""

import ast
import json
import re
import time
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

from latent_em.grading import notebooks
from latent_em.grading.notebooks import Check, Exercises

# Without backtracking, for students may print what they like.
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?>\d++\.?+\d*+|\.\d++)(?>[eE][-+]?\d++)?+(?!\.*+\w)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DISARMS = re.compile(r"nbval[-_]|raises-exception", re.IGNORECASE)
_ARROW = re.compile(r"^-+> (\d+) (.*)$", re.MULTILINE)
MOST_TIMES = 3  # the time of a cell, for all that come before a check, in the official grade
DIED = "the kernel died while it ran your answer"
SLOW = "your answer did not come to an end in time"


class Verdict(NamedTuple):
    """How a check went: what is missing, in a word or two, and the hint for the student."""

    missing: str = ""
    hint: str = ""


def find(path: Path) -> Exercises | None:
    """Return the exercises of a notebook; None if it is not in the book or has none."""
    if (book := notebooks.book_of(path.parent)) is None:
        return None
    if (book / notebooks.CHECKS).is_file():
        released = (book / notebooks.CHECKS).read_text(encoding="utf-8")
        return notebooks.load(released).get(path.stem)
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        found = notebooks.exercises(path.stem, notebook)
    except (ValueError, KeyError, TypeError, AttributeError):  # nbval or a test says what is wrong
        return None
    return found if found.checks else None


def is_released(path: Path) -> bool:
    """Say whether a notebook is compared with a release instead of with itself."""
    return (notebooks.book_of(path.parent) / notebooks.CHECKS).is_file()


def tampered(cell: dict, check: Check, count: int) -> Verdict | None:
    """Return what keeps a check cell from counting, or None."""
    tags = cell["metadata"].get("tags") or []
    mark = [*(tags if isinstance(tags, list) else []), *re.findall("#.*", notebooks.source(cell))]
    if disarming := [tag for tag in map(str, mark) if _DISARMS.search(tag)]:
        return Verdict("disarmed", f"the check must fail when it fails: remove {disarming[0]!r}")
    if notebooks.source(cell).strip() != check.source.strip():
        return Verdict("changed", "put the check back as it was released")
    if count > 1:
        return Verdict("copied", f"the check stands {count} times: remove the copies")
    if cell.get("execution_count") is None:
        return Verdict("not executed", "run all cells in Jupyter and save")
    return None


def compare(expected: str, actual: str) -> str:
    """Return how what a check has printed differs from what it must print, or "".

    Lines whose words stand in no expected line are a student's own and are left out; as many as
    expected must be left, in their order, with the same words and, up to one unit of the last
    place shown, the same numbers. Whole numbers must be equal.
    """
    wanted = [" ".join(line.split()) for line in expected.splitlines() if line.strip()]
    shapes = {_NUMBER.sub("#", line) for line in wanted}
    longest = 1000 + max(map(len, wanted), default=0)
    lines = [" ".join(line.split()) for line in actual.splitlines() if len(line) <= longest]
    got = [line for line in lines if _NUMBER.sub("#", line) in shapes]
    for right, line in zip_longest(wanted, got, fillvalue=""):
        if not _alike(right, line):
            return f"it prints {plain(line, 100)!r} where {plain(right, 100)!r} is right"
    return ""


def _alike(expected: str, actual: str) -> bool:
    if _NUMBER.sub("#", expected) != _NUMBER.sub("#", actual):
        return False
    pairs = zip(_NUMBER.findall(expected), _NUMBER.findall(actual), strict=True)
    try:
        return all(abs(float(a) - float(b)) <= 1.01 * min(_unit(a), _unit(b)) for a, b in pairs)
    except (OverflowError, ValueError):  # an exponent of thousands
        return False


def _unit(number: str) -> float:
    """Return one unit of the last place shown; 0 for a whole number."""
    digits, _, power = number.lower().partition("e")
    decimals = len(digits.partition(".")[2])
    return 10.0 ** (int(power or 0) - decimals) if decimals or power else 0.0


def plain(text: str, length: int = 300) -> str:
    """Return one line of printable text, without terminal colours."""
    words = "".join(c if c.isprintable() else " " for c in _COLOUR.sub("", text)).split()
    line = " ".join(words)
    return line if len(line) <= length else line[: length - 1] + "…"


def describe(error: dict) -> str:
    """Return one line about an error that a cell has raised: what, and where."""
    text = plain(f"{error['ename']}: {error['evalue']}").removesuffix(": ")
    arrows = _ARROW.findall(_COLOUR.sub("", "\n".join(error["traceback"])))
    return f"{text}, at `{plain(arrows[-1][1], 80)}`" if arrows else text


def hints(text: str) -> set[str]:
    """Return the messages of the assertions of a check cell."""
    return {
        ast.literal_eval(node.msg)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant)
    }


class CheckFailedError(Exception):
    """A check earns nothing; the message is for the student."""


class LostCheck(pytest.Item):
    """A check that is no longer in its notebook."""

    def __init__(self, name, parent, check):
        super().__init__(name, parent)
        self.check = check

    def runtest(self):
        """Fail: nothing can be run."""


class LostChecks(pytest.File):
    """Collects the checks that a notebook should have and has not."""

    def __init__(self, *, exercises, **arguments):
        super().__init__(**arguments)
        self.exercises = exercises

    def collect(self):
        """Yield an item for each of them."""
        try:
            cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
            there = {notebooks.grade_id(c) for c in cells if c["cell_type"] == "code"}
        except (ValueError, KeyError, TypeError, AttributeError):
            there = set()  # nbval says that the file cannot be read
        for key, check in self.exercises.checks.items():
            if key not in there:
                yield LostCheck.from_parent(self, name=key, check=check)


class Points:
    """The plugin: runs the cells of exercises, judges the checks, and prints the table.

    Parameters
    ----------
    config : pytest.Config
    """

    def __init__(self, config: pytest.Config):
        self.config = config
        self.known = {}  # notebook -> Exercises or None
        self.broken = {}  # notebook -> {grade_id of an answer: Verdict}
        self.rows = {}  # (notebook, grade_id of a check) -> what its report says
        self.spent = {}  # notebook -> seconds that its cells have taken

    def exercises(self, path: Path) -> Exercises | None:
        """Return the exercises of a notebook, read once."""
        if path not in self.known:
            self.known[path] = find(path)
        return self.known[path]

    # Collecting

    def pytest_collect_file(self, file_path, parent):
        """Beside nbval's cells, collect an item for every check that is no longer there."""
        if file_path.suffix != ".ipynb" or (found := self.exercises(file_path)) is None:
            return None
        return LostChecks.from_parent(parent, path=file_path, exercises=found)

    def pytest_itemcollected(self, item):
        """Name a check by its grade_id, and write its points into its report and JUnit XML."""
        if (check := self._check(item)) is not None:
            item.name = check.grade_id
            item.reportinfo = lambda: (item.path, 0, check.grade_id)
            item._id = item.parent.id.child(check.grade_id)  # nbval says "Cell 4"
            for key in ("grade_id", "exercise", "number", "points"):
                item.user_properties.append((key, getattr(check, key)))
            item.user_properties.append(("notebook", str(item.path)))

    def _check(self, item) -> Check | None:
        if isinstance(item, LostCheck):
            return item.check
        found = self.exercises(item.path) if hasattr(item, "cell") else None
        return found.checks.get(notebooks.grade_id(item.cell)) if found else None

    # Running

    def must_be_executed(self, item) -> bool:
        """Say whether a cell is one of the book's own, whose stored output is on its pages."""
        if notebooks.book_of(item.path.parent) is None:
            return False
        found = self.exercises(item.path)
        return found is None or not (is_released(item.path) or self._check(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        """Run a cell of an exercise notebook; judge it if it is a check."""
        if isinstance(item, LostCheck):
            self._judge(item, item.check, Verdict("deleted", "put the check back as it was"))
        found = self.exercises(item.path) if hasattr(item, "cell") else None
        if found is None:
            return (yield)
        key, released = notebooks.grade_id(item.cell), is_released(item.path)
        check = found.checks.get(key)
        verdict = self._prepare(item, found) if released or check else None
        lost = self._lost(item, check.exercise if check else key) if found.fresh else None
        if lost and check:
            self._judge(item, check, lost)
        elif lost:
            pytest.skip(lost.hint)
        begin = time.monotonic()
        self._revive(item)
        try:
            yield
            failure, how = None, None
        except Exception as error:
            failure, how = error, self._how(item, check)
        self.spent[item.path] = self.spent.get(item.path, 0) + time.monotonic() - begin
        item.parent.timed_out = False  # else nbval expects every later cell to fail
        if check is not None:
            self._judge(item, check, verdict or how or self._differs(item, check, found))
        elif failure is not None and key in found.answers:
            self.broken.setdefault(item.path, {})[key] = how
            raise CheckFailedError(f"{key}: {how.missing}: {how.hint}") from failure
        elif failure is not None:
            raise failure
        else:
            item.replayed = True
        return None

    def _prepare(self, item, found) -> Verdict | None:
        """Put the original source in place; return what was done to a check."""
        cell, key = item.cell, notebooks.grade_id(item.cell)
        check, copies = found.checks.get(key), item.parent.nb.cells
        count = sum(notebooks.grade_id(one) == key for one in copies)
        verdict = tampered(cell, check, count) if check else None
        if not {key} & {*found.setup, *found.answers, *found.checks}:
            pytest.skip("a cell that was added: the grade does not run it")
        cell.source = found.setup.get(key, cell.source)
        if check:  # an answer may have put others in the place of the functions it calls
            cell.source = f"{notebooks.functions(found.setup)}\n\n{check.source}"
        item.options.update(skip=False, check=False, check_exception=False)
        if cell.execution_count is None:
            cell.outputs = []  # nbval wants no outputs of a cell that was not run
        return verdict

    def _lost(self, item, answer) -> Verdict | None:
        """Say whether an answer has ended its kernel, or all answers have used up their time."""
        how = self.broken.get(item.path, {}).get(answer)
        if how is not None and how.hint in (DIED, SLOW):
            return how
        late = self.spent.get(item.path, 0) > MOST_TIMES * item.config.option.nbval_cell_timeout
        return Verdict("too slow", SLOW) if late else None

    def _revive(self, item):
        """Start a new kernel if the last cell has killed it, and bring it to where it was."""
        file = item.parent
        if not file.kernel.is_alive():
            file.setup()
            good = [i for i in item.session.items if i.parent is file and hasattr(i, "replayed")]
            cells = [i.cell.source for i in good]
            file.kernel.replay(cells, item.config.option.nbval_cell_timeout)

    def _how(self, item, check) -> Verdict:
        """Say how a cell that did not run to its end has stopped."""
        errors = [o for o in item.test_outputs or [] if o.output_type == "error"]
        broken = self.broken.get(item.path, {})
        if getattr(item.parent.kernel, "died", False):
            return Verdict("stopped", DIED)
        if item.parent.timed_out:
            return Verdict("too slow", SLOW)
        if not errors:
            return Verdict("stopped", "nothing came back from the kernel")
        error = errors[-1]
        if check is not None and error["ename"] == "NameError" and broken:
            if check.exercise in broken:
                return broken[check.exercise]
            return Verdict("needs others", f"solve first: {', '.join(broken)}")
        if error["ename"] == "NotImplementedError":
            return Verdict("not answered", "write your answer where the cell says YOUR CODE HERE")
        if error["ename"] == "AssertionError" and check and error["evalue"] in hints(check.source):
            return Verdict("wrong", plain(error["evalue"]))
        return Verdict("stopped", describe(error))

    @staticmethod
    def _differs(item, check, found) -> Verdict:
        """Compare what a check has printed with what it must print."""
        if not check.printed.strip():
            return Verdict("not executed", "the stored output is missing: run all cells and save")
        difference = compare(check.printed, notebooks.printed({"outputs": item.test_outputs}))
        if difference and found.fresh:
            difference = "it gives other numbers than the reference on data drawn anew"
        return Verdict("wrong", difference) if difference else Verdict()

    @staticmethod
    def _judge(item, check, verdict):
        earned = 0 if verdict.missing else check.points
        values = {"earned": earned, "missing": verdict.missing, "hint": verdict.hint}
        item.user_properties += list(values.items())
        if verdict.missing:
            raise CheckFailedError(
                f"Exercise {check.number}, {check.exercise}: 0 of {check.points} for "
                f"{check.grade_id}\n{verdict.missing}: {verdict.hint}"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Show of a failed check its message alone."""
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, CheckFailedError):
            report.longrepr = str(call.excinfo.value)
        return report

    # Reporting

    def pytest_runtest_logreport(self, report):
        """Note the outcome of a check, also one that comes from a worker of xdist."""
        about = dict(report.user_properties)
        if "grade_id" not in about:
            return
        key = (about["notebook"], about["grade_id"])
        if report.when == "call" or (report.when == "setup" and not report.passed):
            about.setdefault("earned", 0)
            about.setdefault("missing", "not run")
            about.setdefault("hint", "the kernel did not start")
            worse = self.rows.get(key, about)
            self.rows[key] = min(about, worse, key=lambda row: row["earned"])

    def pytest_terminal_summary(self, terminalreporter):
        """Print the table of points."""
        paths = {Path(name) for name, _ in self.rows} | self._asked_for()
        paths = [path for path in sorted(paths) if self.exercises(path) is not None]
        if not paths:
            return
        out = terminalreporter
        out.section("points")
        earned = total = 0
        for path in paths:
            found, rows = self.exercises(path), []
            for check in found.checks.values():
                row = self.rows.get((str(path), check.grade_id))
                rows.append(row or {"earned": 0, "missing": "not run", "hint": ""})
            got = sum(row["earned"] for row in rows)
            of = sum(check.points for check in found.checks.values())
            earned, total = earned + got, total + of
            out.write_line(f"{path.stem}: {got} of {of}", bold=True)
            for line in table(list(found.checks.values()), rows):
                out.write_line(f"  {line}")
        out.write_line(f"total: {earned} of {total} points", bold=True)
        if any(is_released(path) for path in paths):
            out.write_line("This is a self-check; the grade runs your answers on other data.")

    def _asked_for(self) -> set[Path]:
        """Return the notebooks named on the command line, also those that yield no test."""
        paths = set()
        for word in self.config.args:
            path = Path(self.config.invocation_params.dir, word.split("::")[0]).resolve()
            paths |= {path} if path.suffix == ".ipynb" else set()
        return paths


def table(checks: list[Check], rows: list[dict]) -> list[str]:
    """Return the lines of a table: exercise, points, what is missing, the hint.

    Parameters
    ----------
    checks : list of Check
    rows : list of dict
        For each check what was ``earned``, what is ``missing``, and the ``hint``.
    """
    cells = [("exercise", "points", "missing", "hint")]
    for exercise in dict.fromkeys(check.exercise for check in checks):
        own = [(c, r) for c, r in zip(checks, rows, strict=True) if c.exercise == exercise]
        points = f"{sum(r['earned'] for _, r in own)} of {sum(c.points for c, _ in own)}"
        label = f"{own[0][0].number} {exercise}"
        lost = [(f"{c.grade_id} {r['missing']}", r["hint"]) for c, r in own if r["missing"]]
        for missing, hint in lost or [("", "")]:
            cells.append((label, points, missing, hint))
            label = points = ""
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    return ["  ".join([*map(str.ljust, row, widths), row[3]]).rstrip() for row in cells]
