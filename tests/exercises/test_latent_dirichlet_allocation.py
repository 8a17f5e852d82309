"""Right and wrong answers to the exercises on the model of LDA, each with the hint it must get."""

import contextlib

import numpy as np
import pytest

from latent_em.book import notebooks

NOTEBOOK = notebooks.BOOK / "exercises" / "10_latent_dirichlet_allocation.ipynb"
CELLS = {
    cell.metadata["nbgrader"]["grade_id"]: cell.source
    for cell in notebooks.read(NOTEBOOK).cells
    if cell.cell_type == "code"
}

RIGHT = {
    "log-covariance": {
        "the book's": None,
        "lists, entry by entry": """
def log_covariance(alpha):
    shared = float(polygamma(1, sum(alpha)))
    return [
        [float(polygamma(1, a)) * (j == k) - shared for k in range(len(alpha))]
        for j, a in enumerate(alpha)
    ]
""",
    },
    "urn": {
        "the book's": None,
        "counting in a generator's list": """
def urn(draws, alpha):
    return [
        (alpha[k] + draws[:i].count(k)) / (sum(alpha) + i) for i, k in enumerate(draws)
    ]
""",
        "ratios of B": """
def urn(draws, alpha):
    def log_b(z):
        n = np.array(alpha) + np.bincount(z, minlength=len(alpha))
        return gammaln(n).sum() - gammaln(n.sum())

    z = [np.array(draws[:i], dtype=int) for i in range(len(draws) + 1)]
    return tuple(np.exp(np.diff([log_b(each) for each in z])))
""",
    },
    "document": {
        "the book's": None,
        "collapsed": """
def document_probability(words, beta, alpha):
    alpha, total = np.array(alpha), 0
    for z in product(range(len(alpha)), repeat=len(words)):
        n = alpha + np.bincount(np.array(z, dtype=int), minlength=len(alpha))
        log_p = gammaln(n).sum() - gammaln(n.sum())
        log_p += sum(np.log(beta[k][v]) for k, v in zip(z, words))
        total += np.exp(log_p)
    return total / np.exp(gammaln(alpha).sum() - gammaln(alpha.sum()))
""",
        "one token after the other, by counts": """
def document_probability(words, beta, alpha):
    states = {tuple(alpha): 1.0}
    for v in words:
        after = {}
        for balls, p in states.items():
            for k in range(len(balls)):
                key = balls[:k] + (balls[k] + 1,) + balls[k + 1 :]
                after[key] = after.get(key, 0) + p * balls[k] / sum(balls) * beta[k][v]
        states = after
    return sum(states.values())
""",
    },
}

URN = """
def urn(draws, alpha):
    balls, found = np.array(alpha, dtype=float), []
    for i, k in enumerate(draws):
        {step}
    return found
"""
SUM = """
def document_probability(words, beta, alpha):
    alpha, total = np.array(alpha), 0
    for z in product(range(len(alpha)), repeat=len(words)):
        n = alpha + np.bincount(np.array(z, dtype=int), minlength=len(alpha))
        p = np.exp(gammaln(n).sum() - gammaln(n.sum()))
        p /= {norm}
        total += p * np.prod([beta[k][v] for k, v in zip(z, words)])
    return total
"""
NORM = "np.exp(gammaln(alpha).sum() - gammaln(alpha.sum()))"

