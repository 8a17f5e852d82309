"""Submissions, honest and hostile, and what each must get.

The reference is the model exercises, cut to four checks so that the suite stays short:
"is-log-mean" 1 point, "is-effective" 1, "is-draws" 1 + 1. A case says what a student did to the
notebook with the right answers, and which exercises must get nothing for it.
"""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from latent_em.grading import notebooks

NAME = "03_importance_sampling"
LOG_MEAN, EFFECTIVE, DRAWS = "is-log-mean", "is-effective", "is-draws"
POINTS = {LOG_MEAN: 1, EFFECTIVE: 1, DRAWS: 2}
ALL = tuple(POINTS)


class Case(NamedTuple):
    """What was done, what is lost by it, and words that notes or hints must have."""

    change: Callable[[dict], object]
    lost: tuple[str, ...] = ()
    says: str = ""
    sandbox: bool = False  # harmful, or right only inside one


def cut(notebook: dict) -> dict:
    """Return the notebook with the cells of three exercises."""
    notebook = copy.deepcopy(notebook)
    keep = ("is-setup", *ALL, *(f"{key}-check" for key in ALL), "is-draws-growth-check")
    notebook["cells"] = [c for c in notebook["cells"] if notebooks.grade_id(c) in keep]
    return notebook


def cell(notebook, key):
    return next(c for c in notebook["cells"] if notebooks.grade_id(c) == key)


def answers(**sources):
    """Put other answers in; `is_draws` stands for "is-draws"."""

    def change(notebook):
        for key, text in sources.items():
            cell(notebook, key.replace("_", "-"))["source"] = text
        return notebook

    return change


def without(*keys):
    return answers(**{key.replace("-", "_"): "raise NotImplementedError()" for key in keys})


def function(name, arguments, body):
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"def {name}({arguments}):\n{lines}\n"


def log_mean(body, before=""):
    return answers(is_log_mean=before + function("log_mean_weight", "log_weights", body))


def effective(body, before=""):
    return answers(is_effective=before + function("effective_draws", "log_weights", body))


def draws(body, before=""):
    return answers(is_draws=before + function("draws_needed", "chi2, error", body))


def both(*changes):
    def change(notebook):
        for one in changes:
            notebook = one(notebook)
        return notebook

    return change


def for_all_checks(**fields):
    """Do something to every check cell, with no answer right."""

    def change(notebook):
        for one in without(*ALL)(notebook)["cells"]:
            if notebooks.kind(one) == "check":
                one.update(copy.deepcopy(fields))
        return notebook

    return change


def tag_checks(*tags):
    def change(notebook):
        for one in without(*ALL)(notebook)["cells"]:
            if notebooks.kind(one) == "check":
                one["metadata"]["tags"] = list(tags)
        return notebook

    return change


def drop_checks(notebook):
    notebook["cells"] = [
        one for one in without(*ALL)(notebook)["cells"] if notebooks.kind(one) != "check"
    ]
    return notebook


def outputs(text):
    def change(notebook):
        for one in notebook["cells"]:
            if one["cell_type"] == "code":
                one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
                one["execution_count"] = 1 if text else None
                one["outputs"] = one["outputs"] if text else []
        return notebook

    return change


def split(key, at, between=()):
    """Split a cell after so many lines, as JupyterLab does: both halves keep the metadata."""

    def change(notebook):
        number = notebook["cells"].index(cell(notebook, key))
        lines = notebooks.source(notebook["cells"][number]).splitlines(keepends=True)
        halves = [copy.deepcopy(notebook["cells"][number]) for _ in range(2)]
        halves[0]["source"], halves[1]["source"] = lines[:at], lines[at:]
        notebook["cells"][number : number + 1] = [halves[0], *between, halves[1]]
        return notebook

    return change


def copied(key, text, *, after):
    """Add a copy of an answer cell, with another answer, before it or after it."""

    def change(notebook):
        number = notebook["cells"].index(cell(notebook, key))
        other = copy.deepcopy(notebook["cells"][number])
        other["source"] = text
        notebook["cells"].insert(number + after, other)
        return notebook

    return change


def added(*sources, at=1):
    def change(notebook):
        notebook["cells"][at:at] = [
            {"cell_type": "code", "metadata": {}, "source": s, "outputs": [], "execution_count": 1}
            for s in sources
        ]
        return notebook

    return change


