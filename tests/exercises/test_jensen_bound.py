"""Answers to the exercises on Jensen's inequality and the bound, wrong and right, by name."""

import numpy as np
from exercise_suite import Answers

SIDES = "sides = dict(zip('ABCDEF', {}.split()))"
SLOPE, CURVATURE, GUESS = "slope = {}", "curvature = {}", "best_guess = {}"
VERDICTS = "verdicts = dict(zip('ABCD', {}.split()))"
GAP = """
log_posterior = log_joint - np.logaddexp.reduce(log_joint)
log_ratio = np.where(guess > 0, np.log(guess), 0) - log_posterior
return {}
"""
SAMPLES = """
log_weights = np.asarray(log_joint) - np.log([guess, 1 - guess])
total = 0.0
for j in range(n_draws + 1):
    with np.errstate(divide="ignore"):
        shares = np.log([j / n_draws, 1 - j / n_draws])
    total += {chance} * {log_mean}
return total
"""
SUM = {
    "chance": "binom.pmf(j, n_draws, guess)",
    "log_mean": "np.logaddexp.reduce(shares + log_weights)",
}
POWER = "log_w = log_joint - np.log(guess)\nreturn {}"

WRONG = {
    "jensen-which-way": {
        "the other way round": (
            SIDES.format("'above either below below above above'"),
            "the other way round",
        ),
        "all concave": (SIDES.format("'below below below below below below'"), "not all are right"),
        "all depend": (
            SIDES.format("'either either either either either either'"),
            "not all are right",
        ),
        "a cube is convex": (
            SIDES.format("'below above above above below below'"),
            "has it only one",
        ),
        "the logistic function for its logarithm": (
            SIDES.format("'below either above above below either'"),
            "not all are right",
        ),
        "a sine has both signs": (
            SIDES.format("'below either above above either below'"),
            "not all are right",
        ),
        "five entries": (SIDES.format("'below either above above below'"), "six entries"),
        "in other words": (SIDES.format("'< ? > > < <'"), "below, above or either"),
    },
    "jensen-slope": {
        "entropy forgotten": (SLOPE.format("sp.log(p1 / p2)"), "from a guess near 0"),
        "product rule forgotten": (
            SLOPE.format("sp.log(p1 / q1) - 1 - sp.log(p2 / (1 - q1)) - 1"),
            "slope zero",
        ),
        "sign of the second group": (
            SLOPE.format("sp.log(p1 / q1) + sp.log(p2 / (1 - q1))"),
            "slope zero",
        ),
        "minus": (SLOPE.format("sp.log(q1 / (1 - q1)) - sp.log(p1 / p2)"), "from a guess near 0"),
        "divided by the guess": (
            SLOPE.format("(sp.log(p1 / p2) - sp.log(q1 / (1 - q1))) / q1"),
            "do all logarithms",
        ),
        "joint probabilities forgotten": (
            SLOPE.format("-sp.log(q1 / (1 - q1))"),
            "do all logarithms",
        ),
        "in another symbol": (
            SLOPE.format("sp.log(sp.Symbol('r') / (1 - sp.Symbol('r')))"),
            "in q1, p1 and p2 alone",
        ),
    },
    "jensen-curvature": {
        "sign": (CURVATURE.format("1 / (q1 * (1 - q1))"), "bends downwards"),
        "one term": (CURVATURE.format("-1 / q1"), "two terms"),
        "difference of the terms": (CURVATURE.format("-1 / q1 + 1 / (1 - q1)"), "two terms"),
        "halved": (CURVATURE.format("-1 / (2 * q1 * (1 - q1))"), "a second difference"),
        "squared": (CURVATURE.format("-1 / (q1 * (1 - q1)) ** 2"), "a second difference"),
        "turned over": (CURVATURE.format("-q1 * (1 - q1)"), "a second difference"),
        "with the joint": (
            CURVATURE.format("-sp.Symbol('p1') / q1 - sp.Symbol('p2') / (1 - q1)"),
            "drop out",
        ),
    },
    "jensen-best-guess": {
        "the other group": (GUESS.format("p2 / (p1 + p2)"), "the more probable group 1 is"),
        "one half": (GUESS.format("sp.Rational(1, 2)"), "the more probable group 1 is"),
        "odds": (GUESS.format("p1 / p2"), "a guess is a probability"),
        "not divided": (GUESS.format("p1"), "where the slope is zero"),
        "of the squares": (GUESS.format("p1**2 / (p1**2 + p2**2)"), "where the slope is zero"),
        "of the roots": (
            GUESS.format("sp.sqrt(p1) / (sp.sqrt(p1) + sp.sqrt(p2))"),
            "where the slope is zero",
        ),
        "with the guess in it": (GUESS.format("p1 * sp.Symbol('q1') / p2"), "in p1 and p2 alone"),
    },
    "jensen-claims": {
        "all bounds from below": (
            VERDICTS.format("'lower lower lower lower'"),
            "not all are right",
        ),
        "weights do not matter": (
            VERDICTS.format("'lower lower lower upper'"),
            "not all are right",
        ),
        "A sinks without limit": (
            VERDICTS.format("'neither neither lower upper'"),
            "not all are right",
        ),
        "C is a logarithm of a mean": (
            VERDICTS.format("'lower neither upper upper'"),
            "not all are right",
        ),
        "KL has no sign": (
            VERDICTS.format("'lower neither lower neither'"),
            "not all are right",
        ),
        "three entries": (VERDICTS.format("'lower neither lower'"), "four entries"),
        "in other words": (VERDICTS.format("'below none below above'"), "lower, upper or"),
    },
    "jensen-gap": {
        "the colleague's": (
            "joint = np.exp(log_joint)\n"
            "posterior = joint / joint.sum()\n"
            "return (posterior * np.log(posterior / guess)).sum()",
            "with what does ELBO average",
        ),
        "mended by half": (
            "joint = np.exp(log_joint)\n"
            "posterior = joint / joint.sum()\n"
            "return (guess * np.log(guess / posterior)).sum()",
            "a group without a guess",
        ),
        "zeros seen to": (
            "joint = np.exp(log_joint)\n"
            "posterior, kept = joint / joint.sum(), guess > 0\n"
            "return (guess[kept] * np.log(guess[kept] / posterior[kept])).sum()",
            "exp(-3000) is zero",
        ),
        "sign": (GAP.format("-(guess * log_ratio).sum()"), "guess over posterior"),
        "not normalised": (
            "kept = guess > 0\n"
            "return guess[kept] @ (np.log(guess[kept]) - log_joint[kept] + np.log(0.4))",
            "a common factor of the joint",
        ),
        "averaged with weights of its own": (
            GAP.format("(guess * log_ratio).sum() * 2 / len(guess)"),
            "it must add",
        ),
        "a number for each group": (GAP.format("guess * log_ratio"), "one number"),
    },
    "jensen-multi-sample": {
        "no binomial coefficients": (
            SAMPLES.format(**SUM | {"chance": "guess**j * (1 - guess) ** (n_draws - j)"}),
            "in two orders",
        ),
        "every number of hits alike": (
            SAMPLES.format(**SUM | {"chance": "1 / (n_draws + 1)"}),
            "the bound of the chapter",
        ),
        "sum for mean": (
            SAMPLES.format(**SUM).replace("return total", "return total + np.log(n_draws)"),
            "the mean of the weights",
        ),
        "the expectation first": (
            "return np.logaddexp.reduce(np.asarray(log_joint))",
            "the bound of the chapter",
        ),
        "the expectation first, for more draws": (
            SAMPLES.format(**SUM).replace(
                "return total",
                "return total if n_draws == 1 else np.logaddexp.reduce(np.asarray(log_joint))",
            ),
            "the logarithm first",
        ),
        "one draw, whatever S": (
            SAMPLES.format(**SUM).replace("total = 0.0", "total = 0.0; n_draws = 1"),
            "in two orders",
        ),
        "groups exchanged": (
            SAMPLES.format(**SUM | {"chance": "binom.pmf(j, n_draws, 1 - guess)"}),
            "the bound of the chapter",
        ),
        "term by term, in logarithms": (
            "log_w = np.asarray(log_joint) - np.log([guess, 1 - guess])\n"
            "return n_draws * (guess * log_w[0] + (1 - guess) * log_w[1])",
            "in two orders",
        ),
        "few orders counted": (
            SAMPLES.format(**SUM).replace(
                "total = 0.0", "n_draws = n_draws if n_draws < 7 else 6; total = 0.0"
            ),
            "it rises with S",
        ),
        "right for two draws only": (
            SAMPLES.format(**SUM).replace("total = 0.0", "n_draws = min(n_draws, 2); total = 0.0"),
            "three draws",
        ),
        "weights that underflow": (
            "w = np.exp(log_joint) / [guess, 1 - guess]\n"
            "j = np.arange(n_draws + 1)\n"
            "means = (j * w[0] + (n_draws - j) * w[1]) / n_draws\n"
            "return binom.pmf(j, n_draws, guess) @ np.log(means)",
            "exp(-2000) is zero",
        ),
        "the smallest number put in": (
            "w = np.exp(log_joint) / [guess, 1 - guess]\n"
            "j = np.arange(n_draws + 1)\n"
            "means = (j * w[0] + (n_draws - j) * w[1]) / n_draws\n"
            "return binom.pmf(j, n_draws, guess) @ np.log(means + 1e-300)",
            "a common factor",
        ),
        "a number for each term": (
            "log_w = np.asarray(log_joint) - np.log([guess, 1 - guess])\nreturn log_w",
            "one number",
        ),
    },
    "jensen-power": {
        "no root": (POWER.format("np.logaddexp.reduce(np.log(guess) + a * log_w)"), "the root"),
        "not averaged": (POWER.format("np.logaddexp.reduce(a * log_w) / a"), "with the guess"),
        "powers of the joint": (
            POWER.format("np.logaddexp.reduce(np.log(guess) + a * log_joint) / a"),
            "powers of the weights",
        ),
        "the evidence, whatever a": (
            POWER.format("np.logaddexp.reduce(log_joint)"),
            "powers of the weights",
        ),
        "the ELBO, whatever a": (POWER.format("guess @ log_w"), "powers of the weights"),
        "the square, whatever a": (
            POWER.format("np.logaddexp.reduce(np.log(guess) + 2 * log_w) / 2"),
            "the plain average",
        ),
        "no logarithms": (
            "w = np.exp(log_joint) / guess\nreturn np.log(guess @ w**a) / a",
            "exp(-4000) is zero",
        ),
        "the smallest number put in": (
            "w = np.exp(log_joint) / guess\nreturn np.log(guess @ w**a + 1e-300) / a",
            "a common factor",
        ),
        "shift put back without the root": (
            POWER.format(
                "np.log(guess @ np.exp(a * (log_w - log_w.max()))) / a"
                " + log_w.max() * (a if a == 3 else 1)"
            ),
            "the root undoes the power",
        ),
        "one and two only": (
            POWER.format("np.logaddexp.reduce(np.log(guess) + np.round(a) * log_w) / np.round(a)"),
            "it rises with a",
        ),
        "never below a half": (
            POWER.format(
                "(lambda b: np.logaddexp.reduce(np.log(guess) + b * log_w) / b)"
                "(a if a > 0.1 else 0.2)"
            ),
            "it must become the ELBO",
        ),
        "a number for each group": (POWER.format("log_w"), "one number"),
    },
}

