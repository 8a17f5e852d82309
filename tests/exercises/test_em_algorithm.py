"""Answers to the exercises on the EM algorithm, wrong and right, by name."""

import numpy as np
from exercise_suite import Answers

ALLELES = """
a, b, o = theta
n_a, n_b, n_ab, n_o = persons
pure_a, pure_b = {pure}
return np.array([
    n_a * (1 + pure_a) + n_ab, n_b * (1 + pure_b) + n_ab,
    n_a * (1 - pure_a) + n_b * (1 - pure_b) + 2 * n_o,
])
"""
PURE = "a / (a + 2 * o), b / (b + 2 * o)"
FREQUENCIES = "return {}"
PARTS = """
def shares(x):
    return np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(
        x - x.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
r, s = shares(old), shares(new)
return {q}, {kl}
"""
TWO = {"q": "(r * (new - old)).sum()", "kl": "(r * np.log(r / s)).sum()"}
CURVATURE = """
h, t = np.asarray(tosses, dtype=float).T
m = {m}
complete = h / m**2 + t / (1 - m) ** 2
missing = (h / m - t / (1 - m)) ** 2
return {value}
"""
POOLED = "h.sum() / (h + t).sum()"
SADDLES = "saddles = dict(zip('ABCDE', {}))"

WRONG = {
    "em-blood-e-step": {
        "one order of the pair": (
            ALLELES.format(pure="a / (a + o), b / (b + o)"),
            "in two orders",
        ),
        "thirds, whatever theta": (ALLELES.format(pure="1 / 3, 1 / 3"), "with its posterior"),
        "prior for posterior": (
            ALLELES.format(pure="a**2, b**2"),
            "with its posterior",
        ),
        "persons for alleles": (
            ALLELES.format(pure=PURE).replace("return np", "return 0.5 * np"),
            "carries two alleles",
        ),
        "O carried once": (
            ALLELES.format(pure=PURE).replace("2 * n_o", "n_o"),
            "for every person of each group",
        ),
        "group B like group A": (
            ALLELES.format(pure="(a / (a + 2 * o),) * 2"),
            "with its posterior",
        ),
        "a share of AB too": (
            ALLELES.format(pure=PURE)
            .replace("pure_a) + n_ab", "pure_a) + 2 * n_ab * a / (a + b)")
            .replace("pure_b) + n_ab", "pure_b) + 2 * n_ab * b / (a + b)"),
            "with its posterior",
        ),
        "probabilities": (
            ALLELES.format(pure=PURE).replace("return np", "return 1 / 60 * np"),
            "carries two alleles",
        ),
        "four groups": ("return persons * 2.0", "three numbers"),
    },
    "em-blood-m-step": {
        "a pseudo-count each": (
            FREQUENCIES.format("(alleles + 1) / (alleles.sum() + len(alleles))"),
            "maximise the sum",
        ),
        "over persons": (FREQUENCIES.format("alleles / (alleles.sum() / 2)"), "must sum to one"),
        "roots, as of Hardy and Weinberg": (
            FREQUENCIES.format("np.sqrt(alleles) / np.sqrt(alleles).sum()"),
            "maximise the sum",
        ),
        "softmax": (
            FREQUENCIES.format("np.exp(alleles / 50) / np.exp(alleles / 50).sum()"),
            "maximise the sum",
        ),
        "three alleles only": (
            FREQUENCIES.format("alleles[:3] / alleles[:3].sum()"),
            "for each allele",
        ),
        "thirds if there are many": (
            FREQUENCIES.format(
                "alleles / alleles.sum() if alleles.sum() < 600 else np.full(3, 1 / 3)"
            ),
            "must never go down",
        ),
        "a bias if there are many": (
            "if alleles.sum() > 600:\n"
            "    alleles = alleles + [0, alleles[0] / 3, 0]\n"
            "return alleles / alleles.sum()",
            "must end at a summit",
        ),
    },
    "em-ascent": {
        "new responsibilities": (
            PARTS.format(**TWO | {"q": "(s * (new - old)).sum()"}),
            "frozen at the old ones",
        ),
        "each with its own responsibilities": (
            PARTS.format(**TWO | {"q": "(s * new).sum() - (r * old).sum()"}),
            "frozen at the old ones",
        ),
        "divergence the other way round": (
            PARTS.format(**TWO | {"kl": "(s * np.log(s / r)).sum()"}),
            "must add up to the rise",
        ),
        "fraction upside down": (
            PARTS.format(**TWO | {"kl": "(r * np.log(s / r)).sum()"}),
            "upside down",
        ),
        "means over the rows": (
            PARTS.format(q="(r * (new - old)).sum(axis=1).mean()", kl=TWO["kl"]),
            "over the groups",
        ),
        "no responsibilities": (
            PARTS.format(**TWO | {"q": "(new - old).sum()"}),
            "over the groups",
        ),
        "entropy kept": (
            PARTS.format(**TWO | {"kl": "-(r * np.log(r)).sum()"}),
            "no distance apart",
        ),
        "a number for each row": (
            PARTS.format(q="(r * (new - old)).sum(axis=1)", kl="(r * np.log(r / s)).sum(axis=1)"),
            "two numbers",
        ),
        "no logarithms": (
            "p, s = np.exp(old), np.exp(new)\n"
            "r, s = [x / x.sum(axis=1, keepdims=True) for x in (p, s)]\n"
            "return (r * (new - old)).sum(), (r * np.log(r / s)).sum()",
            "exp(-2000) is zero",
        ),
    },
    "em-falling": {
        "the colleague's": (
            "fractions = tosses[:, 0] / tosses.sum(axis=1)\n"
            "return resp.T @ fractions / resp.sum(axis=0)",
            "eight tosses of a coin say more",
        ),
        "tails": (
            "heads, tails = (resp.T @ tosses).T\nreturn tails / (heads + tails)",
            "the fraction of heads",
        ),
        "over sets": (
            "return resp.T @ tosses[:, 0] / resp.sum(axis=0)",
            "the fraction of heads",
        ),
        "ten tosses each": (
            "return resp.T @ tosses[:, 0] / resp.sum(axis=0) / 10",
            "the fraction of heads",
        ),
        "most probable coin": (
            "sure = np.eye(resp.shape[1])[resp.argmax(axis=1)]\n"
            "heads, tails = (sure.T @ tosses).T\n"
            "return (heads + 1e-9) / (heads + tails + 2e-9)",
            "the heads that a coin answers for",
        ),
        "two coins only": (
            "heads, tails = (resp[:, :2].T @ tosses).T\nreturn heads / (heads + tails)",
            "however many there are",
        ),
        "empty sets divided": (
            "total = tosses.sum(axis=1)\n"
            "weight = resp * total[:, None]\n"
            "return weight.T @ (tosses[:, 0] / total) / weight.sum(axis=0)",
            "does no harm",
        ),
        "one bias": (
            "return tosses[:, 0].sum() / tosses.sum()",
            "one bias for each coin",
        ),
        "odds for three coins": (
            "heads, tails = (resp.T @ tosses).T\nreturn heads / (heads + tails) + (len(heads) > 2)",
            "between 0 and 1",
        ),
    },
    "em-alike-curvature": {
        "mean of the sets' fractions": (
            CURVATURE.format(m="np.mean(h / (h + t))", value="(missing - complete).sum()"),
            "m pools all sets",
        ),
        "nine tosses a set": (
            CURVATURE.format(m="h.sum() / 9 / len(h)", value="(missing - complete).sum()"),
            "m pools all sets",
        ),
        "sign": (CURVATURE.format(m=POOLED, value="(complete - missing).sum()"), "the sign"),
        "complete information alone": (
            CURVATURE.format(m=POOLED, value="-complete.sum()"),
            "by their squares",
        ),
        "slopes pooled before the square": (
            CURVATURE.format(m=POOLED, value="(h / m - t / (1 - m)).sum() ** 2 - complete.sum()"),
            "by their squares",
        ),
        "a second difference": (
            "m, h = tosses[:, 0].sum() / tosses.sum(), 1e-3\n"
            "def along(d):\n"
            "    sides = [tosses @ np.log([m + e, 1 - m - e]) for e in (d, -d)]\n"
            "    return np.logaddexp(*sides).sum()\n"
            "return (4 * 2 * (along(h) - along(0)) / h**2"
            " - 2 * (along(2 * h) - along(0)) / (2 * h) ** 2) / 3",
            "by a formula",
        ),
        "half the tosses are heads": (
            CURVATURE.format(m="0.5", value="(missing - complete).sum()"),
            "six heads of ten",
        ),
        "halved": (
            CURVATURE.format(m=POOLED, value="(missing - complete).sum() / 2"),
            "m pools all sets",
        ),
        "a number for each set": (
            CURVATURE.format(m=POOLED, value="missing - complete"),
            "one number for all sets",
        ),
    },
    "em-alike-saddles": {
        "all saddles": (SADDLES.format("[True] * 5"), "want one coin"),
        "no saddle": (SADDLES.format("[False] * 5"), "not all are right"),
        "same fractions, same verdict": (
            SADDLES.format("[True, False, False, False, True]"),
            "not all are right",
        ),
        "single tosses differ most": (
            SADDLES.format("[True, False, True, True, True]"),
            "not all are right",
        ),
        "two sets are too few": (
            SADDLES.format("[True, False, False, True, False]"),
            "not all are right",
        ),
        "in words": (SADDLES.format("['yes', 'no', 'no', 'yes', 'yes']"), "True or False"),
        "four entries": (SADDLES.format("[True, False, False, True]"), "five entries"),
    },
}

