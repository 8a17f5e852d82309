"""Answers to the exercises on latent variables, wrong and right, by name."""

from exercise_suite import Answers

GRAPH = """
total = 0.0
for i, table in enumerate(tables):
    axes = {axes}
    total += np.log(table[tuple(rows[:, axes].T)]).sum()
return total
"""
SHORTCUT = """
for _ in range({rounds}):
    groups = {groups}
    means = np.array([np.{mean}(x[groups == k]) for k in range(len(means))])
return means
"""
CENSORED = """
seen = x[~np.isnan(x)]
if limit is None:
    return seen.mean()
return {0}
"""
VARIANCE = "guessed_variance = {}"


WRONG = {
    "lm-graph": {
        "forgets the arrows": (
            """
total = 0.0
for i, table in enumerate(tables):
    own = table.reshape(-1, table.shape[-1]).mean(axis=0)
    total += np.log(own[rows[:, i]]).sum()
return total
""",
            "its own factor, given its parents",
        ),
        "a product that underflows": (
            """
p = np.ones(len(rows))
for i, table in enumerate(tables):
    p *= table[tuple(rows[:, [*parents[i], i]].T)]
return np.log(p.prod())
""",
            "add logarithms",
        ),
        "the mean of the rows": (
            GRAPH.format(axes="[*parents[i], i]").replace(".sum()", ".mean()"),
            "each adds its own logarithm",
        ),
        "a number for each row": (
            GRAPH.format(axes="[*parents[i], i]").replace(".sum()", ""),
            "one number for all rows",
        ),
        "not a logarithm": (
            "total = 1.0\n"
            "for i, table in enumerate(tables):\n"
            "    total *= table[tuple(rows[:, [*parents[i], i]].T)].prod()\n"
            "return total",
            "it must add up to one",
        ),
        "the first circle twice": (
            GRAPH.format(axes="[*parents[i], i]").replace("0.0", "np.log(tables[0]).max()"),
            "it must add up to one",
        ),
    },
    "lm-pareto-tail": {
        "upside down": ("tail = L_k / N_k", "must fall when L_k grows"),
        "slope of the log-density with the 1 left in": (
            "tail = (N_k - L_k) / L_k + 2 * L_k / N_k",
            "must fall when L_k grows",
        ),
        "corrected for bias": ("tail = (N_k - 1) / L_k", "if every claim came twice"),
        "not averaged": ("tail = 1 / L_k", "if every claim came twice"),
        "x to the minus a": ("tail = N_k / L_k + 1", "slope zero"),
        "off by a factor": ("tail = 2 * N_k / L_k", "slope zero"),
        "with the number of all claims": (
            "tail = N_k / (L_k * sp.Symbol('N'))",
            "through N_k and L_k alone",
        ),
    },
    "lm-pareto-fit": {
        "counts for weights": (
            "nk = np.bincount(z); return nk, nk / np.bincount(z, weights=np.log(x))",
            "must sum to one",
        ),
        "equal weights": (
            "nk = np.bincount(z); l = np.bincount(z, weights=np.log(x))\n"
            "return np.full(n_groups, 1 / n_groups), nk / l",
            "the share of the rows",
        ),
        "pooled tail": (
            "nk = np.bincount(z); a = len(x) / np.log(x).sum()\n"
            "return nk / len(x), np.full(n_groups, a)",
            "its own kind alone",
        ),
        "no logarithm": (
            "nk = np.bincount(z); return nk / len(x), nk / np.bincount(z, weights=x)",
            "its own kind alone",
        ),
        "all rows over one kind's sum": (
            "nk = np.bincount(z)\nreturn nk / len(x), len(x) / np.bincount(z, weights=np.log(x))",
            "its own kind alone",
        ),
        "two kinds, whatever n_groups": (
            "nk = np.bincount(z)[:2]; l = np.bincount(z, weights=np.log(x))[:2]\n"
            "return nk / nk.sum(), nk / l",
            "one number for each kind",
        ),
        "in the wrong order": (
            "nk = np.bincount(z); return nk / np.bincount(z, weights=np.log(x)), nk / len(x)",
            "the weights, which come first",
        ),
    },
    "lm-guess-fill": {
        "nearest mean": (
            "return np.abs(x[:, np.newaxis] - means).argmin(axis=1)",
            "nine times as common",
        ),
        "largest weight": (
            "return np.full(len(x), np.argmax(weights))",
            "not the small group's by weight",
        ),
        "densities": (
            "return (weights * norm.pdf(x[:, np.newaxis], means)).argmax(axis=1)",
            "use logarithms",
        ),
        "least probable": (
            "return (np.log(weights) + norm.logpdf(x[:, np.newaxis], means)).argmin(axis=1)",
            "not the small group's by weight",
        ),
        "wrong axis": (
            "log_joint = np.log(weights) - (x[:, np.newaxis] - means) ** 2 / 2\n"
            "return np.resize(log_joint.argmax(axis=0), len(x))",
            "the number of a group",
        ),
        "two groups only": (
            "log_joint = np.log(weights) - (x[:, np.newaxis] - means) ** 2 / 2\n"
            "return log_joint[:, :2].argmax(axis=1)",
            "another column",
        ),
        "square not halved": (
            "return (np.log(weights) - (x[:, np.newaxis] - means) ** 2).argmax(axis=1)",
            "is halved",
        ),
        "counted from 1": (
            "log_joint = np.log(weights) - (x[:, np.newaxis] - means) ** 2 / 2\n"
            "return log_joint.argmax(axis=1) + 1",
            "counted from 0",
        ),
        "shares": (
            "log_joint = np.log(weights) - (x[:, np.newaxis] - means) ** 2 / 2\n"
            "return np.exp(log_joint)",
            "one group for each observation",
        ),
        "three observations": (
            "log_joint = np.log(weights) - (x[:, np.newaxis] - means) ** 2 / 2\n"
            "return log_joint[:3].argmax(axis=1)",
            "also if there are more groups",
        ),
    },
    "lm-guess-fit": {
        "one round": (
            SHORTCUT.format(rounds=1, groups="fill(weights, means, x)", mean="mean"),
            "until no observation changes",
        ),
        "five rounds": (
            SHORTCUT.format(rounds=5, groups="fill(weights, means, x)", mean="mean"),
            "until no observation changes",
        ),
        "medians": (
            SHORTCUT.format(rounds=300, groups="fill(weights, means, x)", mean="median"),
            "each mean is that of",
        ),
        "always the nearest": (
            SHORTCUT.format(
                rounds=300,
                groups="np.abs(x[:, np.newaxis] - means).argmin(axis=1)",
                mean="mean",
            ),
            "fill gave to it",
        ),
        "means left alone": ("fill(weights, means, x); return means", "each mean is that of"),
        "the groups instead": ("return fill(weights, means, x)", "one mean for each group"),
        "two groups only": (
            SHORTCUT.format(rounds=300, groups="fill(weights, means, x)", mean="mean").replace(
                "len(means)", "2"
            ),
            "however many there are",
        ),
    },
    "lm-guess-variance": {
        "the mean of the square": (VARIANCE.format("1 + m**2"), "less the square"),
        "about m": (
            VARIANCE.format("1 + m**2 - 2 * m * limit + m**2"),
            "not about m",
        ),
        "the group's own": (VARIANCE.format("sp.Integer(1)"), "cannot be as wide"),
        "of a half-normal": (VARIANCE.format("1 - 2 / sp.pi"), "see the symmetry"),
        "one less the square": (VARIANCE.format("1 - limit**2"), "see the symmetry"),
        "in another symbol": (
            VARIANCE.format("1 + sp.Symbol('mu') ** 2 - limit**2"),
            "in m alone",
        ),
    },
    "lm-reason-mean": {
        "the colleague's": (
            CENSORED.format("np.where(np.isnan(x), limit, x).mean()"),
            "what is the probability of a gap",
        ),
        "gaps left out": (CENSORED.format("seen.mean()"), "use it"),
        "gaps count as limit by coin too": (
            "return np.nansum(np.where(np.isnan(x), limit or 20.0, x)) / (~np.isnan(x)).sum()",
            "a coin knows nothing",
        ),
        "gaps at twice the limit": (
            CENSORED.format("np.where(np.isnan(x), 2 * limit, x).mean()"),
            "slope zero",
        ),
        "limit plus the mean of the rest": (
            CENSORED.format("np.where(np.isnan(x), limit + seen.mean(), x).mean()"),
            "slope zero",
        ),
        "one wait less": (
            CENSORED.format("(seen.sum() + limit * (len(x) - len(seen))) / max(len(seen) - 1, 1)"),
            "without gaps: the average",
        ),
        "one wait less if there are gaps": (
            CENSORED.format(
                "(seen.sum() + limit * (len(x) - len(seen))) / (len(seen) - (len(x) > len(seen)))"
            ),
            "not corrected for bias",
        ),
        "a list": ("return [np.nanmean(x)]", "one number"),
    },
    "lm-reason-ignored": {
        "only a coin": ("return bool(np.ptp(gap) == 0)", "hangs on x alone"),
        "wrong axis": ("return bool(np.allclose(gap, gap[:1]))", "hangs on x alone"),
        "always": ("return True", "the value that is missing"),
        "never": ("return False", "a coin knows nothing"),
        "the first row alone": (
            "return bool(np.allclose(gap[0], gap[0, 0]))",
            "look at every row",
        ),
        "in words": ("return 'yes'", "True or False"),
        "an answer for each row": (
            "return np.isclose(gap, gap[:, :1]).all(axis=1)",
            "for the whole table",
        ),
    },
}
RIGHT = {
    "lm-graph": {
        "row by row": """
total = 0
for row in rows.tolist():
    for i, table in enumerate(tables):
        total += np.log(table[tuple(row[j] for j in parents[i] + [i])])
return float(total)
""",
        "by counts": """
rows, count = np.unique(rows, axis=0, return_counts=True)
logs = [np.log(t)[tuple(rows[:, p + [i]].T)] for i, (p, t) in enumerate(zip(parents, tables))]
return count @ np.sum(logs, axis=0)
""",
    },
    "lm-pareto-tail": {
        "one over the mean": "tail = 1 / (L_k / N_k)",
        "solved": "a = sp.Symbol('a')\ntail = sp.solve(N_k / a - L_k, a)[0]",
    },
    "lm-pareto-fit": {
        "kind by kind": (
            "shares = [np.mean(z == k) for k in range(n_groups)]\n"
            "return shares, [1 / np.log(x[z == k]).mean() for k in range(n_groups)]"
        ),
        "indicators": (
            "members = np.eye(n_groups)[z]\n"
            "return members.mean(axis=0), members.sum(axis=0) / (np.log(x) @ members)"
        ),
    },
    "lm-guess-fill": {
        "one by one": (
            "return [int(np.argmax(np.log(weights) - (each - means) ** 2 / 2)) for each in x]"
        ),
        "expanded square": (
            "return np.argmax(np.outer(x, means) - means**2 / 2 + np.log(weights), axis=1)"
        ),
        "with a debug print": (
            "print(x.shape)\nreturn (np.log(weights) + norm.logpdf(x[:, None], means)).argmax(1)"
        ),
    },
    "lm-guess-fit": {
        "by the means": """
while True:
    old, groups = means, np.asarray(fill(weights, means, x))
    means = np.array([x[groups == k].mean() for k in range(len(means))])
    if np.array_equal(old, means):
        return means.tolist()
""",
        "many rounds": SHORTCUT.format(rounds=300, groups="fill(weights, means, x)", mean="mean"),
    },
    "lm-guess-variance": {
        "written out": VARIANCE.format(
            "m**2 + 1 - (m * sp.erf(m / sp.sqrt(2))"
            " + sp.sqrt(2 / sp.pi) * sp.exp(-(m**2) / 2)) ** 2"
        ),
        "integrated": (
            "y = sp.Symbol('y', positive=True)\n"
            "def density(c):\n"
            "    return sp.exp(-((y - c) ** 2) / 2) / sp.sqrt(2 * sp.pi)\n"
            "both = sp.integrate(sp.expand(y**2 * density(m)), (y, 0, sp.oo))\n"
            "both += sp.integrate(sp.expand(y**2 * density(-m)), (y, 0, sp.oo))\n"
            "guessed_variance = sp.simplify(both) - limit**2"
        ),
    },
    "lm-reason-mean": {
        "total time over waits seen": (
            "total = np.nansum(x) + np.isnan(x).sum() * (limit or 0)\n"
            "return total / np.isfinite(x).sum()"
        ),
        "filled in again and again": CENSORED.format(
            "__import__('functools').reduce(lambda mu, _:"
            " np.where(np.isnan(x), limit + mu, x).mean(), range(200), 1.0)"
        ),
    },
    "lm-reason-ignored": {
        "NumPy's bool": "return np.all(np.ptp(gap, axis=1) < 1e-9)",
        "row by row": (
            "for row in gap:\n    if max(row) - min(row) > 1e-9:\n        return False\nreturn True"
        ),
    },
}


class TestLatentVariables(Answers):
    name, wrong, right = "01_latent_variables", WRONG, RIGHT