RIGHT = {
    "jensen-which-way": {
        "listed": SIDES.format("'below either above above below below'"),
        "by the sign of the second derivative": (
            "words = {-1: 'below', 0: 'either', 1: 'above'}\n"
            "sides = {k: words[s] for k, s in zip('FEDCBA', (-1, -1, 1, 1, 0, -1))}"
        ),
    },
    "jensen-slope": {
        "group by group": SLOPE.format("sp.log(p1 / q1) - sp.log(p2 / (1 - q1))"),
        "one logarithm": SLOPE.format("sp.log(p1 * (1 - q1) / (p2 * q1))"),
        "SymPy": SLOPE.format(
            "sp.diff(q1 * sp.log(p1 / q1) + (1 - q1) * sp.log(p2 / (1 - q1)), q1)"
        ),
    },
    "jensen-curvature": {
        "two terms": CURVATURE.format("-1 / q1 - 1 / (1 - q1)"),
        "multiplied out": CURVATURE.format("1 / (q1**2 - q1)"),
    },
    "jensen-best-guess": {
        "by the odds": GUESS.format("1 / (1 + p2 / p1)"),
        "the rest": GUESS.format("1 - p2 / (p1 + p2)"),
    },
    "jensen-claims": {
        "listed": VERDICTS.format("'lower neither lower upper'"),
        "grouped": "verdicts = dict.fromkeys('AC', 'lower') | {'B': 'neither', 'D': 'upper'}",
    },
    "jensen-gap": {
        "evidence less bound": (
            "bound = 0.0\n"
            "for q, log_p in zip(guess, log_joint):\n"
            "    bound += q * (log_p - np.log(q)) if q > 0 else 0.0\n"
            "return np.logaddexp.reduce(log_joint) - bound"
        ),
        "SciPy": (
            "from scipy.special import log_softmax, xlogy\n"
            "return np.sum(xlogy(guess, guess) - guess * log_softmax(log_joint))"
        ),
    },
    "jensen-multi-sample": {
        "hit by hit": SAMPLES.format(**SUM),
        "shifted": (
            "log_w = np.asarray(log_joint) - np.log([guess, 1 - guess])\n"
            "w = np.exp(log_w - log_w.max())\n"
            "hits = np.arange(n_draws + 1)\n"
            "means = hits / n_draws * w[0] + (1 - hits / n_draws) * w[1]\n"
            "return np.sum(binom.pmf(hits, n_draws, guess) * np.log(means)) + log_w.max()"
        ),
    },
    "jensen-power": {
        "SciPy": (
            "from scipy.special import logsumexp\n"
            "return logsumexp(a * (log_joint - np.log(guess)), b=guess) / a"
        ),
        "one logarithm of the guess": POWER.format(
            "np.logaddexp.reduce(a * log_joint + (1 - a) * np.log(guess)) / a"
        ),
        "shifted": POWER.format(
            "log_w.max() + np.log(guess @ np.exp(a * (log_w - log_w.max()))) / a"
        ),
    },
}


