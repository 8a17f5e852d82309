"""Answers to the exercises on what EM cannot help with, wrong and right, by name."""

from exercise_suite import Answers

STEP = """
p = weights @ means
ones, zeros = x_mean * weights * means / p, (1 - x_mean) * weights * (1 - means) / (1 - p)
return {}, {}
"""
DIMENSION, CURVE = "dimension = {}", "gap = sp.sqrt({gap})\ncurve = {curve}"
APART = {"gap": "c / (pi * (1 - pi))", "curve": "(p + (1 - pi) * gap, p - pi * gap)"}
LOOKS = """
x, probability = np.indices((2, 2, 2)).reshape(3, 8), np.ravel(table)
shares = x @ probability
off = x - shares[:, np.newaxis]
C = (off * probability) @ off.T
kappa = off.prod(axis=0) @ probability
ratio = kappa**2 / (C[0, 1] * C[0, 2] * C[1, 2])
pi = {pi}
gap = np.sqrt(C[0, 1] * C[0, 2] / C[1, 2] / (pi * (1 - pi)))
gaps = np.array([gap, C[0, 1] / (pi * (1 - pi) * gap), C[0, 2] / (pi * (1 - pi) * gap)])
gaps = {gaps}
return {found}
"""
CUMULANTS = {
    "pi": "(1 - np.sqrt(ratio / (ratio + 4))) / 2",
    "gaps": "gaps * np.sign(kappa) * np.sign(gaps.prod())",
    "found": "pi, shares + (1 - pi) * gaps, shares - pi * gaps",
}
PRIOR = """
ones, zeros = stats.ones + {a}, stats.zeros + {b}
return bernoulli_mixture.Params({weights}, ones / (ones + zeros))
"""
MODE = {"a": "a - 1", "b": "b - 1", "weights": "stats.nk / stats.nk.sum()"}

WRONG = {
    "bb-values-step": {
        "ones alone": (
            STEP.format("weights * means / p", "means"),
            "zeros count too",
        ),
        "the weights stay": (
            STEP.format("weights", "means + x_mean - p"),
            "1/4 of the ones",
        ),
        "counts of the ones for means": (
            STEP.format("ones + zeros", "ones"),
            "must reach the marginal",
        ),
        "all means alike": (
            STEP.format("ones + zeros", "x_mean + 0 * means"),
            "by the same amount",
        ),
        "zeros over all": (
            STEP.format("ones + zeros", "zeros / (ones + zeros)"),
            "must reach the marginal",
        ),
        "two values only": (
            STEP.format("(ones + zeros)[:2]", "(ones / (ones + zeros))[:2]"),
            "average responsibilities",
        ),
        "one number": (STEP.format("(ones + zeros)[0]", "means[0]"), "new weights and new means"),
        "weights evened out beyond two values": (
            "if len(weights) > 2:\n"
            "    weights = 0.9 * weights + 0.1 / len(weights)\n"
            + STEP.format("ones + zeros", "ones / (ones + zeros)").strip(),
            "changes nothing",
        ),
    },
    "bb-values-dimension": {
        "all of them": (DIMENSION.format("2 * K - 1"), "the chapter draws a surface"),
        "two seen": (DIMENSION.format("2 * K - 3"), "the chapter draws a surface"),
        "as many as values": (DIMENSION.format("K"), "of a single value"),
        "always a surface": (DIMENSION.format("2"), "of a single value"),
        "pairs of values": (DIMENSION.format("K * (K - 1)"), "one value more"),
        "in another symbol": (DIMENSION.format("2 * sp.Symbol('N') - 2"), "in K alone"),
    },
    "bb-blind-curve": {
        "the other root": (
            CURVE.format(**APART | {"curve": "(p - (1 - pi) * gap, p + pi * gap)"}),
            "mu1 above mu0",
        ),
        "weights exchanged": (
            CURVE.format(**APART | {"curve": "(p + pi * gap, p - (1 - pi) * gap)"}),
            "the share of ones",
        ),
        "half the gap each": (
            CURVE.format(**APART | {"curve": "(p + gap / 2, p - gap / 2)"}),
            "the share of ones",
        ),
        "root of the covariance": (CURVE.format(**APART | {"gap": "c"}), "the covariance is not"),
        "no root": (
            CURVE.format(**APART).replace("sp.sqrt", ""),
            "the covariance is not",
        ),
        "one weight": (CURVE.format(**APART | {"gap": "c / pi"}), "the covariance is not"),
        "in another symbol": (
            CURVE.format(**APART | {"gap": "c / sp.Symbol('w')"}),
            "in pi, p and c alone",
        ),
    },
    "bb-three-looks": {
        "the more frequent group": (
            LOOKS.format(**CUMULANTS).replace(
                "return pi, shares + (1 - pi) * gaps, shares - pi * gaps",
                "return 1 - pi, shares - pi * gaps, shares + (1 - pi) * gaps",
            ),
            "get pi < 1/2",
        ),
        "groups exchanged": (
            LOOKS.format(
                **CUMULANTS | {"found": "pi, shares - pi * gaps, shares + (1 - pi) * gaps"}
            ),
            "as often as in the table",
        ),
        "all in the same direction": (
            LOOKS.format(**CUMULANTS | {"gaps": "np.abs(gaps)"}),
            "every covariance",
        ),
        "as if the first were a sure sign": (
            LOOKS.format(**CUMULANTS | {"gaps": "gaps"}),
            "the sign of kappa",
        ),
        "a third in group 1": (
            LOOKS.format(**CUMULANTS | {"pi": "1 / 3"}),
            "the sign of kappa",
        ),
        "four for two": (
            LOOKS.format(**CUMULANTS | {"pi": "(1 - np.sqrt(ratio / (ratio + 2))) / 2"}),
            "the sign of kappa",
        ),
        "both in one": (
            LOOKS.format(**CUMULANTS | {"found": "pi, [shares + (1 - pi) * gaps], shares"}),
            "three mu1 and three mu0",
        ),
    },
    "bm-prior-m-step": {
        "no prior": (PRIOR.format(**MODE | {"a": "0", "b": "0"}), "adds one 1"),
        "posterior mean": (PRIOR.format(**MODE | {"a": "a", "b": "b"}), "look for the summit"),
        "a and b exchanged": (
            PRIOR.format(**MODE | {"a": "b - 1", "b": "a - 1"}),
            "the derivative of Q",
        ),
        "one each, whatever a and b": (
            PRIOR.format(**MODE | {"a": "1", "b": "1"}),
            "the derivative of Q",
        ),
        "over the count alone": (
            PRIOR.format(**MODE).replace("(ones + zeros)", "stats.nk[:, np.newaxis]"),
            "adds one 1",
        ),
        "the prior on the weights too": (
            PRIOR.format(**MODE | {"weights": "(stats.nk + 1) / (stats.nk + 1).sum()"}),
            "nothing of the weights",
        ),
        "counts for weights": (PRIOR.format(**MODE | {"weights": "stats.nk"}), "must sum to one"),
        "one mean a group": (
            PRIOR.format(**MODE).replace(
                "ones / (ones + zeros)", "(ones / (ones + zeros)).mean(axis=1)"
            ),
            "each group and feature",
        ),
        "the prior forgotten if there are many": (
            "a, b = (a, b) if stats.nk.sum() < 99 else (1, 1)\n" + PRIOR.format(**MODE).strip(),
            "must never go down",
        ),
        "means that stay if there are very many": (
            PRIOR.format(**MODE).replace(
                "return",
                "if stats.nk.sum() > 140:\n"
                "    ones, zeros = np.repeat([[0.3], [0.6]], 6, axis=1), [[0.7], [0.4]]\n"
                "return",
            ),
            "must end at a summit",
        ),
    },
}

