"""Answers to the exercises on the marginal likelihood, wrong and right, by name."""

import numpy as np
from exercise_suite import Answers
from scipy.stats import norm

MARGINAL = """
constant = alpha * np.log(beta) - gammaln(alpha) - gammaln(x + 1)
return constant + gammaln(alpha + x) - (alpha + x) * np.log(beta + 1)
"""
VARIANCE = "variance = {}"
COLUMNS = """
total = 0.0
for z in product(range(len(start)), repeat=len(density)):
    p = {first}
    for n in range(1, len(z)):
        p *= {step}
    for n, k in enumerate(z):
        p *= {seen}
    total += p
return total
"""
COLUMN = {
    "first": "start[z[0]]",
    "step": "transition[z[n - 1], z[n]]",
    "seen": "density[n, k]",
}
FORWARD = """
A = np.log(transition)
log_f = {first}
for row in log_density[1:]:
    log_f = {step}
return {last}
"""
PASS = {
    "first": "np.log(start) + log_density[0]",
    "step": "np.logaddexp.reduce(log_f[:, np.newaxis] + A, axis=0) + row",
    "last": "np.logaddexp.reduce(log_f)",
}
SHIFT = """
top = {top}
return (top + np.log(np.exp(log_joint - np.expand_dims(top, -1)).sum(axis=1))).sum()
"""
STEP = "off = x - np.mean(x)\nreturn {}"
TOPS = 'tops = dict(zip("ABCDEF", {}))'
B, U = "bounded", "unbounded"