class TestJensenBound(Answers):
    name, wrong, right = "04_jensen_bound", WRONG, RIGHT

    def test_averages_of_random_numbers_move_as_the_answer_says(self):
        rng = np.random.default_rng(0)
        curves = {
            "A": (np.sqrt, 0, 9),
            "B": (lambda u: u**3, -3, 3),
            "C": (lambda u: np.log1p(np.exp(u)), -4, 4),
            "D": (lambda u: u * np.log(u), 0, 9),
            "E": (np.sin, 0, np.pi),
            "F": (lambda u: -np.log1p(np.exp(-u)), -4, 4),
        }
        sides = self.solved("jensen-which-way")["sides"]
        for name, (f, low, high) in curves.items():
            p, u = rng.dirichlet(np.ones(3), size=2000), rng.uniform(low, high, size=(2000, 3))
            above = ((p * f(u)).sum(axis=1) > f((p * u).sum(axis=1))).mean()
            assert sides[name] == {0: "below", 1: "above"}.get(float(above), "either")

    def test_the_claims_hold_in_random_models(self):
        rng = np.random.default_rng(0)
        pi, q = rng.dirichlet(np.ones(3), size=(2, 5000))
        scale = rng.choice([0.1, 10], size=(5000, 1))
        joint = pi * (rng.gamma(0.5, size=(5000, 3)) * scale + 1e-6)
        evidence = joint.sum(axis=1, keepdims=True)
        claims = {
            "A": (q * np.log(joint)).sum(axis=1),
            "B": (q * np.log(joint / pi / q)).sum(axis=1),
            "C": np.log((q * joint).sum(axis=1)),
            "D": (joint / evidence * np.log(joint / q)).sum(axis=1),
        }
        verdicts = self.solved("jensen-claims")["verdicts"]
        for name, claim in claims.items():
            above = (claim > np.log(evidence[:, 0])).mean()
            assert verdicts[name] == {0: "lower", 1: "upper"}.get(float(above), "neither")