RIGHT = {
    "em-blood-e-step": {
        "pair by pair": (
            "expected, groups = np.zeros(3), 'A AB B AB O'.split()\n"
            "pairs = {'AA': 0, 'AO': 0, 'OA': 0, 'BB': 1, 'BO': 1, 'OB': 1, 'AB': 2, 'BA': 2,"
            " 'OO': 3}\n"
            "p = {two: theta['ABO'.index(two[0])] * theta['ABO'.index(two[1])] for two in pairs}\n"
            "for two, group in pairs.items():\n"
            "    share = p[two] / sum(p[each] for each in pairs if pairs[each] == group)\n"
            "    for allele in two:\n"
            "        expected['ABO'.index(allele)] += persons[group] * share\n"
            "return list(expected)"
        ),
        "by what O leaves": (
            "a, b, o = theta\n"
            "hidden = persons[0] * 2 * o / (a + 2 * o), persons[1] * 2 * o / (b + 2 * o)\n"
            "return (2 * persons[0] - hidden[0] + persons[2],\n"
            "        2 * persons[1] - hidden[1] + persons[2], sum(hidden) + 2 * persons[3])"
        ),
    },
    "em-blood-m-step": {
        "a list": "return [each / sum(alleles) for each in alleles]",
        "in place": "theta = alleles * 1.0\ntheta /= theta.sum()\nreturn theta",
    },
    "em-ascent": {
        "shares": PARTS.format(**TWO),
        "the rest is the divergence": (
            "log_p = np.logaddexp.reduce(old, axis=1)\n"
            "r = np.exp(old - log_p[:, None])\n"
            "rise = np.logaddexp.reduce(new, axis=1) - log_p\n"
            "q = np.einsum('nk,nk', r, new - old)\n"
            "return [q, rise.sum() - q]"
        ),
    },
    "em-falling": {
        "weights of a mean": (
            "heads, total = tosses[:, 0], tosses.sum(axis=1)\n"
            "return resp.T @ heads / (resp.T @ total)"
        ),
        "coin by coin": (
            "return [\n"
            "    sum(r * h for r, (h, t) in zip(column, tosses))\n"
            "    / sum(r * (h + t) for r, (h, t) in zip(column, tosses))\n"
            "    for column in resp.T\n"
            "]"
        ),
    },
    "em-alike-curvature": {
        "by the deviations": (
            "n, h = tosses.sum(axis=1), tosses[:, 0]\n"
            "m = h.sum() / n.sum()\n"
            "v = m * (1 - m)\n"
            "return float((((h - n * m) ** 2).sum() / v - n.sum()) / v)"
        ),
        "set by set": (
            "m = tosses[:, 0].sum() / tosses.sum()\n"
            "total = 0.0\n"
            "for h, t in tosses.tolist():\n"
            "    slope = h / m - t / (1 - m)\n"
            "    total += slope**2 - h / m**2 - t / (1 - m) ** 2\n"
            "return total"
        ),
    },
    "em-alike-saddles": {
        "NumPy's bools": SADDLES.format("np.array([True, False, False, True, True])"),
        "by what they are": "saddles = dict.fromkeys('ADE', True) | dict.fromkeys('BC', False)",
    },
}


class TestEMAlgorithm(Answers):
    name, wrong, right = "05_em_algorithm", WRONG, RIGHT

    def test_the_likelihood_rises_on_both_sides_of_a_saddle(self):
        cases = {
            "A": ([5, 9, 8, 4, 7], 10),
            "B": ([6, 7, 7, 6, 7], 10),
            "C": ([1, 1, 1, 0, 0], 1),
            "D": ([120, 140, 140, 120, 140], 200),
            "E": ([0, 2], 2),
        }
        saddles = self.solved("em-alike-saddles")["saddles"]
        for name, (heads, tossed) in cases.items():
            x, m = np.array(heads), np.mean(heads) / tossed
            middle, up, down = [
                x * np.log(m + d) + (tossed - x) * np.log(1 - m - d) for d in (0, 2e-3, -2e-3)
            ]
            rise = (np.logaddexp(up, down) - np.log(2) - middle).sum()
            assert saddles[name] == (rise > 1e-9)