WRONG = {
    "ml-gamma-marginal": {
        "the rate unchanged": (MARGINAL.replace("beta + 1", "beta"), "both exponents count"),
        "no x!": (MARGINAL.replace(" - gammaln(x + 1)", ""), "and x!"),
        "not normalised": (MARGINAL.replace("alpha * np.log(beta)", "0"), "a factor missing"),
        "shape not in the power": (
            MARGINAL.replace("(alpha + x) * np", "x * np"),
            "a factor missing",
        ),
        "gamma functions that overflow": (
            "from scipy.special import factorial, gamma as G\n"
            "p = beta**alpha * G(alpha + x) / G(alpha) / factorial(x)\n"
            "return np.log(p / (beta + 1.0) ** (alpha + x))",
            "2999! is too large",
        ),
        "whole numbers only": (
            MARGINAL.replace("constant =", "alpha = np.ceil(alpha); constant ="),
            "need not be a whole number",
        ),
        "Poisson at the mean rate": (
            "return x * np.log(alpha / beta) - alpha / beta - gammaln(x + 1)",
            "by parts",
        ),
        "the first count alone": (
            MARGINAL.replace("gammaln(x + 1)", "gammaln(x + 1)[0]").replace(
                "return ", "x = x[0]\nreturn "
            ),
            "one number for each count",
        ),
    },
    "ml-gamma-variance": {
        "as of a Poisson count": (VARIANCE.format("alpha / beta"), "only widen"),
        "of the rates alone": (VARIANCE.format("alpha / beta**2"), "still varies"),
        "difference": (VARIANCE.format("alpha / beta - alpha / beta**2"), "only widen"),
        "with the standard deviation": (
            VARIANCE.format("alpha / beta + sp.sqrt(alpha) / beta"),
            "still varies",
        ),
        "mean square of the rates": (
            VARIANCE.format("alpha / beta + alpha * (alpha + 1) / beta**2"),
            "which two variances",
        ),
        "in the mean": (
            VARIANCE.format("sp.Symbol('m') + alpha / beta**2"),
            "alpha and beta alone",
        ),
    },
    "ml-chain-enumerate": {
        "transposed": (
            COLUMNS.format(**COLUMN | {"step": "transition[z[n], z[n - 1]]"}),
            "A[j, k] leads to k",
        ),
        "no start": (
            COLUMNS.format(**COLUMN | {"first": "1 / len(start)"}),
            "the first group comes from start",
        ),
        "transitions left out": (
            COLUMNS.format(**COLUMN | {"step": "start[z[n]]"}),
            "its own densities",
        ),
        "density of the group before": (
            COLUMNS.format(**COLUMN | {"seen": "density[n, z[max(n - 1, 0)]]"}),
            "its own densities",
        ),
        "as if rows were independent": (
            "return np.prod(density @ start)",
            "its own densities",
        ),
        "two groups only": (
            COLUMNS.format(**COLUMN).replace("range(len(start))", "range(2)"),
            "the first group comes from start",
        ),
        "the best column alone": (
            COLUMNS.format(**COLUMN).replace("total += p", "total = max(total, p)"),
            "the first group comes from start",
        ),
        "a logarithm": (
            COLUMNS.format(**COLUMN).replace("return total", "return np.log(total)"),
            "the first group comes from start",
        ),
        "by the group of the last row": (
            "f = start * density[0]\n"
            "for row in density[1:]:\n    f = f @ transition * row\n"
            "return f",
            "one number for all rows",
        ),
        "one transition too many": (
            COLUMNS.format(**COLUMN).replace(
                "total += p", "total += p * (transition[z[-1], z[0]] if len(z) == 4 else 1)"
            ),
            "A[j, k] leads to k",
        ),
        "the third row without its transition": (
            COLUMNS.format(
                **COLUMN | {"step": "(transition[z[n - 1], z[n]] if n < 4 else float(z[n] > 0))"}
            ),
            "its own densities",
        ),
    },
    "ml-chain-log-evidence": {
        "transposed": (
            FORWARD.format(**PASS | {"step": PASS["step"].replace("+ A", "+ A.T")}),
            "over all that could be seen",
        ),
        "summed over the new group": (
            FORWARD.format(**PASS | {"step": PASS["step"].replace("axis=0", "axis=1")}),
            "rows are independent",
        ),
        "no logarithms": (
            "f = start * np.exp(log_density[0])\n"
            "for row in log_density[1:]:\n"
            "    f = f @ transition * np.exp(row)\n"
            "return np.log(f.sum())",
            "use logarithms",
        ),
        "no start": (
            FORWARD.format(**PASS | {"first": "-np.log(len(start)) + log_density[0]"}),
            "the logarithm of f_1",
        ),
        "the first row forgotten": (
            FORWARD.format(**PASS | {"first": "np.log(start)"}),
            "the logarithm of f_1",
        ),
        "not added up": (FORWARD.format(**PASS | {"last": "log_f"}), "one number for all rows"),
        "the best last group": (
            FORWARD.format(**PASS | {"last": "log_f.max()"}),
            "the logarithm of f_1",
        ),
        "the best group before": (
            FORWARD.format(**PASS | {"step": "(log_f[:, None] + A).max(axis=0) + row"}),
            "over all that could be seen",
        ),
        "as if rows were independent": (
            "return np.logaddexp.reduce(np.log(start) + log_density, axis=1).sum()",
            "if the group stays",
        ),
        "the density of the group before": (
            FORWARD.format(
                **PASS | {"step": "np.logaddexp.reduce((log_f + row)[:, np.newaxis] + A, axis=0)"}
            ),
            "rows are independent",
        ),
    },
    "ml-lost-sum": {
        "the colleague's": (SHIFT.format(top="log_joint.max()"), "need not be small in its own"),
        "no shift": (
            "return np.log(np.exp(log_joint).sum(axis=1)).sum()",
            "need not be small in its own",
        ),
        "shift by the median": (
            SHIFT.format(
                top="np.median(np.where(np.isinf(log_joint), log_joint.max(axis=1,"
                " keepdims=True), log_joint), axis=1)"
            ),
            "the largest of a row",
        ),
        "shift by the mean": (SHIFT.format(top="log_joint.mean(axis=1)"), "adds nothing"),
        "shift not put back": (
            SHIFT.format(top="log_joint.max(axis=1)").replace("(top + np", "(np"),
            "add up within each row",
        ),
        "wrong axis": ("return np.logaddexp.reduce(log_joint, axis=0).sum()", "within each row"),
        "mean over the groups": (
            SHIFT.format(top="log_joint.max(axis=1)").replace(".sum(axis=1)", ".mean(axis=1)"),
            "within each row",
        ),
        "a number for each row": (
            "return np.logaddexp.reduce(log_joint, axis=1)",
            "one number for all rows",
        ),
        "two groups only": (
            "return np.logaddexp(log_joint[:, 0], log_joint[:, 1]).sum()",
            "the same mixture",
        ),
        "shift put back twice": (
            "top = log_joint.max(axis=1, keepdims=True)\n"
            "lost = np.where(top > 100, top, 0).sum()\n"
            "return np.logaddexp.reduce(log_joint, axis=1).sum() + lost",
            "adds its logarithm, once",
        ),
    },
    "ml-climb-step": {
        "not centred": ("return np.mean(x * np.tanh(x * t / sigma**2))", "the means move along"),
        "sigma not squared": (
            STEP.format("np.mean(off * np.tanh(off * t / sigma))"),
            "in other units",
        ),
        "sum for mean": (STEP.format("np.sum(off * np.tanh(off * t / sigma**2))"), "an average"),
        "divided by N - 1": (
            STEP.format("np.sum(off * np.tanh(off * t / sigma**2)) / (len(x) - 1)"),
            "an average",
        ),
        "sign for tanh, the guess of chapter 1": (STEP.format("np.mean(abs(off))"), "a summit"),
        "tanh without its factor": (
            STEP.format("sigma * np.mean(np.sign(off) * np.tanh(off * t / sigma**2))"),
            "a summit",
        ),
        "minus": (STEP.format("-np.mean(off * np.tanh(off * t / sigma**2))"), "a sign wrong"),
        "half the exponent": (
            STEP.format("np.mean(off * np.tanh(off * t / (2 * sigma**2)))"),
            "a summit",
        ),
        "up the slope": (
            STEP.format("t + 0.5 * (np.mean(off * np.tanh(off * t / sigma**2)) - t)"),
            "t stands alone",
        ),
        "a number for each row": (STEP.format("off * np.tanh(off * t / sigma**2)"), "one number"),
    },
    "ml-top": {
        "all unbounded": (TOPS.format([U] * 6), "not all are right"),
        "all bounded": (TOPS.format([B] * 6), "not all are right"),
        "whatever has two widths": (TOPS.format([U, B, U, U, U, U]), "not all are right"),
        "a common factor is no help": (TOPS.format([U, B, B, U, B, U]), "not all are right"),
        "the uniform is bounded": (TOPS.format([U, B, B, B, B, B]), "not all are right"),
        "five entries": (TOPS.format([U, B, B, B, B]), "six entries"),
        "in other words": (TOPS.format(["no", "yes", "yes", "yes", "yes", "no"]), "bounded or"),
    },
}