RIGHT = {
    "bb-values-step": {
        "by responsibilities": (
            "one = weights * means / (weights * means).sum()\n"
            "zero = weights * (1 - means) / (weights * (1 - means)).sum()\n"
            "average = x_mean * one + (1 - x_mean) * zero\n"
            "return list(average), list(x_mean * one / average)"
        ),
        "by odds": (
            "p = sum(w * m for w, m in zip(weights, means))\n"
            "up, down = x_mean / p, (1 - x_mean) / (1 - p)\n"
            "return (\n"
            "    weights * (up * means + down * (1 - means)),\n"
            "    up * means / (up * means + down * (1 - means)),\n"
            ")"
        ),
    },
    "bb-values-dimension": {
        "all but one": DIMENSION.format("(K - 1) + K - 1"),
        "in a product": DIMENSION.format("2 * (K - 1)"),
    },
    "bb-blind-curve": {
        "by the odds": ("curve = [p + sp.sqrt(c * (1 - pi) / pi), p - sp.sqrt(c * pi / (1 - pi))]"),
        "one after the other": (
            "gap = sp.sqrt(c) / sp.sqrt(pi - pi**2)\nmu0 = p - pi * gap\ncurve = (mu0 + gap, mu0)"
        ),
    },
    "bb-three-looks": {
        "by the roots of a polynomial": (
            "pair = table.sum(axis=2)\n"
            "first, second = pair, table[:, :, 1]\n"
            "values, vectors = np.linalg.eig(second @ np.linalg.inv(first))\n"
            "groups = vectors / vectors.sum(axis=0)\n"
            "weights = np.linalg.solve(groups, pair.sum(axis=1))\n"
            "rare, other = np.argsort(weights)\n"
            "mu2 = np.linalg.solve(groups * weights, pair)[:, 1]\n"
            "means = np.column_stack([groups[1], mu2, values])\n"
            "return weights[rare], means[rare], means[other]"
        ),
        "both signs tried": (
            LOOKS.format(
                **CUMULANTS
                | {"gaps": "max((gaps, -gaps), key=lambda g: g.prod() * (1 - 2 * pi) * kappa)"}
            )
        ),
    },
    "bm-prior-m-step": {
        "pseudo-counts": (
            "more = bernoulli_mixture.Counts(stats.nk, stats.ones + a - 1, stats.zeros + b - 1)\n"
            "return bernoulli_mixture.Params(\n"
            "    stats.nk / sum(stats.nk), more.ones / (more.ones + more.zeros))"
        ),
        "over the counts": (
            "means = (stats.ones + a - 1) / (stats.nk[:, np.newaxis] + a + b - 2)\n"
            "return bernoulli_mixture.Params((stats.nk / stats.nk.sum()).tolist(), means.tolist())"
        ),
    },
}


class TestBernoulliBernoulli(Answers):
    name, wrong, right = "07_bernoulli_bernoulli", WRONG, RIGHT
