"""nbval's kernel, which notices when it has died and does not wait for ever."""

import ctypes
import signal
import sys
import time
import tomllib
from pathlib import Path
from queue import Empty

from nbval.kernel import RunningKernel

from latent_em.grading.notebooks import MARKER, book_of

OUTPUT_TIME = 5.0  # seconds for what is still to come after a cell's reply
MAX_OUTPUT = 2_000_000  # characters that one cell may print


class Kernel(RunningKernel):
    """A kernel whose every wait ends: at a deadline, at its death, or after too much output.

    nbval itself waits out the whole time limit of a cell when the kernel has died, and starts
    waiting anew with every message that comes.
    """

    died = False
    _deadline = None
    _output = 0

    def await_reply(self, msg_id, timeout=None):
        """Wait for the reply to a cell, which may take ``timeout`` seconds in all."""
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._output = 0
        try:
            super().await_reply(msg_id, timeout=timeout)
        finally:
            self._deadline = time.monotonic() + OUTPUT_TIME

    def await_idle(self, parent_id, timeout):
        """Wait until a cell is done, for ``timeout`` seconds in all."""
        self._deadline = time.monotonic() + timeout
        super().await_idle(parent_id, timeout)

    def get_message(self, stream, timeout=None):
        """Return the next message, or raise `queue.Empty`."""
        end = time.monotonic() + (timeout if timeout is not None else 1e6)
        end = min(end, self._deadline or end)
        while True:
            left = end - time.monotonic()
            try:
                message = super().get_message(stream, timeout=max(0.0, min(left, 0.5)))
            except Empty:
                if left <= 0.5 or not self.is_alive():
                    raise
                continue
            except Exception as error:  # what the kernel sends may be anything
                raise Empty from error
            self._output += len(str(message["content"]))
            if left <= 0 or self._output > MAX_OUTPUT:
                raise Empty
            return message

    def interrupt(self):
        """Interrupt the kernel, if there still is one; nbval calls this when no reply came."""
        self.died = not self.is_alive()
        if not self.died:
            super().interrupt()

    def replay(self, sources, timeout):
        """Run cells again whose outcome is known."""
        for text in sources:
            msg_id = self.execute_cell_input(text, allow_stdin=False)
            self.await_reply(msg_id, timeout=timeout)
            self.await_idle(msg_id, timeout)


def start(kernel_name, cwd=None, startup_timeout=60):
    """Start a kernel for nbval: ours in a notebook of the book, nbval's own elsewhere.

    The grade names in its marker file the command that starts a sandboxed kernel, or a folder
    for one that is not.
    """
    book = book_of(Path(cwd)) if cwd is not None else None
    if book is None:
        return RunningKernel(kernel_name, cwd, startup_timeout)
    course = tomllib.loads((book / MARKER).read_text(encoding="utf-8"))
    if {"sandbox", "scratch"} & set(course):
        _end_with_the_grade()
    if "sandbox" in course:
        from latent_em.grading.sandbox import SandboxedKernel

        return SandboxedKernel(course["sandbox"], startup_timeout)
    return Kernel(kernel_name, course.get("scratch", cwd), startup_timeout)


def _end_with_the_grade():
    """Be interrupted when the process that grades is gone, even if it was killed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a script may have switched off
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG
