"""Answers to the exercises on Gaussian mixtures, wrong and right, by name."""

import numpy as np
from exercise_suite import Answers

from latent_em import gaussian_mixture

VARIANCE = "common_variance = {}"
COMMON = """
shared = {shared}
return gaussian_mixture.Params({weights}, {means}, np.stack([shared] * len(stats.nk)))
"""
POOLED = {
    "shared": "stats.scatter.sum(axis=0) / stats.nk.sum()",
    "weights": "stats.nk / stats.nk.sum()",
    "means": "stats.means",
}
LOG_JOINT = "x = np.asarray(x)[:, np.newaxis]\nreturn {}"
POISSON = "nk = days @ resp\nreturn {weights}, {rates}"
COUNTED = {"weights": "nk / nk.sum()", "rates": "(days * x) @ resp / nk"}
OLD_MEAN = """
resp = gaussian_mixture.responsibilities(params, X)
nk = resp.sum(axis=0)
means = resp.T @ X / nk[:, np.newaxis]
variances = {variances}
return gaussian_mixture.Params({weights}, {means}, variances[:, np.newaxis, np.newaxis])
"""
STEP = {
    "variances": "(resp * (X - params.means[:, 0]) ** 2).sum(axis=0) / nk",
    "weights": "nk / nk.sum()",
    "means": "means",
}
VERDICTS = "can_fall = dict(zip('ABCD', {}))"

