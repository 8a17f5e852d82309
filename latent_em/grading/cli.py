"""``latent-em release`` and ``latent-em grade``: what an instructor types."""

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat

from latent_em.grading import grade, notebooks, release, sandbox

DRAWS = 5  # of a seed on which the reference's answers pass


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="latent-em", description=__doc__)
    top.add_argument(
        "--book",
        type=Path,
        default=Path.cwd(),
        metavar="ROOT",
        help="the folder with the solutions and book/course.toml (default: here)",
    )
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("release", help="write the student's version, without solutions")
    one.add_argument("target", type=Path, metavar="DIR", help="a new folder")
    one = commands.add_parser("grade", help="grade what students have handed in")
    one.add_argument(
        "submissions", type=Path, nargs="?", metavar="SUBMISSIONS", help="one folder per student"
    )
    one.add_argument("--out", type=Path, metavar="DIR", help="where grades.csv and feedback go")
    one.add_argument("--seed", type=int, help="of the data (default: drawn, and kept in DIR)")
    one.add_argument(
        "--only", action="append", metavar="NAME", help="exercises, such as 03; may be repeated"
    )
    one.add_argument(
        "--due", type=_date, metavar="DATE", help='note what was saved later: "2026-11-30 18:00"'
    )
    one.add_argument("--jobs", type=int, default=2, help="students at the same time (default: 2)")
    one.add_argument("--timeout", type=float, default=30, help="seconds a cell may take")
    one.add_argument("--unsandboxed", action="store_true", help="run answers with your own rights")
    one.add_argument(
        "--selftest",
        action="store_true",
        help="grade the solutions, which must get all points, and the blank notebooks, none",
    )
    one.add_argument("--seeds", type=int, default=3, help="of the self-test (default: 3)")
    return top


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def main(argv: list[str] | None = None) -> int:
    """Run a command; return 0 if it did what was asked, 1 or 2 if it did not."""
    top = parser()
    options = top.parse_args(argv)
    book = options.book / "book"
    if not (book / notebooks.MARKER).is_file() or (book / notebooks.CHECKS).exists():
        top.error(f"no solutions in {options.book}: name their folder with --book")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.command == "release":
            return _release(options)
        if os.name != "posix":
            raise OSError("grade runs on Linux and macOS; on Windows, in its Linux (WSL)")
        if options.selftest:
            return _selftest(options, book)
        if options.submissions is None or options.out is None:
            top.error("grade needs SUBMISSIONS and --out DIR")
        return _grade(options, book)
    except (ValueError, OSError) as error:
        print(f"latent-em: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = options.command == "grade" and not options.selftest
        more = " The same command goes on from here." if kept else ""
        print(f"\nInterrupted.{more}", file=sys.stderr)
        return 130


def _release(options) -> int:
    names = release.release(options.book.resolve(), options.target.resolve())
    print(f"{options.target}: {len(names)} exercise notebooks without their solutions")
    print("Students begin with its README.md. Hand out this folder, not the repository.")
    return 0


def _is_sandboxed(options, limits) -> bool:
    why = "asked for with --unsandboxed" if options.unsandboxed else sandbox.probe(limits)
    if why:
        print(sandbox.UNPROTECTED.format(why=why), file=sys.stderr)
    elif os.geteuid() == 0:
        print("You are root. The sandbox is tighter for an ordinary user.", file=sys.stderr)
    return not why


def _chosen(book: Path, only: list[str]) -> list[str]:
    """Return the names of the notebooks that ``--only`` names, by number or in full."""
    names = [path.stem for path in sorted((book / "exercises").glob("*.ipynb"))]
    for word in only:
        if not any(word in (name, name.split("_")[0]) for name in names):
            raise ValueError(f"--only {word}: no such exercises; there are {', '.join(names)}")
    return [name for name in names if name in only or name.split("_")[0] in only]


def _grade(options, book) -> int:
    found = grade.assigned(options.submissions, book)
    names = _chosen(book, options.only) if options.only else found
    if not names:
        raise ValueError(f"SUBMISSIONS: no notebook of {book / 'exercises'} is handed in")
    limits = sandbox.Limits(seconds=options.timeout)
    sandboxed = _is_sandboxed(options, limits)
    options.out.mkdir(parents=True, exist_ok=True)
    reference = _reference(options, book, names)
    results = grade.grade(
        options.submissions,
        options.out,
        reference,
        limits=limits,
        sandboxed=sandboxed,
        jobs=options.jobs,
        due=options.due,
        say=lambda line: print(line, flush=True),
    )
    possible = grade.possible(reference)
    print(f"{options.out / 'grades.csv'}: {len(results)} students, {possible} points to be had")
    if not sandboxed:
        print("UNSANDBOXED: the answers ran with your rights.", file=sys.stderr)
    return 0


def _reference(options, book, names) -> grade.Reference:
    """Run the reference with the seed asked for, that of the run that goes on, or a new one."""
    kept = options.out / "seed.json"
    given = options.seed if options.seed is not None or not kept.exists() else _read(kept)
    for trial in range(DRAWS):
        seed = secrets.randbelow(10**6) if given is None else given
        print(f"Reference run of {', '.join(names)} with seed {seed}", flush=True)
        try:
            reference = grade.run_reference(book, seed, names)
        except ValueError as error:
            if given is not None or trial == DRAWS - 1:
                raise
            print(str(error).splitlines()[0], flush=True)
        else:
            break
    kept.write_text(json.dumps(seed))
    return reference


def _read(path: Path) -> int:
    return int(json.loads(path.read_text()))


def _selftest(options, book) -> int:
    """Grade the solutions and the blank notebooks over many seeds; return 1 if one is wrong."""
    limits = sandbox.Limits(seconds=options.timeout)
    sandboxed = _is_sandboxed(options, limits)
    originals = release.reference(book)
    names = _chosen(book, options.only or list(originals))
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="latent-em-selftest-") as folder:
        for kind in ("reference", "blank"):
            Path(folder, "in", kind).mkdir(parents=True)
            for name in names:
                one = originals[name] if kind == "reference" else release.blank(originals[name])
                nbformat.write(one, Path(folder, "in", kind, f"{name}.ipynb"))
        first = options.seed if options.seed is not None else 1000
        for seed in range(first, first + options.seeds):
            reference = grade.run_reference(book, seed, names)
            out = Path(folder, "out")
            results = grade.grade(
                Path(folder, "in"),
                out,
                reference,
                limits=limits,
                sandboxed=sandboxed,
                jobs=options.jobs,
                say=lambda line: None,
            )
            got = {result.student: result.total for result in results}
            right = got == {"blank": 0, "reference": grade.possible(reference)}
            wrong += not right
            print(f"seed {seed}: {got} {'' if right else 'WRONG'}".rstrip(), flush=True)
            for result in results if not right else ():
                text = grade.feedback(result, reference)
                print(text if result.student == "reference" or result.total else "")
            shutil.rmtree(out)
    return int(wrong > 0)