def as_text(key):
    def change(notebook):
        one = cell(notebook, key)
        one["cell_type"] = "markdown"
        for field in ("outputs", "execution_count"):
            one.pop(field, None)
        return notebook

    return change


def kernelspec(notebook):
    spec = {"name": "sagemath", "display_name": "Sage 9", "language": "sage"}
    notebook["metadata"]["kernelspec"] = spec
    return notebook


def of_lines(text):
    """Let each source be one string, with the line ends of Windows."""

    def change(notebook):
        for one in notebook["cells"]:
            one["source"] = notebooks.source(one).replace("\n", text)
        return notebook

    return change


LSE = "top = max(log_weights)\n"
PURE = {
    "is_log_mean": "import math\n"
    + function(
        "log_mean_weight",
        "log_weights",
        LSE + "return top + math.log(sum(math.exp(w - top) for w in log_weights)"
        " / len(log_weights))",
    ),
    "is_effective": "import math\n"
    + function(
        "effective_draws",
        "log_weights",
        LSE
        + "w = [math.exp(x - top) for x in log_weights]\nreturn sum(w)**2 / sum(v*v for v in w)",
    ),
    "is_draws": function(
        "draws_needed",
        "chi2, error",
        "product = 1.0\nfor c in chi2:\n    product *= 1 + c\nreturn (product - 1) / error / error",
    ),
}
SCIPY = {
    "is_log_mean": "from scipy.special import logsumexp\n"
    "log_mean_weight = lambda w: logsumexp(w) - np.log(len(w))",
    "is_effective": function(
        "effective_draws",
        "log_weights",
        "return np.exp(2 * logsumexp(log_weights) - logsumexp(2 * np.asarray(log_weights)))",
    ),
    "is_draws": "draws_needed = lambda chi2, error: "
    "np.asarray(np.expm1(np.log1p(chi2).sum()) / error**2)",
}
RIGHT_EFFECTIVE = function(
    "effective_draws",
    "log_weights",
    "w = np.exp(log_weights - np.max(log_weights))\nreturn w.sum() ** 2 / (w @ w)",
)
RIGHT_LOG_MEAN = (
    "top = np.max(log_weights)\nreturn top + np.log(np.mean(np.exp(log_weights - top)))"
)

HONEST = {
    "reference": Case(lambda notebook: notebook),
    "only one answered": Case(without(LOG_MEAN, EFFECTIVE), (LOG_MEAN, EFFECTIVE)),
    "pure Python": Case(answers(**PURE)),
    "SciPy, imported by another answer": Case(answers(**SCIPY)),
    "debug prints and warnings": Case(
        log_mean(
            "import warnings\nprint('here', np.shape(log_weights), 0.5)\n"
            "warnings.warn('look out')\nnp.log(np.zeros(2))\n" + RIGHT_LOG_MEAN
        )
    ),
    "prints with every call": Case(
        draws("print('called with', error)\nreturn (np.prod(1 + np.asarray(chi2)) - 1) / error**2")
    ),
    "a helper in another answer": Case(
        both(
            log_mean(
                "w, top = scaled(log_weights)\nreturn top + np.log(w.mean())",
                "def scaled(v):\n    return np.exp(v - np.max(v)), np.max(v)\n\n",
            ),
            effective("w, _ = scaled(log_weights)\nreturn w.sum() ** 2 / (w @ w)"),
        )
    ),
    "split cell": Case(
        both(answers(is_effective="from math import exp\n" + RIGHT_EFFECTIVE), split(EFFECTIVE, 1)),
        says="2 answer cells",
    ),
    "an old attempt in a copy": Case(
        copied(EFFECTIVE, "def effective_draws(log_weights):\n    return 1", after=0),
        says="the last definition counts",
    ),
    "an old attempt with a typing error": Case(copied(EFFECTIVE, "def effective_draws(:", after=0)),
    "a wrong attempt after the right one": Case(
        copied(EFFECTIVE, "def effective_draws(log_weights):\n    return 1", after=1),
        (EFFECTIVE,),
        "the last definition counts",
    ),
    "a magic": Case(answers(is_effective="%matplotlib inline\n" + RIGHT_EFFECTIVE)),
    "float32, a 0-d array": Case(
        both(log_mean(f"{RIGHT_LOG_MEAN.replace('return', 'value =')}\nreturn np.asarray(value)"))
    ),
    "another kernelspec": Case(kernelspec),
    "outputs cleared": Case(outputs("")),
    "outputs edited": Case(outputs("log-weights moved by 0: 99.0000\n")),
    "Windows line ends": Case(of_lines("\r\n")),
    "cells added, with errors": Case(added("x = 1 / 0", "my_helper = 3"), says="a cell was added"),
    "half a character": Case(
        answers(is_effective=f"word = '\ud800'\n{RIGHT_EFFECTIVE}"),
    ),
    "seed and inputs changed": Case(
        lambda notebook: (
            (cell(notebook, "is-setup").update(source="import numpy as np\nSEED = 4")) or notebook
        )
    ),
}