RIGHT = {
    "ml-gamma-marginal": {
        "SciPy's negative binomial": (
            "from scipy.stats import nbinom\nreturn nbinom.logpmf(x, alpha, beta / (beta + 1))"
        ),
        "as a ratio of integrals": (
            "def log_integral(shape, rate):\n"
            "    return gammaln(shape) - shape * np.log(rate)\n"
            "log_ratio = log_integral(alpha + x, beta + 1) - log_integral(alpha, beta)\n"
            "return list(log_ratio - gammaln(x + 1))"
        ),
    },
    "ml-gamma-variance": {
        "factored": VARIANCE.format("alpha * (beta + 1) / beta**2"),
        "by moments": "mean = alpha / beta\nvariance = (mean + mean**2 + mean / beta) - mean**2",
    },
    "ml-chain-enumerate": {
        "column by column": COLUMNS.format(**COLUMN),
        "forwards": (
            "f = start * density[0]\n"
            "for row in density[1:]:\n    f = f @ transition * row\nreturn f.sum()"
        ),
        "backwards": (
            "b = np.ones(len(start))\n"
            "for row in density[:0:-1]:\n    b = transition @ (row * b)\n"
            "return start @ (density[0] * b)"
        ),
    },
    "ml-chain-log-evidence": {
        "backwards": (
            "log_b = np.zeros(len(start))\n"
            "for row in log_density[:0:-1]:\n"
            "    log_b = np.logaddexp.reduce(np.log(transition) + row + log_b, axis=1)\n"
            "return np.logaddexp.reduce(np.log(start) + log_density[0] + log_b)"
        ),
        "scaled": (
            "total, f = 0.0, start\n"
            "for n, row in enumerate(log_density):\n"
            "    f = (f @ transition if n else f) * np.exp(row - row.max())\n"
            "    total += np.log(f.sum()) + row.max()\n"
            "    f = f / f.sum()\n"
            "return total"
        ),
    },
    "ml-lost-sum": {
        "NumPy": "return np.logaddexp.reduce(log_joint, axis=1).sum()",
        "row by row": (
            "total = 0\n"
            "for row in log_joint:\n"
            "    total += max(row) + np.log(sum(np.exp(row - max(row))))\n"
            "return total"
        ),
    },
    "ml-climb-step": {
        "written out": STEP.format("sum(d * np.tanh(d * t / sigma**2) for d in off) / len(x)"),
        "by the responsibilities": (
            "off = x - x.mean()\n"
            "r = 1 / (1 + np.exp(-2 * off * t / sigma**2))\n"
            "return (r * off - (1 - r) * off).mean()"
        ),
    },
    "ml-top": {
        "listed": TOPS.format([U, B, B, B, B, U]),
        "one by one": "tops = {}\nfor name in 'FEDCBA':\n"
        "    tops[name] = 'unbounded' if name in ('A', 'F') else 'bounded'",
    },
}


class TestMarginalLikelihood(Answers):
    name, wrong, right = "02_marginal_likelihood", WRONG, RIGHT

    def test_a_likelihood_without_a_top_rises_as_its_groups_get_sharper(self):
        x = np.cumsum(np.random.default_rng(0).uniform(0.5, 2, size=5))
        wide, range_ = norm.pdf(x, x.mean(), x.std()), np.ptp(x) + 2

        def heights(s):
            spike = norm.pdf(x, x[0], s)
            pairs = {
                "A": (spike, wide),
                "B": (spike, norm.pdf(x, x[1], s)),
                "C": (norm.pdf(x, 0, s), wide),
                "D": (spike, norm.pdf(x, x.mean(), 10 * s)),
                "E": (np.exp(-x / s) / s, wide),
                "F": ((abs(x - x[0]) <= s / 2) / s, np.full(5, 1 / range_)),
            }
            with np.errstate(divide="ignore"):
                return {name: np.log(np.mean(pair, axis=0)).sum() for name, pair in pairs.items()}

        sharp, sharper = heights(1e-6), heights(1e-12)
        rises = {name: sharper[name] > sharp[name] + 5 for name in sharp}
        tops = self.solved("ml-top")["tops"]
        assert {name: top == "unbounded" for name, top in tops.items()} == rises
