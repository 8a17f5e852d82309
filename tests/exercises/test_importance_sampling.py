"""Answers to the exercises on importance sampling, wrong and right, by name."""

from exercise_suite import Answers

LOGS = "v = np.asarray(log_weights)\n"
SCALED = LOGS + "w = np.exp(v - np.max(v))\n"
SCIPY = LOGS + "from scipy.special import logsumexp\n"

WRONG = {
    "is-log-mean": {
        "no shift": (LOGS + "return np.log(np.mean(np.exp(v)))", "take out the largest"),
        "shift by the mean": (
            LOGS + "t = np.mean(v)\nreturn t + np.log(np.mean(np.exp(v - t)))",
            "take out the largest",
        ),
        "shift by the median": (
            LOGS + "t = np.median(v)\nreturn t + np.log(np.mean(np.exp(v - t)))",
            "take out the largest log-weight, not another one",
        ),
        "mean of the logarithms": (LOGS + "return np.mean(v)", "average the weights"),
        "sum for mean": (SCALED + "return np.max(v) + np.log(w.sum())", "average the weights"),
        "a number for each draw": (SCALED + "return np.max(v) + np.log(w)", "one number"),
        "shift not put back": (SCALED + "return np.log(w.mean())", "average the weights"),
    },
    "is-effective": {
        "no shift": (LOGS + "w = np.exp(v)\nreturn w.sum() ** 2 / (w @ w)", "a common factor"),
        "sum not squared": (SCALED + "return w.sum() / (w @ w)", "equal weights"),
        "in units of the largest": (SCALED + "return w.sum()", "the square of the sum"),
        "number of draws": (SCALED + "return len(w)", "one weight that has everything"),
        "not normalised": (SCALED + "return 1 / (w @ w)", "equal weights"),
    },
    "is-posterior-mean": {
        "no shift": (LOGS + "w = np.exp(v)\nreturn w @ values / w.sum()", "a common factor"),
        "over the draws": (SCALED + "return w @ values / len(w)", "weight the values"),
        "no weights": ("return np.mean(values)", "weight the values"),
        "not divided": (SCALED + "return w @ values", "weight the values"),
    },
    "is-shared": {
        "average posterior": ("return resp.mean(axis=0)", "not the average posterior"),
        "not normalised": ("return np.sqrt((resp**2).sum(axis=0))", "sums to one"),
        "a row for each observation": (
            "return resp / resp.sum()",
            "one probability for each component",
        ),
        "squares without the root": (
            "q = (resp**2).sum(axis=0)\nreturn q / q.sum()",
            "differentiate",
        ),
        "uniform": ("return np.full(3, 1 / 3)", "differentiate"),
        "halfway to the average": (
            "q = np.sqrt((resp**2).mean(axis=0)) + resp.mean(axis=0)\nreturn q / q.sum()",
            "a proposal close by is better",
        ),
    },
    "is-draws": {
        "variances added": ("return np.sum(chi2) / error**2", "second moments multiply"),
        "error not squared": (
            "return (np.prod(1 + np.asarray(chi2)) - 1) / error",
            "square it",
        ),
        "second moment for variance": (
            "return np.prod(1 + np.asarray(chi2)) / error**2",
            "relative variance",
        ),
        "variances multiplied": ("return np.prod(chi2) / error**2", "relative variance"),
    },
    "is-draws-apart": {
        "one draw for all": (
            "return (np.prod(1 + np.asarray(chi2)) - 1) / error**2",
            "no draw has",
        ),
        "error not squared": ("return np.sum(chi2) / error", "square it"),
        "mean for sum": ("return np.mean(chi2) / error**2", "each mean has a price"),
        "largest for all": ("return np.max(chi2) * len(chi2) / error**2", "each mean has a price"),
    },
}

RIGHT = {
    "is-log-mean": {
        "shifted": SCALED + "return float(np.max(v)) + float(np.log(w.mean()))",
        "SciPy, with a debug print": (
            SCIPY + "print(v)\nreturn np.array(logsumexp(v) - np.log(len(v)))"
        ),
    },
    "is-effective": {
        "of the shares": SCALED + "p = w / w.sum()\nreturn 1 / (p @ p)",
        "in logarithms": SCIPY + "return np.exp(2 * logsumexp(v) - logsumexp(2 * v))",
    },
    "is-posterior-mean": {
        "NumPy's average": SCALED + "return np.average(values, weights=w)",
        "shares, added up": SCALED + "return sum(w / w.sum() * np.asarray(values))",
    },
    "is-shared": {
        "norms, as a list": "q = np.linalg.norm(resp, axis=0)\nreturn list(q / q.sum())",
        "component by component": (
            "q = [sum(k * k) ** 0.5 for k in resp.T]\nreturn [k / sum(q) for k in q]"
        ),
    },
    "is-draws": {
        "in logarithms": "return np.expm1(np.log1p(chi2).sum()) / error**2",
        "pure Python": ("import math\nreturn (math.prod(1 + k for k in chi2) - 1) / error / error"),
    },
    "is-draws-apart": {
        "pure Python": "return sum(chi2) / error**2",
        "by the mean": "return np.asarray(np.mean(chi2) * len(chi2) * error**-2)",
    },
}


class TestImportanceSampling(Answers):
    name, wrong, right = "03_importance_sampling", WRONG, RIGHT
    unreached = frozenset({"and excludes no component", "the product must be right to the error"})