WRONG = {
    "no answer": Case(without(*ALL), ALL, "not answered"),
    "no log-sum-exp": Case(
        both(
            log_mean("return np.log(np.mean(np.exp(log_weights)))"),
            effective("w = np.exp(log_weights)\nreturn w.sum()**2 / (w @ w)"),
        ),
        (LOG_MEAN, EFFECTIVE),
        "take out the largest",
    ),
    "mean for the maximum": Case(
        log_mean(
            "top = np.mean(log_weights)\nreturn top + np.log(np.mean(np.exp(log_weights-top)))"
        ),
        (LOG_MEAN,),
        "take out the largest log-weight",
    ),
    "sum for mean": Case(
        log_mean(RIGHT_LOG_MEAN.replace("np.mean", "np.sum")),
        (LOG_MEAN,),
        "average the weights, then take the logarithm",
    ),
    "mean of the logarithms": Case(
        log_mean("return np.mean(log_weights)"), (LOG_MEAN,), "average the weights"
    ),
    "error for its square": Case(
        draws("return (np.prod(1 + np.asarray(chi2)) - 1) / error"), (DRAWS,), "square it"
    ),
    "variances added": Case(
        draws("return np.sum(chi2) / error**2"), (DRAWS,), "second moments multiply"
    ),
    "a typing error": Case(
        answers(is_effective="def effective_draws(log_weights:"), (EFFECTIVE,), "SyntaxError"
    ),
    "an error": Case(effective("return log_weights.nothing"), (EFFECTIVE,), "AttributeError"),
    "another name": Case(
        answers(is_effective=RIGHT_EFFECTIVE.replace("effective_draws", "effective")),
        (EFFECTIVE,),
        "NameError",
    ),
    "None": Case(effective("log_weights.max()"), (EFFECTIVE,), "TypeError"),
    "turned into text": Case(as_text(EFFECTIVE), (EFFECTIVE,), "turned into text"),
    "answer cell deleted": Case(
        lambda notebook: notebook["cells"].remove(cell(notebook, EFFECTIVE)) or notebook,
        (EFFECTIVE,),
        "there is no answer cell",
    ),
    "checks deleted": Case(drop_checks, ALL, "the check was deleted"),
    "checks made pass": Case(for_all_checks(source="pass"), ALL, "the check was changed"),
    "checks made text": Case(for_all_checks(cell_type="markdown"), ALL, "the check was deleted"),
    "checks tagged to raise": Case(tag_checks("raises-exception"), ALL),
    "checks tagged to be skipped": Case(tag_checks("nbval-skip"), ALL),
    "checks with a comment that disarms": Case(
        for_all_checks(source="# NBVAL_RAISES_EXCEPTION\nassert False"), ALL
    ),
    "wrong, output edited": Case(
        both(without(EFFECTIVE), outputs("spread 0.5: 390.34 of 500 draws are effective\n")),
        (EFFECTIVE,),
    ),
    "an answer that nbval is to skip": Case(
        answers(is_effective="# NBVAL_SKIP\n# NBVAL_CHECK_OUTPUT\nraise NotImplementedError()"),
        (EFFECTIVE,),
    ),
}

# What the checks of EFFECTIVE print in the release, which everybody knows.
KNOWN = (
    "spread 0.5: 390.34 of 500 draws are effective\\n"
    "spread 1.5: 71.62 of 500 draws are effective\\n"
)


def hostile(text, **more):
    """Run something, and give no answer of worth."""
    return Case(answers(is_effective=text), (EFFECTIVE,), **more)