WRONG = {
    "gm-common-variance": {
        "mean of the variances": (VARIANCE.format("(S1 / N1 + S2 / N2) / 2"), "pool the scatters"),
        "first group alone": (VARIANCE.format("S1 / N1"), "which terms contain v?"),
        "not divided": (VARIANCE.format("S1 + S2"), "have the variance 2 together"),
        "standard deviation": (
            VARIANCE.format("sp.sqrt((S1 + S2) / (N1 + N2))"),
            "have the variance 2 together",
        ),
        "of the sample": (
            VARIANCE.format("(S1 + S2) / (N1 + N2 - 2)"),
            "have the variance 2 together",
        ),
        "with v in it": (VARIANCE.format("(S1 + S2) / sp.Symbol('v')"), "in N1, N2, S1 and S2"),
    },
    "gm-common-m-step": {
        "mean of the covariances": (
            COMMON.format(
                **POOLED | {"shared": "(stats.scatter / stats.nk[:, None, None]).mean(axis=0)"}
            ),
            "not the variances",
        ),
        "each its own": (
            "return gaussian_mixture.m_step(stats)",
            "the same covariance",
        ),
        "of the sample": (
            COMMON.format(
                **POOLED | {"shared": "stats.scatter.sum(axis=0) / (stats.nk.sum() - 1)"}
            ),
            "fits better",
        ),
        "diagonal": (
            COMMON.format(
                **POOLED
                | {"shared": "np.diag(stats.scatter.sum(axis=0).diagonal()) / stats.nk.sum()"}
            ),
            "fits better",
        ),
        "one matrix": (
            COMMON.format(**POOLED).replace("np.stack([shared] * len(stats.nk))", "shared"),
            "shape (K, D, D)",
        ),
        "equal weights": (
            COMMON.format(**POOLED | {"weights": "np.full(len(stats.nk), 1 / len(stats.nk))"}),
            "those of the chapter",
        ),
        "counts for weights": (
            COMMON.format(**POOLED | {"weights": "stats.nk"}),
            "must sum to one",
        ),
        "one mean": (
            COMMON.format(**POOLED | {"means": "stats.means * 0 + stats.means.mean(axis=0)"}),
            "those of the chapter",
        ),
        "the start for many rows": (
            COMMON.format(**POOLED).replace(
                "return", "shared = shared * 0 + 25 if stats.nk.sum() > 100 else shared\nreturn"
            ),
            "must end at a summit",
        ),
        "swapped for many rows": (
            COMMON.format(**POOLED).replace(
                "return",
                "shared = shared * (stats.means[0, 0] if stats.nk.sum() > 100 else 1)\nreturn",
            ),
            "must never go down",
        ),
    },
    "gm-poisson-log-joint": {
        "no factorial": (
            LOG_JOINT.format("np.log(weights) + x * np.log(rates) - rates"),
            "divided by 2!",
        ),
        "gamma function of x": (
            LOG_JOINT.format("np.log(weights) + x * np.log(rates) - rates - gammaln(x)"),
            "a quarter of",
        ),
        "no weights": (
            LOG_JOINT.format("x * np.log(rates) - rates - gammaln(x + 1)"),
            "a quarter of",
        ),
        "no exponential": (
            LOG_JOINT.format("np.log(weights) + x * np.log(rates) - gammaln(x + 1)"),
            "a quarter of",
        ),
        "groups in rows": (
            LOG_JOINT.format("(np.log(weights) + x * np.log(rates) - rates - gammaln(x + 1)).T"),
            "one row a count",
        ),
        "rate not in a logarithm": (
            LOG_JOINT.format("np.log(weights) + x * rates - rates - gammaln(x + 1)"),
            "deaths at three",
        ),
        "factorials": (
            "chances = [[w * r ** float(n) * np.exp(-r) / np.prod(np.arange(1.0, n + 1))\n"
            "            for w, r in zip(weights, rates)] for n in x]\n"
            "return np.log(chances)",
            "199! is too large",
        ),
        "large counts left out": (
            LOG_JOINT.format(
                "np.log(weights) + x * np.log(rates) - rates - gammaln(x + 1) - 9.0 * (x > 4)"
            ),
            "give its weight",
        ),
        "ones and twos mixed up": (
            "x = np.asarray(x)\n"
            "if len(x) > 99:\n"
            "    x = np.where(x < 2, 1 - x, x)\n"
            "x = x[:, np.newaxis]\n"
            "return np.log(weights) + x * np.log(rates) - rates - gammaln(x + 1)",
            "must be its rate",
        ),
    },
    "gm-poisson-m-step": {
        "distinct numbers": (
            "nk = resp.sum(axis=0)\nreturn nk / nk.sum(), x @ resp / nk",
            "counts twice in the rate",
        ),
        "weights of the distinct numbers": (
            POISSON.format(**COUNTED | {"weights": "resp.mean(axis=0)"}),
            "count every day",
        ),
        "weights not divided": (
            POISSON.format(**COUNTED | {"weights": "nk"}),
            "must sum to one",
        ),
        "over all days": (
            POISSON.format(**COUNTED | {"rates": "(days * x) @ resp / days.sum()"}),
            "set the derivative",
        ),
        "one rate": (
            POISSON.format(**COUNTED | {"rates": "x @ days / days.sum() + 0 * nk"}),
            "set the derivative",
        ),
        "numbers summed": (
            POISSON.format(**COUNTED | {"rates": "(days * x) @ resp"}),
            "on four days",
        ),
        "a number for all groups": (
            POISSON.format(**COUNTED | {"rates": "x @ days / days.sum()"}),
            "a rate for each group",
        ),
        "equal weights if there are many": (
            POISSON.format(**COUNTED).replace(
                "return", "nk = nk if len(x) < 9 else nk.mean() + 0 * nk\nreturn"
            ),
            "must",
        ),
        "the start if there are many": (
            POISSON.format(
                **COUNTED
                | {"rates": "(np.array([2.0, 6.0]) if len(x) > 12 else (days * x) @ resp / nk)"}
            ),
            "must end at a summit",
        ),
        "rates turned round if there are many": (
            POISSON.format(
                **COUNTED | {"rates": "((days * x) @ resp / nk)[::-1 if len(x) > 8 else 1]"}
            ),
            "must never go down",
        ),
    },
    "gm-old-mean-step": {
        "the exact step": (
            OLD_MEAN.format(
                **STEP | {"variances": "(resp * (X - means[:, 0]) ** 2).sum(axis=0) / nk"}
            ),
            "the exact M-step",
        ),
        "the mean stays": (
            OLD_MEAN.format(**STEP | {"means": "params.means"}),
            "the mean moves",
        ),
        "the weights stay": (
            OLD_MEAN.format(**STEP | {"weights": "params.weights"}),
            "the weights are those",
        ),
        "counts for weights": (OLD_MEAN.format(**STEP | {"weights": "nk"}), "must sum to one"),
        "over all rows": (
            OLD_MEAN.format(
                **STEP | {"variances": "(resp * (X - params.means[:, 0]) ** 2).mean(axis=0)"}
            ),
            "that fits best",
        ),
        "variances of shape (K,)": (
            OLD_MEAN.format(**STEP).replace("variances[:, np.newaxis, np.newaxis]", "variances"),
            "(K, 1, 1) variances",
        ),
        "standard deviations": (
            OLD_MEAN.format(**STEP).replace("variances[:,", "np.sqrt(variances)[:,"),
            "that fits best",
        ),
    },
    "gm-old-mean-verdict": {
        "none": (VERDICTS.format("[False] * 4"), "close to the summit"),
        "all": (VERDICTS.format("[True] * 4"), "not all are right"),
        "what is not exact falls": (
            VERDICTS.format("[True, False, True, True]"),
            "not all are right",
        ),
        "a little wider does no harm": (
            VERDICTS.format("[False, False, False, True]"),
            "not all are right",
        ),
        "in words": (VERDICTS.format("['no', 'no', 'yes', 'yes']"), "True or False"),
        "three entries": (VERDICTS.format("[False, False, True]"), "four entries"),
    },
}

