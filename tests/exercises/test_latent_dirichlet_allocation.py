"""Right and wrong answers to the exercises on the model of LDA, each with the hint it must get."""

from exercise_suite import Answers

RIGHT = {
    "lda-model-log-covariance": {
        "diagonal added": """
def log_covariance(alpha):
    table = np.full((len(alpha), len(alpha)), -polygamma(1, sum(alpha)))
    table[np.diag_indices(len(alpha))] += polygamma(1, alpha)
    return table
""",
        "lists, entry by entry": """
def log_covariance(alpha):
    shared = float(polygamma(1, sum(alpha)))
    return [
        [float(polygamma(1, a)) * (j == k) - shared for k in range(len(alpha))]
        for j, a in enumerate(alpha)
    ]
""",
    },
    "lda-model-urn": {
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
    "lda-model-document": {
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
    "lda-model-log-covariance": {
        "variances only": ("return np.diag(polygamma(1, alpha))[0]", "one entry for each pair"),
        "trigamma off by one": (
            "a = np.array(alpha)\nreturn np.diag(polygamma(1, a)) - polygamma(1, a.sum() + 1)",
            "compare an entry",
        ),
        "independent logarithms": (
            "return np.diag(polygamma(1, alpha))",
            "holds all the parameters",
        ),
        "shared term on the diagonal only": (
            "return np.diag(polygamma(1, alpha) - polygamma(1, np.sum(alpha)))",
            "a term that holds all the parameters",
        ),
        "plus": ("return np.diag(polygamma(1, alpha)) + polygamma(1, np.sum(alpha))", "which sign"),
        "digamma": (
            "return np.diag(polygamma(0, alpha)) - polygamma(0, np.sum(alpha))",
            "which derivative",
        ),
        "tetragamma": (
            "return np.diag(polygamma(2, alpha)) - polygamma(2, np.sum(alpha))",
            "which deriv",
        ),
        "of the shares": (
            "m = np.array(alpha) / np.sum(alpha)\n"
            "return (np.diag(m) - np.outer(m, m)) / (1 + sum(alpha))",
            "so the shares scatter",
        ),
        "trigamma at the mean": (
            "return np.diag(polygamma(1, alpha)) - polygamma(1, np.mean(alpha))",
            "a variance is positive",
        ),
    },
    "lda-model-urn": {
        "counts the draw itself": (
            URN.format(step="balls[k] += 1; found.append(balls[k] / balls.sum())"),
            "after its draw",
        ),
        "no prior": (
            URN.format(step="n = draws[:i].count(k); found.append(n / max(i, 1))"),
            "alpha alone decides",
        ),
        "mean of a symmetric prior": (
            URN.format(step="found.append(1 / len(alpha))"),
            "alpha alone decides",
        ),
        "forgets": (
            URN.format(step="found.append(balls[k] / balls.sum())"),
            "likelier next",
        ),
        "fixed total": (
            URN.format(step="found.append(balls[k] / sum(alpha)); balls[k] += 1"),
            "add up to one",
        ),
        "remembers the last only": (
            URN.format(
                step="p = np.array(alpha) + (np.arange(len(alpha)) == (draws[i - 1] if i else -1));"
                " found.append(p[k] / p.sum())"
            ),
            "know of all those before it",
        ),
        "running product": (
            URN.format(
                step="found.append((found or [1])[-1] * balls[k] / balls.sum()); balls[k] += 1"
            ),
            "add up to one",
        ),
        "the last alone": (
            URN.format(step="p = balls[k] / balls.sum(); balls[k] += 1").replace("found\n", "p\n"),
            "one probability for each draw",
        ),
    },
    "lda-model-document": {
        "no 1 / B": (SUM.format(norm="1"), "mean shares decide"),
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
        "halfway between one topic and many": (
            "def document_probability(words, beta, alpha):\n"
            "    mean, beta = np.array(alpha) / sum(alpha), np.array(beta)\n"
            "    one = mean @ np.prod(beta[:, words], axis=1)\n"
            "    return (one + np.prod(mean @ beta[:, words])) / 2",
            "integrate over the shares",
        ),
        "two topics only": (
            SUM.format(norm=NORM).replace("range(len(alpha))", "range(2)"),
            "three topics",
        ),
    },
}


class TestLatentDirichletAllocation(Answers):
    name, wrong, right = "10_latent_dirichlet_allocation", WRONG, RIGHT