QUIET = "def effective_draws(log_weights):\n    return 1.0\n"
SHELL = "get_ipython()"
ORACLE = '''
import ast, gc, inspect, sys

def effective_draws(log_weights):
    """Look for the right value in the check that calls."""
    frame = sys._getframe(1)
    texts = [f.f_locals.get("raw_cell") for f in iter_frames(frame)]
    texts += [o for o in gc.get_objects() if isinstance(o, str)]
    found = []
    for text in filter(None, texts):
        if not isinstance(text, str) or "effective_draws" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "isclose":
                source = ast.unparse(node.args[1])
                try:
                    found.append(eval(source, frame.f_globals, {**frame.f_locals}))
                except Exception:
                    pass
    calls.append(len(calls))
    return found[min(calls[-1], len(found) - 1)]

def iter_frames(frame):
    while frame:
        yield frame
        frame = frame.f_back

calls = []
'''
ALWAYS = """
class Always(float):
    def __eq__(self, other): return True
    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__
    def __array_ufunc__(self, *a, **k): return np.True_
    def __array_function__(self, *a, **k): return np.True_
    def __bool__(self): return True
    def __format__(self, spec): return "390.34"
    __hash__ = float.__hash__

def effective_draws(log_weights):
    return Always(1)
"""
FORGE = f"""
import sys
kernel = {SHELL}.kernel
def effective_draws(log_weights):
    for _ in range(3):
        kernel.session.send(kernel.iopub_socket, "stream",
                            {{"name": "stdout", "text": "{KNOWN}"}}, parent=kernel.get_parent())
    kernel.session.send(kernel.iopub_socket, "status",
                        {{"execution_state": "idle"}}, parent=kernel.get_parent())
    return 1.0
"""
PATCHED = """
import builtins, numpy
numpy.isclose = numpy.allclose = numpy.isfinite = lambda *a, **k: True
"""


def thousand_cells(notebook):
    """Fill up an answer with cells that wait; the right one stands before them."""
    one = {**copy.deepcopy(cell(notebook, EFFECTIVE)), "source": "effective_draws = None"}
    number = notebook["cells"].index(cell(notebook, EFFECTIVE)) + 1
    notebook["cells"][number:number] = [copy.deepcopy(one) for _ in range(1000)]
    return notebook


