"""``latent-em release`` and ``latent-em grade``: what an instructor types."""

import argparse
import json
import secrets
import shutil
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat

from latent_em.grading import grade, notebooks, release, sandbox

SELFTEST_SEEDS = 20


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
        "--only", action="append", metavar="NAME", help='a notebook, such as "03"; may be repeated'
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
        help=f"grade the solutions and the blank notebooks with {SELFTEST_SEEDS} seeds",
    )
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
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if options.command == "release":
            return _release(options)
        if options.selftest:
            return _selftest(options, book)
        if options.submissions is None or options.out is None:
            top.error("grade needs SUBMISSIONS and --out DIR")
        return _grade(options, book)
    except (ValueError, OSError) as error:
        print(f"latent-em: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
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
    return not why


def _grade(options, book) -> int:
    names = grade.assigned(options.submissions, book)
    if options.only:
        every = [path.stem for path in sorted((book / "exercises").glob("*.ipynb"))]
        names = [n for n in every if any(n == o or n.startswith(f"{o}_") for o in options.only)]
    if not names:
        raise ValueError("no exercise notebook to grade: none is handed in, or --only is none")
    limits = sandbox.Limits(seconds=options.timeout)
    sandboxed = _is_sandboxed(options, limits)
    options.out.mkdir(parents=True, exist_ok=True)
    seed = _seed(options)
    print(f"Reference run of {', '.join(names)} with seed {seed}", flush=True)
    reference = grade.run_reference(book, seed, names)
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
    print(
        f"{options.out / 'grades.csv'}: {len(results)} students, {grade.possible(reference)} points"
    )
    return 0


def _seed(options) -> int:
    """Return the seed asked for, that of the run that goes on, or a new one."""
    kept = options.out / "seed.json"
    seed = options.seed
    if seed is None and kept.exists():
        seed = json.loads(kept.read_text())
    if seed is None:
        seed = secrets.randbelow(10**6)
    kept.write_text(json.dumps(seed))
    return seed


def _selftest(options, book) -> int:
    """Grade the solutions and the blank notebooks over many seeds; return 1 if one is wrong."""
    limits = sandbox.Limits(seconds=options.timeout)
    sandboxed = _is_sandboxed(options, limits)
    originals = release.reference(book)
    names = [
        n
        for n in originals
        if not options.only or n.split("_")[0] in options.only or n in options.only
    ]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="latent-em-selftest-") as folder:
        for kind in ("reference", "blank"):
            Path(folder, "in", kind).mkdir(parents=True)
            for name in names:
                one = originals[name] if kind == "reference" else release.blank(originals[name])
                nbformat.write(one, Path(folder, "in", kind, f"{name}.ipynb"))
        first = options.seed if options.seed is not None else 1000
        for seed in range(first, first + SELFTEST_SEEDS):
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
