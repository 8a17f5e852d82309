"""The official grade: what students answered, on data that nobody has seen.

For every student the answers are laid over the reference, with a fresh seed, and run by
``pytest --nbval``. pytest compares what the checks print with what they print for the reference's
answers, which no kernel ever sees.
"""

import contextlib
import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from latent_em.book.notebooks import ThisPython
from latent_em.grading import notebooks, overlay, points, release, sandbox
from latent_em.grading.notebooks import Check, Exercises, UnreadableError
from latent_em.grading.overlay import Submission
from latent_em.grading.sandbox import Limits

_MODULES = (
    "import sys\n"
    "for name, module in sorted(sys.modules.items()):\n"
    "    if name.split('.')[0] == 'latent_em': print(module.__file__)"
)


NONE = "no answer", ""


class Reference(NamedTuple):
    """The exercises with what their checks print for a seed, and the package's files they use.

    Both by the name of the notebook.
    """

    seed: int
    exercises: dict[str, Exercises]
    modules: dict[str, list[str]]


class Row(NamedTuple):
    """How one check of one student went."""

    grade_id: str
    earned: int
    missing: str
    hint: str


class Result(NamedTuple):
    """What a student gets."""

    student: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> int:
        """The sum of the points."""
        return sum(row.earned for row in self.rows)


class Stopped(Exception):  # noqa: N818
    """The grade was interrupted."""