HOSTILE = {
    "prints the book's output": hostile(
        f"def effective_draws(w):\n    print('{KNOWN}')\n    raise SystemExit"
    ),
    "prints every possible output": hostile(
        "def effective_draws(w):\n"
        "    for s in (0.5, 1.5):\n"
        "        print(*(f'spread {s}: {i / 100:.2f} of 500 draws are effective'\n"
        "                for i in range(50_001)), sep='\\n')\n"
        "    return 7.0 if len(w) == 7 else 1.0 if len(w) == 3 else 1.6\n"
    ),
    "prints over it with carriage returns": hostile(
        PATCHED + "def effective_draws(w):\n    print('x\\r' * 1000 + '\\b' * 99)\n    return 1.0\n"
    ),
    "an input transformer": hostile(
        f'{SHELL}.input_transformers_post.append(lambda lines: [\'print("""{KNOWN}""")\'])'
    ),
    "patched isclose": hostile(PATCHED + QUIET),
    "patched isclose, the known numbers": hostile(
        PATCHED + "def effective_draws(w, n=[0]):\n"
        "    n[0] += 1\n    return [7, 1, 1.6, 390.34, 71.62][min(n[0], 5) - 1]\n"
    ),
    "patched showtraceback": hostile(
        f"type({SHELL}).showtraceback = lambda *a, **k: print('{KNOWN}')\n"
        f"{SHELL}.set_custom_exc((BaseException,), lambda *a, **k: print('{KNOWN}'))"
    ),
    "patched run_cell": hostile(
        f"shell = {SHELL}\nold = shell.run_cell_async\n"
        "async def run(*a, **k):\n"
        f"    print('{KNOWN}')\n    return await old('pass')\n"
        "shell.run_cell_async = run\ntype(shell).run_cell_async = lambda self, *a, **k: run()\n"
    ),
    "patched print and AssertionError": hostile(
        "import builtins\nold = print\n"
        f"builtins.print = lambda *a, **k: old('{KNOWN}')\n"
        "builtins.AssertionError = type('Quiet', (Exception,), {})\n" + QUIET
    ),
    "patched generator": hostile(
        "import numpy\nold = numpy.random.default_rng\n"
        "numpy.random.default_rng = lambda *a: old(3)\n" + RIGHT_EFFECTIVE
    ),
    "the seed set back": hostile("SEED = 3\n" + RIGHT_EFFECTIVE),
    "an always-equal object": hostile(ALWAYS),
    "asks the check through its frames": hostile(ORACLE),
    "asks the history": hostile(
        "def effective_draws(w):\n    return eval(In[-1].split('isclose(')[1].split(',')[1])"
    ),
    "forged messages": hostile(FORGE),
    "sockets closed": hostile(
        f"def effective_draws(w):\n    {SHELL}.kernel.iopub_socket.close()\n    return 1.0",
        sandbox=True,
    ),
    "stdout closed": hostile("import sys\nsys.stdout.close()\nsys.stdout = None\n" + QUIET),
    "a time bomb": hostile(
        "import atexit, os, threading\n"
        "atexit.register(os._exit, 0)\nthreading.Timer(0.3, os._exit, [0]).start()\n"
        "def effective_draws(w):\n    import time; time.sleep(1); return 1.0\n"
    ),
    "a time bomb that patches later": hostile(
        "import builtins, threading\n"
        f"def later():\n    {SHELL}.user_ns['np'].isclose = lambda *a: True\n"
        "threading.Timer(0.0, later).start()\n" + QUIET
    ),
    "sys.exit": hostile("import sys; sys.exit(0)"),
    "sys.exit in the function": hostile("def effective_draws(w):\n    import sys; sys.exit(0)"),
    "os._exit": hostile("import os; os._exit(0)", says="the kernel died"),
    "os._exit in the function": hostile(
        "def effective_draws(w):\n    import os; os._exit(0)", says="the kernel died"
    ),
    "quit": hostile(f"print('{KNOWN}'); quit()"),
    "kills its parent": hostile(
        "import os, signal\n"
        "for pid in (os.getppid(), 1):\n"
        "    try: os.kill(pid, signal.SIGKILL)\n"
        "    except OSError: pass\n",
        sandbox=True,
    ),
    "kills everything": hostile("import os\nos.kill(-1, 9)", sandbox=True),
    "an endless loop": hostile("while True: pass", says="in time"),
    "an endless function": hostile("def effective_draws(w):\n    while True: pass", says="in time"),
    "a loop deaf to interrupts": hostile(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n",
        says="in time",
    ),
    "6 GB": hostile("held = bytearray(6 * 10**9)\n" + QUIET, says="MemoryError", sandbox=True),
    "memory bit by bit": hostile(
        "def effective_draws(w):\n    held = []\n    while True: held.append(bytearray(10**8))",
        sandbox=True,
    ),
    "a fork bomb": hostile("import os\nwhile True: os.fork()", sandbox=True),
    "a fork bomb that catches": hostile(
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", sandbox=True
    ),
    "threads without end": hostile(
        "import threading, time\nthreading.stack_size(65536)\n"
        "def effective_draws(w):\n"
        "    while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
        sandbox=True,
    ),
    "a process left behind": hostile(
        "import subprocess\nsubprocess.Popen(['sleep', '98765'], start_new_session=True)\n",
        sandbox=True,
    ),
    "endless output": hostile("while True: print('x' * 10_000)", sandbox=True),
    "one line of 50 MB": hostile(
        "def effective_draws(w):\n    print('x' * 50_000_000)\n    return 1.0", sandbox=True
    ),
    "files without end": hostile(
        "n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'wb').write(b'0' * 10**6)", sandbox=True
    ),
    "the library's answer": hostile(
        "from latent_em.importance import effective_sample_size as effective_draws", sandbox=True
    ),
    "the library, loaded from where it may be": hostile(
        "import glob, importlib.util, sys\n"
        "found = [p for base in ['/', *sys.path] for p in\n"
        "         glob.glob(f'{base}/**/importance*.py*', recursive=True)]\n"
        "spec = importlib.util.spec_from_file_location('lib', found[0])\n"
        "lib = importlib.util.module_from_spec(spec); spec.loader.exec_module(lib)\n"
        "effective_draws = lib.effective_sample_size\n",
        sandbox=True,
    ),
    "looks for the reference": hostile(
        "import glob, json\n"
        "for path in glob.glob('/**/03_importance_sampling.ipynb', recursive=True):\n"
        "    for c in json.load(open(path))['cells']:\n"
        "        if c['metadata'].get('nbgrader', {}).get('grade_id') == 'is-effective':\n"
        "            exec(''.join(c['source']))\n",
        sandbox=True,
    ),
    "looks for what is expected": hostile(
        "import glob, json\n"
        "for path in glob.glob('/**/checks.json', recursive=True):\n"
        "    found = json.load(open(path))\n"
        "def effective_draws(w):\n"
        "    print(found['is-effective-check']['checks'][0]['printed'])\n    raise SystemExit\n",
        sandbox=True,
    ),
    "calls the network": hostile(
        "import socket\nsocket.create_connection(('127.0.0.1', 80), 2)\n"
        + RIGHT_EFFECTIVE
        + "raise SystemExit\ndel effective_draws",
        sandbox=True,
    ),
    "SEED through the setup of another answer": hostile(
        "def __getattr__(name): return 3\nglobals().update(SEED=3)\n" + RIGHT_EFFECTIVE
    ),
    "a line of digits": hostile(
        "def effective_draws(w):\n    print('1' * 900 + 'x')\n    return 1.0"
    ),
    "an answer of a megabyte": Case(
        answers(is_effective=f"x = [{'0,' * 500_000}]\n{RIGHT_EFFECTIVE}"),
        (EFFECTIVE,),
        "may have 100000 characters",
    ),
    "cells that wait, one after the other": Case(
        both(*[copied(EFFECTIVE, "import time; time.sleep(12)", after=0) for _ in range(19)]),
        (EFFECTIVE,),
        "in time",
    ),
    "a thousand cells": Case(thousand_cells, (EFFECTIVE,), "20 answer cells"),
}