WRONG = {
    "log-covariance": {
        "variances only": ("np.diag(polygamma(1, alpha))[0]", "one entry for each pair"),
        "independent logarithms": ("np.diag(polygamma(1, alpha))", "holds all the parameters"),
        "shared term on the diagonal only": (
            "np.diag(polygamma(1, alpha) - polygamma(1, np.sum(alpha)))",
            "a term that holds all the parameters",
        ),
        "plus": ("np.diag(polygamma(1, alpha)) + polygamma(1, np.sum(alpha))", "which sign"),
        "digamma": (
            "np.diag(polygamma(0, alpha)) - polygamma(0, np.sum(alpha))",
            "which derivative",
        ),
        "tetragamma": ("np.diag(polygamma(2, alpha)) - polygamma(2, np.sum(alpha))", "which deriv"),
        "of the shares": (
            "(np.diag(m := np.array(alpha) / np.sum(alpha)) - np.outer(m, m)) / (1 + sum(alpha))",
            "so the shares scatter",
        ),
        "trigamma at the mean": (
            "np.diag(polygamma(1, alpha)) - polygamma(1, np.mean(alpha))",
            "a variance is positive|compare entry",
        ),
    },
    "urn": {
        "counts the draw itself": (
            "balls[k] += 1; found.append(balls[k] / balls.sum())",
            "after its draw",
        ),
        "no prior": ("n = draws[:i].count(k); found.append(n / max(i, 1))", "alpha alone decides"),
        "mean of a symmetric prior": ("found.append(1 / len(alpha))", "alpha alone decides"),
        "forgets": ("found.append(balls[k] / balls.sum())", "know of all those before it"),
        "fixed total": ("found.append(balls[k] / sum(alpha)); balls[k] += 1", "add up to one"),
        "remembers the last only": (
            "p = np.array(alpha) + (np.arange(len(alpha)) == (draws[i - 1] if i else -1));"
            " found.append(p[k] / p.sum())",
            "know of all those before it",
        ),
        "running product": (
            "found.append((found or [1])[-1] * balls[k] / balls.sum()); balls[k] += 1",
            "add up to one",
        ),
    },
    "document": {
        "no 1 / B": (SUM.format(norm="1"), "mean shares decide|not its logarithm"),
        "multinomial coefficient": (
            SUM.format(norm=NORM).replace(
                "return total",
                "return total * np.exp(gammaln(len(words) + 1)"
                " - gammaln(np.bincount(words) + 1).sum())",
            ),
            "over all sequences",
        ),
        "logarithm": (
            SUM.format(norm=NORM).replace("return total", "return np.log(total)"),
            "not its logarithm",
        ),
        "mean shares for all": (
            "def document_probability(words, beta, alpha):\n"
            "    return np.prod(np.array(alpha) / sum(alpha) @ np.array(beta)[:, words])",
            "the same shares",
        ),
        "one topic for all": (
            "def document_probability(words, beta, alpha):\n"
            "    return np.array(alpha) / sum(alpha) @ np.prod(np.array(beta)[:, words], axis=1)",
            "a topic of its own",
        ),
        "symmetric prior": (
            "def document_probability(words, beta, alpha):\n    alpha = [1] * len(alpha)\n"
            + SUM.format(norm=NORM).split("\n", 2)[2],
            "mean shares decide",
        ),
        "two topics only": (
            SUM.format(norm=NORM).replace("range(len(alpha))", "range(2)"),
            "three topics",
        ),
    },
}


def check(exercise, answer):
    """Run the set-up, an answer and its check; a warning or a print changes nothing."""
    space = {}
    with contextlib.redirect_stdout(None), np.errstate(all="ignore"):
        for source in (CELLS["lda-model-setup"], answer, CELLS[f"lda-model-{exercise}-check"]):
            exec(source, space)


@pytest.mark.parametrize(
    ("exercise", "name"), [(exercise, name) for exercise in RIGHT for name in RIGHT[exercise]]
)
def test_right_answers_pass(exercise, name):
    check(exercise, RIGHT[exercise][name] or CELLS[f"lda-model-{exercise}"])


@pytest.mark.parametrize(
    ("exercise", "name"), [(exercise, name) for exercise in WRONG for name in WRONG[exercise]]
)
def test_wrong_answers_get_their_hint(exercise, name):
    answer, hint = WRONG[exercise][name]
    if exercise == "log-covariance":
        answer = f"def log_covariance(alpha):\n    return {answer}"
    if exercise == "urn":
        answer = URN.format(step=answer)
    with pytest.raises(AssertionError, match=hint):
        check(exercise, answer)


@pytest.mark.parametrize("exercise", RIGHT)
@pytest.mark.parametrize("seed", range(20))
def test_other_seeds_judge_alike(exercise, seed, monkeypatch):
    monkeypatch.setitem(
        CELLS, "lda-model-setup", CELLS["lda-model-setup"].replace("SEED = 10", f"SEED = {seed}")
    )
    check(exercise, CELLS[f"lda-model-{exercise}"])
