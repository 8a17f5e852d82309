"""The Makefile, with stand-ins for the commands it calls: each writes down how it was called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ("requirements.txt", "constraints.txt", "pyproject.toml")
BENCH_REQUIREMENTS = "benchmarks/requirements.txt"
COMMAND = '#!/bin/sh\necho "$(basename "$0") $*" >> commands.log\n'

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def write_command(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


@pytest.fixture
def project(tmp_path):
    """A project with the real Makefile, an installed environment and a book of one page."""
    (tmp_path / "benchmarks").mkdir()
    for name in ("Makefile", *REQUIREMENTS, BENCH_REQUIREMENTS, "_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("book/intro.md", "latent_em/em.py", "tests/test_em.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    for name in ("python", "pytest", "ruff"):
        write_command(tmp_path / ".venv" / "bin" / name, COMMAND)
    book = COMMAND + "mkdir -p _build/html\n"
    write_command(tmp_path / ".venv" / "bin" / "jupyter-book", book)
    (tmp_path / ".venv" / ".installed").touch()
    return tmp_path


def make(project, *words, path=None):
    """Run make; return the exit code, all that it said, and the commands that it called."""
    log = project / "commands.log"
    log.unlink(missing_ok=True)
    env = {"PATH": path or os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    command = [shutil.which("make"), *words]
    done = subprocess.run(
        command, cwd=project, env=env, capture_output=True, text=True, check=False
    )
    called = log.read_text().splitlines() if log.exists() else []
    return done.returncode, done.stdout + done.stderr, called


def later(path):
    """Change a file, at a time that is later for certain."""
    path.touch()
    time = path.stat().st_mtime + 10
    os.utime(path, (time, time))


def test_help_is_the_default_and_names_every_target(project):
    code, said, called = make(project)
    assert code == 0
    assert not called
    targets = "help book test test-full lint execute mutants bench clean"
    for target in targets.split():
        assert f"make {target} " in said


def test_book_is_built_strictly_and_checked(project):
    code, said, called = make(project, "book")
    assert code == 0
    assert called == [
        "jupyter-book build . -W -n --keep-going -q",
        "python -m latent_em.book.site _build/html",
    ]
    assert str(project / "_build" / "html" / "index.html") in said


def test_book_is_not_built_twice(project):
    make(project, "book")
    code, said, called = make(project, "book")
    assert code == 0
    assert not called
    assert "index.html" in said


@pytest.mark.parametrize("name", ["book/intro.md", "latent_em/em.py", "_config.yml", "_toc.yml"])
def test_book_is_built_from_scratch_when_a_source_changes(project, name):
    make(project, "book")
    (project / "_build" / "stale.html").touch()
    later(project / name)
    _, _, called = make(project, "book")
    assert len(called) == 2
    assert not (project / "_build" / "stale.html").exists()


def test_book_is_built_again_when_a_source_is_removed(project):
    (project / "book" / "more.md").touch()
    make(project, "book")
    (project / "book" / "more.md").unlink()
    _, _, called = make(project, "book")
    assert len(called) == 2


def test_a_failed_book_is_no_book(project):
    write_command(project / ".venv" / "bin" / "jupyter-book", COMMAND + "mkdir _build; exit 1\n")
    assert make(project, "book")[0] != 0
    code, said, called = make(project, "book")
    assert code != 0
    assert "index.html" not in said
    assert len(called) == 1


def test_test_leaves_the_slow_tests_out_and_test_full_does_not(project):
    _, _, called = make(project, "test")
    assert [line.split()[0] for line in called] == ["pytest", "pytest"]
    assert called[0].endswith(" tests")
    assert called[1].endswith(" --nbval book/")
    assert not any(" -m " in line for line in called)
    _, _, called = make(project, "test-full")
    assert all("-m  " in line for line in called[:2])
    assert called[2] == "python -m latent_em.book.mutants --jobs 2"


@pytest.mark.parametrize("failing", [" tests", "--nbval book/"])
def test_a_failure_is_reported_and_hides_no_other(project, failing):
    script = COMMAND + f'case "$*" in *"{failing}") exit 1;; esac\n'
    write_command(project / ".venv" / "bin" / "pytest", script)
    code, _, called = make(project, "test")
    assert code != 0
    assert len(called) == 2


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_new_requirements_are_installed(project, name):
    assert not any("pip" in line for line in make(project, "lint")[2])
    later(project / name)
    assert any("pip install" in line for line in make(project, "lint")[2])


def make_bench(project):
    """The environment of the benchmarks, whose Python, too, writes down how it was called."""
    script = COMMAND + 'case "$*" in "-m venv"*) mkdir -p $4/bin; cp $0 $4/bin/python;; esac\n'
    write_command(project / ".venv" / "bin" / "python", script)
    return make(project, "bench")


def test_bench_has_an_environment_of_its_own(project):
    code, _, called = make_bench(project)
    assert code == 0
    assert called[0] == "python -m venv --clear .venv-bench"
    assert called[1].endswith("-r benchmarks/requirements.txt")
    scripts = [line.removeprefix("python ") for line in called[2:]]
    assert scripts
    assert all((ROOT / script).exists() for script in scripts)
    assert make(project, "bench")[2] == called[2:]


def test_bench_says_when_a_benchmark_fails(project):
    make_bench(project)
    write_command(project / ".venv-bench" / "bin" / "python", COMMAND + "exit 1\n")
    code, _, called = make(project, "bench")
    assert code != 0
    assert len(called) == 1


def test_bench_installs_new_requirements(project):
    make_bench(project)
    later(project / BENCH_REQUIREMENTS)
    assert "-m venv" in make(project, "bench")[2][0]


def test_the_environment_is_made_from_the_first_python_that_runs(project):
    shutil.rmtree(project / ".venv")
    bin = project / "bin"
    write_command(bin / "python3", "#!/bin/sh\nexit 127\n")
    write_command(bin / "python3.13", f'#!/bin/sh\necho "$*" >> made; exec {sys.executable} "$@"\n')
    _, said, _ = make(project, "--dry-run", "lint", path=f"{bin}:/usr/bin:/bin")
    assert 'python="python3.13"' in said


def test_without_a_python_the_error_says_what_to_do(project):
    shutil.rmtree(project / ".venv")
    code, said, called = make(project, "test", "PYTHON=/bin/false")
    assert code != 0
    assert "No Python 3.11, 3.12 or 3.13 found as /bin/false: say make PYTHON=" in said
    assert not (project / ".venv").exists()
    assert not called


def test_clean_leaves_only_the_sources(project):
    make(project, "book")
    make_bench(project)
    code, _, _ = make(project, "clean")
    assert code == 0
    assert not (project / ".venv-bench").exists()
    assert not (project / "_build").exists()
    assert not (project / ".venv").exists()
    assert (project / "book" / "intro.md").exists()
