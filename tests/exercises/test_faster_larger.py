"""Answers to the exercises on speed and size, wrong and right, by name."""

from exercise_suite import Answers

JUMP = """
x, y, z = np.array(theta0), np.array(theta1), np.array(theta2)
step, bend, size = y - x, z - 2 * y + x, np.linalg.norm
{}
"""
PARABOLA = JUMP.format("a = {}\nreturn x + 2 * a * step + a**2 * bend")
MIX = """
d0, d1 = np.array(delta0), np.array(delta1)
g = d1 - d0
w = {}
return {}
"""
BEST = "d1 @ g / (g @ g)"
AVERAGE = """
s = 0.0
for t, (total, n) in enumerate(batches, start=1):
    rho = {}
    s = {}
return s
"""

WRONG = {
    "faster-larger-jump": {
        "no jump": (JUMP.format("return z"), "goes farther than the two steps"),
        "one number": (JUMP.format("return [z[0]]"), "one number for each parameter"),
        "all signs": (
            JUMP.format("a = size(step) / size(bend)\nreturn x - 2 * a * step - a**2 * bend"),
            "look at signs",
        ),
        "negative a": (PARABOLA.format("-size(step) / size(bend)"), "it should arrive"),
        "step not doubled": (
            JUMP.format("a = size(step) / size(bend)\nreturn x + a * step + a**2 * bend"),
            "it should arrive",
        ),
        "a not squared": (
            JUMP.format("a = size(step) / size(bend)\nreturn x + 2 * a * step + a * bend"),
            "it should arrive",
        ),
        "upside down": (PARABOLA.format("size(bend) / size(step)"), "it should arrive"),
        "one for each": (PARABOLA.format("np.abs(step / bend)"), "one length a for all"),
        "another length": (
            PARABOLA.format("max(1, -(step @ step) / (step @ bend))"),
            "by what is each error multiplied",
        ),
        "a third length": (
            PARABOLA.format("max(1, -(step @ bend) / (bend @ bend))"),
            "by what is each error multiplied",
        ),
        "Aitken's step": (
            JUMP.format("return x + size(step) / size(bend) * step"),
            "by what is each error multiplied",
        ),
        "not held at one": (
            PARABOLA.format("size(step) / size(bend) if bend.any() else 1"),
            "turns back",
        ),
        "divides by zero": (
            PARABOLA.format("max(1, size(step) / size(bend))"),
            "nothing to divide by",
        ),
    },
    "faster-larger-mix": {
        "one number": (MIX.format(BEST, "[w]"), "two weights"),
        "no constraint": (MIX.format("1e-9", "[w, w]"), "must sum to one"),
        "other way round": (MIX.format(BEST, "[1 - w, w]"), "which weight goes to which"),
        "not below zero": (MIX.format(f"max(0, {BEST})", "[w, 1 - w]"), "may be negative"),
        "not above one": (MIX.format(f"min(1, {BEST})", "[w, 1 - w]"), "may be larger than one"),
        "half and half": (MIX.format("0.5", "[w, w]"), "make the step shorter"),
        "by their lengths": (
            MIX.format("(d1 @ d1) / (d0 @ d0 + d1 @ d1)", "[w, 1 - w]"),
            "make the step shorter",
        ),
        "a projection": (MIX.format("d0 @ d1 / (d0 @ d0)", "[w, 1 - w]"), "make the step shorter"),
        "the newest alone": (MIX.format("0", "[0, 1]"), "may be negative"),
    },
    "faster-larger-average": {
        "sums": (AVERAGE.format("t**-kappa", "(1 - rho) * s + rho * total"), "not sums"),
        "swapped": (
            AVERAGE.format("t**-kappa", "rho * s + (1 - rho) * total / n"),
            "the last batch decides alone",
        ),
        "plain mean": (
            AVERAGE.format("1 / t", "(1 - rho) * s + rho * total / n"),
            "the last batch decides alone",
        ),
        "kappa upside down": (
            AVERAGE.format("t ** (kappa - 1)", "(1 - rho) * s + rho * total / n"),
            "the last batch decides alone",
        ),
        "begins late": (
            AVERAGE.format("(t + 1) ** -kappa", "(1 - rho) * s + rho * total / n"),
            "all batches count alike",
        ),
        "does not fade": (
            AVERAGE.format("t**-kappa", "s * (kappa > 0) + rho * total / n"),
            "all batches count alike",
        ),
        "by the rows": (
            AVERAGE.format(
                "(n / sum(m for _, m in batches[:t])) ** kappa", "(1 - rho) * s + rho * total / n"
            ),
            "the size of a batch is no weight",
        ),
        "mean for every kappa above zero": (
            AVERAGE.format("1 / t if kappa else 1", "(1 - rho) * s + rho * total / n"),
            "fades by 1 - rho",
        ),
    },
}

RIGHT = {
    "faster-larger-jump": {
        "numbers and loops": """
first = [b - a for a, b in zip(theta0, theta1)]
second = [c - b for b, c in zip(theta1, theta2)]
bend = [s - f for f, s in zip(first, second)]
below = sum(b * b for b in bend) ** 0.5
a = max(sum(f * f for f in first) ** 0.5 / below, 1) if below else 1
return [x + 2 * a * f + a * a * b for x, f, b in zip(theta0, first, bend)]
""",
        "by the points": """
x, y, z = np.array(theta0), np.array(theta1), np.array(theta2)
with np.errstate(all="ignore"):
    a = np.nan_to_num(np.linalg.norm(y - x) / np.linalg.norm(z - 2 * y + x), posinf=1)
a = max(a, 1)
return (1 - a) ** 2 * x + 2 * a * (1 - a) * y + a**2 * z
""",
    },
    "faster-larger-mix": {
        "least squares": """
column = np.subtract(delta0, delta1)[:, None]
w0 = np.linalg.lstsq(column, -np.array(delta1), rcond=None)[0][0]
return np.array([w0, 1 - w0])
""",
        "Lagrange": """
steps = np.array([delta0, delta1])
system = np.block([[2 * steps @ steps.T, np.ones((2, 1))], [np.ones((1, 2)), 0]])
return tuple(np.linalg.solve(system, [0, 0, 1])[:2])
""",
    },
    "faster-larger-average": {
        "all weights first": """
weights = []
for t in range(1, len(batches) + 1):
    weights = [w * (1 - t**-kappa) for w in weights] + [t**-kappa]
return sum(w * s / n for w, (s, n) in zip(weights, batches))
""",
        "recursive": """
if not batches:
    return np.float64(0)
rho = 1 / len(batches) ** kappa
s, n = batches[-1]
return average(batches[:-1], kappa) * (1 - rho) + rho * s / n
""",
    },
}


class TestFasterLarger(Answers):
    name, wrong, right = "13_faster_larger", WRONG, RIGHT