def write(text):
    """Hand in a file of this text, or these bytes."""

    def change(_):
        return text

    return change


FILES = {
    "truncated": Case(lambda notebook: json.dumps(notebook)[:2000], ALL, "is no notebook"),
    "empty": Case(write(""), ALL, "is no notebook"),
    "binary": Case(write(b"\x00\xff" * 99), ALL, "is no notebook"),
    "a list": Case(write("[]"), ALL, "is no notebook"),
    "no cells": Case(write('{"cells": 3}'), ALL, "is no notebook"),
    "strange cells": Case(
        write('{"cells": [{"cell_type": [], "metadata": null, "source": {"a": 1}}, {}]}'), ALL
    ),
    "very deep": Case(write("[" * 200_000), ALL, "is no notebook"),
    "100 MB": Case(
        lambda notebook: json.dumps(outputs("x" * 12_000_000)(notebook)), ALL, "clear outputs"
    ),
}


def hand_in(folder: Path, case: Case, notebook: dict):
    """Write into a folder what the student of a case hands in."""
    folder.mkdir(parents=True)
    made = case.change(copy.deepcopy(notebook))
    data = made if isinstance(made, str | bytes) else json.dumps(made)
    (folder / f"{NAME}.ipynb").write_bytes(data if isinstance(data, bytes) else data.encode())


def no_file(folder, notebook):
    folder.mkdir(parents=True)


def link_to_neighbour(folder, notebook):
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").symlink_to(f"../reference/{NAME}.ipynb")


def link_of_a_folder(folder, notebook):
    folder.symlink_to("reference")


def link_inside(folder, notebook):
    folder.mkdir(parents=True)
    (folder / "work").symlink_to("../reference")


def pipe(folder, notebook):
    folder.mkdir(parents=True)
    os.mkfifo(folder / f"{NAME}.ipynb")


def a_folder(folder, notebook):
    (folder / f"{NAME}.ipynb").mkdir(parents=True)


def whole_release(folder, notebook):
    """Hand in the whole folder, with other things beside the notebook."""
    below = folder / "my work" / "book" / "exercises"
    hand_in(below, HONEST["reference"], notebook)
    (below / "conftest.py").write_text("raise SystemExit('conftest was run')")
    (below / "numpy.py").write_text("raise SystemExit('numpy.py was run')")
    (below / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    (below / "checks.json").write_text("{}")
    (below / "course.toml").write_text("practice = 3")


class Folder(NamedTuple):
    """A folder that is handed in, what is lost, and what the notes must say."""

    make: Callable[[Path, dict], None]
    lost: tuple[str, ...] = ALL
    says: str = ""


FOLDERS = {
    "no file": Folder(no_file, says="no file"),
    "a link to a neighbour": Folder(link_to_neighbour, says="symbolic link"),
    "a link for a folder": Folder(link_of_a_folder, says="symbolic link"),
    "a link in the folder": Folder(link_inside, says="no file"),
    "a pipe": Folder(pipe, says="no regular file"),
    "a folder for a file": Folder(a_folder, says="no file"),
    "the whole release, with conftest.py": Folder(whole_release, ()),
}