def run_reference(book: Path, seed: int, names: list[str]) -> Reference:
    """Run the reference's notebooks with a seed, outside any sandbox.

    Parameters
    ----------
    book : Path
    seed : int
    names : list of str
        Of the notebooks.

    Raises
    ------
    ValueError
        If the seed is the notebook's own, or a check fails for the reference's answer with it.
    """
    found, modules = {}, {}
    data = [f"data/{p.name}" for p in sorted((sandbox.PACKAGE / "data").glob("*.csv"))]
    for name in names:
        notebook = nbformat.read(book / "exercises" / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            if notebooks.kind(cell) == "setup":
                own, cell.source = cell.source, notebooks.with_seed(cell.source, seed)
                if own == cell.source and "SEED" in own:
                    raise ValueError(f"seed {seed} is that of {name}, whose numbers all have")
        notebook.cells.append(nbformat.v4.new_code_cell(_MODULES))
        with tempfile.TemporaryDirectory() as folder:
            client = NotebookClient(
                notebook,
                kernel_manager_class=ThisPython,
                timeout=300,
                coalesce_streams=True,
                extra_arguments=["--IPKernelApp.log_level=ERROR"],
                resources={"metadata": {"path": folder}},
            )
            try:
                client.execute()
            except CellExecutionError as error:
                raise ValueError(
                    f"seed {seed}: the reference itself fails in {name}; take another\n{error}"
                ) from error
        files = notebooks.printed(notebook.cells.pop()).splitlines()
        used = sorted({str(Path(file).relative_to(sandbox.PACKAGE)) for file in files})
        modules[name] = [*used, *(data if used else [])]
        found[name] = notebooks.exercises(name, notebook)._replace(fresh=True)
    return Reference(seed, found, modules)


def students(folder: Path) -> dict[str, Path]:
    """Return the folders of the students, by a name that can be printed and be that of a file."""
    if not folder.is_dir():
        raise FileNotFoundError(f"SUBMISSIONS: got {folder}, must be a folder with one per student")
    inside = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return {_name(p.name): p for p in inside if p.is_dir() or p.is_symlink()}


def _name(text: str) -> str:
    """Return a name for people and spreadsheets; one that cannot be shown gets a number."""
    shown = points.plain(os.fsencode(text).decode("utf-8", "backslashreplace"), 1000)
    shown = shown.lstrip("=+-@")  # which begin a formula
    if shown == text and len(os.fsencode(text)) <= 200:
        return text
    return f"{shown[:40]}-{hashlib.sha256(os.fsencode(text)).hexdigest()[:8]}"


def handed_in(student: Path, name: str) -> tuple[Path | None, str]:
    """Return the notebook of that name that a student has handed in, and a note on it.

    It may lie at any depth, as in a copy of the whole release; links are not followed.
    """
    if student.is_symlink():
        return None, "the folder is a symbolic link: not followed"
    found = []
    for folder, folders, files in os.walk(student):
        folders[:] = sorted(f for f in folders if f not in {".ipynb_checkpoints", ".venv"})
        found += [Path(folder, f"{name}.ipynb")] if f"{name}.ipynb" in files else []
        if len(Path(folder).relative_to(student).parts) >= 4:
            folders[:] = []
    found.sort(key=lambda path: (len(path.parts), str(path)))
    if not found:
        return None, f"{name}: no file"
    first = _name(str(found[0].relative_to(student)))
    more = f"{name}: {len(found)} files; {first} is graded"
    return found[0], more if len(found) > 1 else ""


def read(student: Path, reference: Reference, due: datetime | None) -> dict[str, Submission]:
    """Return what a student has answered, by the name of the notebook."""
    taken = {}
    for name, exercises in reference.exercises.items():
        path, note = handed_in(student, name)
        notes, answers = [note] if note else [], {}
        if path is not None:
            try:
                answers, more = overlay.take(notebooks.read_submission(path), exercises)
                notes += [f"{name}: {one}" for one in more]
                late = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
                if due is not None and late > due:
                    notes.append(f"{name}: late, saved {late:%Y-%m-%d %H:%M}")
            except UnreadableError as error:
                notes.append(f"{name}: {error}")
        taken[name] = Submission(answers, tuple(notes))
    return taken


def write_job(
    folder: Path, taken: dict[str, Submission], reference: Reference, kernels: dict[str, str]
) -> list[Check]:
    """Write one notebook for each check whose exercise has an answer.

    Parameters
    ----------
    folder : Path
        Must not exist. Gets a folder for each notebook of the reference.
    taken : dict of str to Submission
    reference : Reference
    kernels : dict of str to str
        By notebook, the lines of its marker file that say how kernels start.

    Returns
    -------
    list of Check
        Those that are to be run.
    """
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    asked = []
    for name, exercises in reference.exercises.items():
        known, place = {}, folder / name
        place.mkdir()
        for key, check in exercises.checks.items():
            if check.exercise in taken[name].answers:
                one = overlay.assemble(taken[name], exercises, key)
                nbformat.write(one, place / f"{key}.ipynb")
                known[key] = exercises._replace(checks={key: check})
                asked.append(check)
        (place / notebooks.CHECKS).write_text(notebooks.dump(known), encoding="utf-8")
        (place / notebooks.MARKER).write_text(kernels[name], encoding="utf-8")
    return asked


def run_job(folder: Path, limits: Limits, stop: threading.Event, count: int) -> Path:
    """Run ``pytest --nbval`` on a job of so many checks; return the JUnit XML that it has written.

    Each check has the time of two cells, whichever check uses it.

    Raises
    ------
    Stopped
        As soon as ``stop`` is set. pytest then ends its kernels.
    """
    report = folder / "junit.xml"
    words = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"]
    words += [f"--nbval-cell-timeout={limits.seconds}", "--color=no", "-p", "no:cacheprovider"]
    words += ["-c", "pytest.ini", "--rootdir", ".", "--junitxml", report.name, "."]
    with open(folder / "pytest.log", "wb") as log:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        end = time.monotonic() + 60 + 2 * limits.seconds * count
        try:
            while process.poll() is None and time.monotonic() < end:
                if stop.wait(0.1):
                    raise Stopped
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return report


def rows(report: Path, checks: list[Check], reference: Reference) -> tuple[Row, ...]:
    """Read the JUnit XML of a job; a check that is not in it earns nothing."""
    seen = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        about = {p.get("name"): p.get("value") for p in case.iter("property")}
        if "grade_id" in about and "earned" in about:
            seen[about["grade_id"]] = Row(
                about["grade_id"], int(about["earned"]), about["missing"], about["hint"]
            )
    asked = {check.grade_id for check in checks}
    every = [c for one in reference.exercises.values() for c in one.checks.values()]
    lost = "not run", "the time or the memory for all answers was used up before"
    return tuple(
        seen.get(c.grade_id) or Row(c.grade_id, 0, *(lost if c.grade_id in asked else NONE))
        for c in every
    )


def feedback(result: Result, reference: Reference) -> str:
    """Return what a student may read: label, points and hint."""
    lines = [f"# {result.student}: {result.total} of {possible(reference)} points", ""]
    by_id = {row.grade_id: row for row in result.rows}
    graded = reference.exercises if by_id else {}  # else the notes say why nothing was
    for name, exercises in graded.items():
        checks = list(exercises.checks.values())
        own = [by_id[check.grade_id]._asdict() for check in checks]
        lines += [f"## {name}", "", "```", *points.table(checks, own), "```", ""]
    if result.notes:
        lines += ["## Notes", "", *(f"- {note}" for note in result.notes), ""]
    return "\n".join(lines)


def _write_feedback(out: Path, result: Result, reference: Reference):
    text = feedback(result, reference)
    (out / "feedback" / f"{result.student}.md").write_text(text, encoding="utf-8")


def possible(reference: Reference) -> int:
    """Return the points of all checks."""
    return sum(c.points for one in reference.exercises.values() for c in one.checks.values())


def write_csv(path: Path, results: list[Result], reference: Reference):
    """Write a line for each student: points per exercise, total, seed, notes."""
    owner = {
        check.grade_id: check.exercise
        for one in reference.exercises.values()
        for check in one.checks.values()
    }
    columns = list(dict.fromkeys(owner.values()))
    with _replacing(path) as part, open(part, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["student", *columns, "total", "seed", "notes"])
        for result in results:
            earned = dict.fromkeys(columns, 0)
            for row in result.rows:
                earned[owner[row.grade_id]] += row.earned
            notes = "; ".join(result.notes)
            writer.writerow([result.student, *earned.values(), result.total, reference.seed, notes])


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file to write, and put it in place once it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _working(out: Path) -> Iterator[Path]:
    """Give a folder to work in, which is gone afterwards; after a kill, the next run removes it.

    Raises
    ------
    BlockingIOError
        If another run is at work there.
    """
    import fcntl  # not on Windows, which can still release

    handle = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(f"--out: another run is grading into {out}") from error
        for left in out.glob("running-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix="running-", dir=out.resolve(), ignore_cleanup_errors=True
        ) as work:
            yield Path(work)
    finally:
        os.close(handle)


def fingerprint(taken: dict[str, Submission], reference: Reference, how: object) -> str:
    """Return a hash of all that a result depends on."""
    known = {
        name: [one.setup, one.answers, [c._asdict() for c in one.checks.values()]]
        for name, one in reference.exercises.items()
    }
    text = json.dumps([taken, reference.seed, known, reference.modules, how], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def grade(
    submissions: Path,
    out: Path,
    reference: Reference,
    *,
    limits: Limits = Limits(),  # noqa: B008
    sandboxed: bool = True,
    jobs: int = 2,
    due: datetime | None = None,
    say=print,
) -> list[Result]:
    """Grade all students, and write down each as soon as it is done.

    Parameters
    ----------
    submissions : Path
        A folder with one folder per student.
    out : Path
        Gets ``grades.csv``, and a file per student in ``feedback``, ``junit`` and ``results``.
        Results of an earlier run with the same seed, answers and reference are kept.
    reference : Reference
    limits : Limits
    sandboxed : bool
        False runs answers with the rights of the caller.
    jobs : int
        Students graded at the same time.
    due : datetime, optional
        What was saved later gets a note.
    say : callable
        Gets a line for each student.

    Raises
    ------
    KeyboardInterrupt
        After the kernels are gone. What was finished is kept.
    """
    for part in ("feedback", "junit", "results"):
        (out / part).mkdir(parents=True, exist_ok=True)
    todo, done, stop = students(submissions), {}, threading.Event()

    def kernels(scratch):
        if not sandboxed:
            return dict.fromkeys(reference.exercises, f"scratch = {json.dumps(str(scratch))}\n")
        commands = {k: sandbox.command(limits, used) for k, used in reference.modules.items()}
        return {name: f"sandbox = {json.dumps(command)}\n" for name, command in commands.items()}

    with _working(out) as work:

        def one(number, student, handed):
            taken = read(handed, reference, due)
            key = fingerprint(taken, reference, [limits, sandboxed])
            stored = out / "results" / f"{student}.json"
            if (result := _stored(stored, key)) is not None:
                return result, True
            job, scratch = work / f"{number}", work / f"{number}-scratch"
            scratch.mkdir()
            checks = write_job(job, taken, reference, kernels(scratch))
            report = run_job(job, limits, stop, len(checks)) if checks else job / "junit.xml"
            notes = tuple(note for submission in taken.values() for note in submission.notes)
            result = Result(student, rows(report, checks, reference), notes)
            if report.exists():
                shutil.copy(report, out / "junit" / f"{student}.xml")
            _write_feedback(out, result, reference)
            with _replacing(stored) as part:
                part.write_text(json.dumps([key, *result], indent=1), encoding="utf-8")
            for folder in (job, scratch):
                shutil.rmtree(folder, ignore_errors=True)
            return result, False

        with ThreadPoolExecutor(jobs) as pool:
            work_of = {
                pool.submit(one, number, student, folder): student
                for number, (student, folder) in enumerate(todo.items())
            }
            try:
                for future in as_completed(work_of):
                    student = work_of[future]
                    try:
                        result, kept = future.result()
                    except Exception as error:  # one bad submission must not stop the others
                        note = f"not graded: {points.plain(repr(error))}"
                        result, kept = Result(student, (), (note,)), False
                        _write_feedback(out, result, reference)
                    done[student] = result
                    notes = points.plain("; ".join(result.notes), 100)
                    about = "kept from the last run" if kept else notes
                    say(
                        f"[{len(done):{len(str(len(todo)))}}/{len(todo)}] {student}: "
                        f"{result.total} of {possible(reference)}  {about}".rstrip()
                    )
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
    results = [done[student] for student in todo]
    write_csv(out / "grades.csv", results, reference)
    return results


def _stored(path: Path, key: str) -> Result | None:
    """Return the result of an earlier run, if it was for the same answers."""
    try:
        known, student, found, notes = json.loads(path.read_text(encoding="utf-8"))
        return (
            Result(student, tuple(Row(*row) for row in found), tuple(notes))
            if known == key
            else None
        )
    except (OSError, ValueError, TypeError):
        return None


def assigned(submissions: Path, book: Path) -> list[str]:
    """Return the notebooks that at least one student has handed in."""
    names = [path.stem for path in sorted((book / "exercises").glob("*.ipynb"))]
    seen = release.practice(book)
    folders = students(submissions).values()
    return [
        name
        for name in names
        if name not in seen and any(handed_in(folder, name)[0] for folder in folders)
    ]