RIGHT = {
    "gm-common-variance": {
        "mean weighted by the counts": VARIANCE.format("N1 / (N1 + N2) * S1 / N1 + S2 / (N1 + N2)"),
        "SymPy": (
            "v = sp.Symbol('v', positive=True)\n"
            "common_variance = sp.solve(sp.diff(-(N1 + N2) * sp.log(v) - (S1 + S2) / v, v), v)[0]"
        ),
    },
    "gm-common-m-step": {
        "group by group": (
            "total = sum(stats.nk)\n"
            "shared = sum(stats.scatter) / total\n"
            "covariances = [shared for _ in stats.nk]\n"
            "return gaussian_mixture.Params(stats.nk / total, stats.means, covariances)"
        ),
        "the chapter's, averaged": (
            "each = gaussian_mixture.m_step(stats)\n"
            "shared = np.einsum('k,kij->ij', each.weights, each.covariances)\n"
            "return each._replace(covariances=np.repeat(shared[np.newaxis], len(each.weights), 0))"
        ),
    },
    "gm-poisson-log-joint": {
        "SciPy": (
            "from scipy.stats import poisson\n"
            "return np.log(weights) + poisson.logpmf(np.asarray(x)[:, np.newaxis], rates)"
        ),
        "count by count": (
            "return np.array([[np.log(w) + n * np.log(r) - r - gammaln(n + 1)\n"
            "                  for w, r in zip(weights, rates)] for n in x])"
        ),
    },
    "gm-poisson-m-step": {
        "lists": (
            "each = (resp.T * days).T\n"
            "total = each.sum(axis=0)\n"
            "return list(total / sum(days)), [float(x @ c / c.sum()) for c in each.T]"
        ),
        "day by day": (
            "rows, numbers = np.repeat(resp, days, axis=0), np.repeat(x, days)\n"
            "return rows.mean(axis=0), numbers @ rows / rows.sum(axis=0)"
        ),
    },
    "gm-old-mean-step": {
        "exact variance and the move": (
            "resp = gaussian_mixture.responsibilities(params, X)\n"
            "exact = gaussian_mixture.m_step(gaussian_mixture.moments(X, resp))\n"
            "off = (exact.means - params.means)[:, :, np.newaxis] ** 2\n"
            "return exact._replace(covariances=exact.covariances + off)"
        ),
        "group by group": (
            "resp = gaussian_mixture.responsibilities(params, X)\n"
            "x, weights, means, variances = X[:, 0], [], [], []\n"
            "for r, old in zip(resp.T, params.means[:, 0]):\n"
            "    weights.append(r.mean())\n"
            "    means.append([r @ x / r.sum()])\n"
            "    variances.append([[r @ (x - old) ** 2 / r.sum()]])\n"
            "return gaussian_mixture.Params(weights, means, variances)"
        ),
    },
    "gm-old-mean-verdict": {
        "NumPy's bools": VERDICTS.format("np.array([False, False, True, True])"),
        "by what they are": "can_fall = dict.fromkeys('AB', False) | dict.fromkeys('CD', True)",
    },
}


def variances_around(X, resp, centres):
    return ((resp * (X - centres) ** 2).sum(axis=0) / resp.sum(axis=0))[:, None, None]


class TestGaussianMixtures(Answers):
    name, wrong, right = "08_gaussian_mixtures", WRONG, RIGHT

    def test_steps_fall_as_the_verdicts_say(self):
        rng = np.random.default_rng(0)
        fell = dict.fromkeys("ABCD", False)
        for n_steps in (0, 1, 2, 5, 10) * 6:
            X = rng.normal(size=(40, 1)) + 3 * rng.integers(0, 2, size=(40, 1))
            params = gaussian_mixture.Params(
                np.full(2, 0.5), rng.normal(size=(2, 1)), rng.uniform(0.5, 2, size=(2, 1, 1))
            )
            for _ in range(n_steps):
                resp = gaussian_mixture.responsibilities(params, X)
                params = gaussian_mixture.m_step(gaussian_mixture.moments(X, resp))
            resp = gaussian_mixture.responsibilities(params, X)
            exact = gaussian_mixture.m_step(gaussian_mixture.moments(X, resp))
            nk = resp.sum(axis=0)[:, None, None]
            old, everywhere = params.means[:, 0], X.mean()
            steps = {
                "A": exact._replace(covariances=variances_around(X, resp, old)),
                "B": params._replace(means=exact.means),
                "C": exact._replace(covariances=exact.covariances * nk / (nk - 1)),
                "D": exact._replace(covariances=variances_around(X, resp, everywhere)),
            }
            before = np.logaddexp.reduce(gaussian_mixture.log_joint(params, X), axis=1).sum()
            for name, after in steps.items():
                level = np.logaddexp.reduce(gaussian_mixture.log_joint(after, X), axis=1).sum()
                fell[name] |= bool(level < before - 1e-9)
        assert self.solved("gm-old-mean-verdict")["can_fall"] == fell
