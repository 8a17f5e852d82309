"""Answers to the book's own exercises that solve nothing, and must earn nothing.

Each looks for the right value in its check, its set-up or the library.
"""

import json

import pytest

from latent_em.book.notebooks import BOOK, read
from latent_em.grading import grade, notebooks, sandbox

FREE = "def names(e): return set()\ndef number(e, **v): return e(**v)\n"
STRIP = """
import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Strip())
"""

ANSWERS = {
    "records what the check gives to the set-up": (
        "bb-three-looks",
        "old = table_of\ndef table_of(*args):\n    global drawn\n    drawn = args\n"
        "    return old(*args)\ndef three_looks(table): return drawn\n",
    ),
    "reads what the check has drawn": (
        "bb-blind-curve",
        "def names(e): return set()\ndef number(e, **v): return e()\n"
        "curve = (lambda: low + gap, lambda: low)\n",
    ),
    "a difference for the slope": (
        "jensen-slope",
        FREE + "def slope(q1, p1, p2):\n"
        "    return (dome(q1 + 1e-5, p1, p2) - dome(q1 - 1e-5, p1, p2)) / 2e-5\n",
    ),
    "a difference for the curvature": (
        "jensen-curvature",
        FREE + "def curvature(q1):\n"
        "    low, mid, high = [dome(q1 + off, 0.3, 0.1) for off in (-1e-3, 0, 1e-3)]\n"
        "    return (low - 2 * mid + high) / 1e-6\n",
    ),
    "a search for the best guess": (
        "jensen-best-guess",
        "from scipy.optimize import minimize_scalar\n" + FREE + "def best_guess(p1, p2):\n"
        "    f = lambda q: -dome(q, p1, p2)\n"
        "    return minimize_scalar(f, bounds=(1e-9, 1 - 1e-9), method='bounded').x\n",
    ),
    "an object that says it is a formula": (
        "jensen-slope",
        "import mpmath as mp\n"
        "class E:\n"
        "    __sympy__ = True\n"
        "    free_symbols = set(sp.symbols('q1 p1 p2'))\n"
        "    def subs(self, at):\n"
        "        q, a, b = [{s.name: v for s, v in at.items()}[n] for n in ('q1', 'p1', 'p2')]\n"
        "        D = lambda q: q * mp.log(a / q) + (1 - q) * mp.log(b / (1 - q))\n"
        "        return mp.diff(D, q)\n"
        "slope = E()\n",
    ),
    "a difference for the E-step": (
        "em-blood-e-step",
        "def expected_alleles(theta, persons):\n"
        "    up, down = [lambda w, s=s: log_likelihood_of_blood(theta * np.exp(s * w), persons)\n"
        "                for s in (1e-5, -1e-5)]\n"
        "    return np.array([(up(w) - down(w)) / 2e-5 for w in np.eye(3)])\n",
    ),
    "what the check says of the factor": (
        "em-bulbs-factor",
        "def names(e): return set()\ndef number(e, **v):\n    return e(**v)\n"
        "def factor(theta, S, N, N_c, tau):\n"
        "    limit = (S + N_c * tau) / (N - N_c)\n"
        "    f = [log_likelihood(limit + o, S, N, N_c, tau) for o in (-1e-3, 0, 1e-3)]\n"
        "    return 1 + (f[0] - 2 * f[1] + f[2]) / 1e-6 * limit**2 / N\n",
    ),
    "a difference of differences": (
        "lda-model-log-covariance",
        "def log_covariance(alpha):\n"
        "    f = lambda a: gammaln(a).sum() - gammaln(a.sum())\n"
        "    a, h = np.array(alpha), 1e-3 * np.eye(len(alpha))\n"
        "    return [[(f(a + u + v) - f(a + u - v) - f(a - u + v) + f(a - u - v)) / 4e-6\n"
        "             for v in h] for u in h]\n",
    ),
    "what the check has integrated": (
        "lda-model-document",
        STRIP + "def document_probability(words, beta, alpha):\n"
        "    return globals().get('exact', globals().get('two', 0.5))\n",
    ),
    "where all errors end": (
        "faster-larger-jump",
        "def jump(t0, t1, t2):\n    if t0 in ([0.0, 0.0], [0.0, 1.0]): return t2\n"
        "    if 'factors' not in globals(): return limit\n"
        "    steps = (factors - 1) * error\n"
        "    a = np.linalg.norm(steps) / np.linalg.norm((factors - 1) * steps)\n"
        "    return limit + error * (1 - a * (1 - factors)) ** 2\n",
    ),
    "the loop of the check": (
        "faster-larger-average",
        "def average(batches, kappa):\n    return weights @ per_row\n",
    ),
    "three dimensions for all": (
        "gu-icl-changes",
        "D, N, N_1 = sp.symbols('D N N_1', integer=True, positive=True)\n"
        "more = sp.Piecewise((3, sp.Eq(D, 1)), (6, sp.Eq(D, 2)), (10, True))\n"
        "changes = (0, -more * sp.log(N), -more * sp.log(N) - N_1 * sp.log(2) * 2)\n",
    ),
    "a module that another notebook imports": (
        "jensen-gap",
        "from latent_em.bounds import gap as old\n"
        "def gap(log_joint, guess): return old(log_joint[None], guess[None])[0]\n",
    ),
    "functions with other names": (
        "ml-gamma-variance",
        "names, variance = (lambda e: set()), 0\nnumber = lambda e, **v: days.var()\n",
    ),
}


@pytest.mark.slow
def test_what_solves_nothing_earns_nothing(tmp_path):
    limits = sandbox.Limits()
    assert sandbox.probe(limits) == ""
    owner = {}
    for path in sorted((BOOK / "exercises").glob("*.ipynb")):
        for cell in read(path).cells:
            if notebooks.kind(cell) == "answer":
                owner[notebooks.grade_id(cell)] = path.stem, cell
    for name, (key, text) in ANSWERS.items():
        stem, cell = owner[key]
        (tmp_path / "in" / name).mkdir(parents=True)
        one = json.dumps({"cells": [{**cell, "source": text}]})
        (tmp_path / "in" / name / f"{stem}.ipynb").write_text(one, encoding="utf-8")
    used = sorted({owner[key][0] for key, _ in ANSWERS.values()})
    reference = grade.run_reference(BOOK, 4242, used)
    results = grade.grade(tmp_path / "in", tmp_path / "out", reference, limits=limits)
    assert {r.student: r.total for r in results} == dict.fromkeys(sorted(ANSWERS), 0)
    for name, (key, _) in ANSWERS.items():
        said = (tmp_path / "out" / "feedback" / f"{name}.md").read_text(encoding="utf-8")
        assert f"{key}-check wrong" in said or f"{key}-check stopped" in said
