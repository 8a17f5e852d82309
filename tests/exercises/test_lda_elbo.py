"""Named wrong answers to the exercises on the LDA bound fail with their hint; right ones pass."""

from exercise_suite import Answers

TERMS = """
def topic_terms(lambda_, eta):
    lambda_, eta = np.asarray(lambda_), np.asarray(eta)
    elog = psi(lambda_) - psi(lambda_.sum(axis=1, keepdims=True))
    log_b = lambda a: gammaln(a).sum(axis=-1) - gammaln(a.sum(axis=-1))
    return {0}, {1}
"""
LOG_BETA = "((eta - 1) * elog).sum() - len(lambda_) * log_b(eta)"
ENTROPY = "(log_b(lambda_) - ((lambda_ - 1) * elog).sum(axis=1)).sum()"

ENTROPY_THETA = """
def entropy_theta(gamma):
    gamma = np.asarray(gamma)
    total = gamma.sum(axis=1)
    elog_theta = psi(gamma) - psi(total)[:, None]
    return {0}
"""

GAMMA = """
def update_gamma(counts, gamma, lambda_, alpha):
    T = {0}
    B = {1}
    {2}
"""
LOG_THETA = "psi(gamma) - psi(np.sum(gamma))"
LOG_BETA_KV = "psi(lambda_) - psi(np.sum(lambda_, axis=1, keepdims=True))"
SHIFTED = """phi = np.exp(T[:, None] + B - np.max(T[:, None] + B, axis=0))
    return alpha + (phi / phi.sum(axis=0)) @ counts"""
PLAIN = """phi = np.exp(T)[:, None] * np.exp(B)
    return alpha + (phi / phi.sum(axis=0)) @ counts"""
BY_PARTS = """phi = np.exp(T - T.max())[:, None] * np.exp(B - B.max(axis=0))
    return alpha + (phi / phi.sum(axis=0)) @ counts"""

RIGHT = {
    "lda-elbo-topic-terms": {
        "NumPy": (TERMS.format(LOG_BETA, ENTROPY)),
        "SciPy's entropy": (
            "from scipy.stats import dirichlet\n"
            + TERMS.format(LOG_BETA, "sum(dirichlet(row).entropy() for row in lambda_)")
        ),
    },
    "lda-elbo-entropy": {
        "NumPy": (
            ENTROPY_THETA.format(
                "gammaln(gamma).sum() - gammaln(total).sum() - ((gamma - 1) * elog_theta).sum()"
            )
        ),
        "SciPy": (
            "from scipy.stats import dirichlet\n"
            "def entropy_theta(gamma):\n"
            "    return np.sum([dirichlet(g).entropy() for g in gamma])\n"
        ),
    },
    "lda-elbo-excess": {
        "one sum": (
            "def excess(alpha, lengths):\n"
            "    return (1 - len(alpha)) * np.sum(gammaln(np.sum(alpha) + np.array(lengths)))\n"
        ),
        "document by document": (
            "def excess(alpha, lengths):\n    total = 0\n    for n in lengths:\n"
            "        total -= (len(alpha) - 1) * gammaln(sum(alpha) + n)\n    return total\n"
        ),
    },
    "lda-elbo-gamma": {
        "shifted": (GAMMA.format(LOG_THETA, LOG_BETA_KV, SHIFTED)),
        "SciPy's softmax": (
            "from scipy.special import softmax\n"
            + GAMMA.format(
                LOG_THETA,
                LOG_BETA_KV,
                "return list(alpha + softmax(T[:, None] + B, axis=0) @ counts)",
            )
        ),
    },
    "lda-elbo-totals": {
        "a list": (
            "def totals(n_topics, n_words, lengths, alpha, eta):\n"
            "    return [sum(n + n_topics * alpha for n in lengths),"
            " n_topics * n_words * eta + sum(lengths)]\n"
        ),
        "spread out": (
            "def totals(n_topics, n_words, lengths, alpha, eta):\n"
            "    n, priors = np.array(lengths), np.full((n_topics, n_words), eta)\n"
            "    return (n + alpha * n_topics).sum(), n.sum() + priors.sum()\n"
        ),
    },
    "lda-elbo-copies": {
        "copies added": (
            "def bound_of_copies(bound, topics, copies):\n"
            "    return bound + (copies - 1) * (bound - topics)\n"
        ),
        "NumPy's number": (
            "def bound_of_copies(bound, topics, copies):\n"
            "    return np.float64(copies * bound - (copies - 1) * topics)\n"
        ),
    },
}

WRONG = {
    "lda-elbo-topic-terms": {
        "one log B(eta) for all topics": (
            TERMS.format(LOG_BETA.replace("len(lambda_) * ", ""), ENTROPY),
            "each topic has a log B(eta) of its own",
        ),
        "log B for each word": (
            TERMS.format(LOG_BETA, "(log_b(lambda_)[:, None] - (lambda_ - 1) * elog).sum()"),
            "which sums does log B stand in",
        ),
        "entropy with its sign reversed": (
            TERMS.format(LOG_BETA, f"-({ENTROPY})"),
            "which sums does log B stand in",
        ),
        "a third term": (TERMS.format(LOG_BETA, ENTROPY + ", 0.0"), "two numbers"),
        "no psi of the total": (
            TERMS.format(LOG_BETA, ENTROPY).replace(
                " - psi(lambda_.sum(axis=1, keepdims=True))", ""
            ),
            "less psi of the topic's total",
        ),
        "logarithms of the means": (
            TERMS.format(LOG_BETA, ENTROPY).replace(
                "elog = psi(lambda_) - psi(", "elog = np.log(lambda_) - np.log("
            ),
            "less psi of the topic's total",
        ),
        "sign of the second term": (
            TERMS.format(LOG_BETA, ENTROPY.replace("- ((", "+ ((")),
            "signs of both constants",
        ),
    },
    "lda-elbo-entropy": {
        "log Gamma of the total for each topic": (
            ENTROPY_THETA.format(
                "(gammaln(gamma) - gammaln(total)[:, None] - (gamma - 1) * elog_theta).sum()"
            ),
            "how often is log Gamma",
        ),
        "log Gamma of the total left out": (
            ENTROPY_THETA.format("gammaln(gamma).sum() - ((gamma - 1) * elog_theta).sum()"),
            "the density 2 everywhere",
        ),
        "the first total for all": (
            ENTROPY_THETA.format(
                "gammaln(gamma).sum() - gammaln(total)[0] - ((gamma - 1) * elog_theta).sum()"
            ),
            "every document has a total of its own",
        ),
    },
    "lda-elbo-excess": {
        "all topics counted twice": (
            "def excess(alpha, lengths):\n"
            "    return -len(alpha) * np.sum(gammaln(np.sum(alpha) + np.array(lengths)))\n",
            "nothing is counted twice",
        ),
        "right less program": (
            "def excess(alpha, lengths):\n"
            "    return (len(alpha) - 1) * np.sum(gammaln(np.sum(alpha) + np.array(lengths)))\n",
            "it subtracts too much",
        ),
        "lengths with a fixed prior": (
            "def excess(alpha, lengths):\n"
            "    return (1 - len(alpha)) * np.sum(gammaln(np.array(lengths) + 3.5))\n",
            "after an update",
        ),
        "one total for all documents": (
            "def excess(alpha, lengths):\n"
            "    return (1 - len(alpha)) * gammaln(np.sum(alpha) + np.sum(lengths))\n",
            "add over the documents",
        ),
    },
    "lda-elbo-gamma": {
        "prior forgotten": (
            GAMMA.format(LOG_THETA, LOG_BETA_KV, SHIFTED.replace("alpha + ", "")),
            "the sum of alpha plus the number of tokens",
        ),
        "shares not added up": (
            GAMMA.format(LOG_THETA, LOG_BETA_KV, "return alpha[:, None] + np.exp(B) * counts"),
            "one number for each topic",
        ),
        "the first topic takes all": (
            GAMMA.format(LOG_THETA, LOG_BETA_KV, "return alpha + np.eye(len(T))[0] * counts.sum()"),
            "topics that are alike",
        ),
        "words counted once": (
            GAMMA.format(LOG_THETA, LOG_BETA_KV, SHIFTED.replace("@ counts", "@ (counts > 0)")),
            "the sum of alpha plus the number of tokens",
        ),
        "logarithms of the means": (
            GAMMA.format(
                "np.log(gamma)", "np.log(lambda_ / lambda_.sum(axis=1, keepdims=True))", SHIFTED
            ),
            "a surer topic gets more",
        ),
        "psi of the total left out": (
            GAMMA.format(LOG_THETA, "psi(lambda_)", SHIFTED),
            "psi of each topic's total too",
        ),
        "exponentials of the terms": (
            GAMMA.format(LOG_THETA, LOG_BETA_KV, PLAIN),
            "exp(psi(0.001)) is 0",
        ),
        "shifted term by term": (
            GAMMA.format(LOG_THETA, LOG_BETA_KV, BY_PARTS),
            "exp(psi(0.001)) is 0",
        ),
    },
    "lda-elbo-totals": {
        "one topic's prior": (
            "def totals(n_topics, n_words, lengths, alpha, eta):\n"
            "    of_gamma = sum(lengths) + len(lengths) * n_topics * alpha\n"
            "    return of_gamma, sum(lengths) + n_words * eta\n",
            "every topic has a prior",
        ),
        "one document's prior": (
            "def totals(n_topics, n_words, lengths, alpha, eta):\n"
            "    return sum(lengths) + n_topics * alpha, sum(lengths) + n_topics * n_words * eta\n",
            "every document has a prior",
        ),
        "eight of each": (
            "def totals(n_topics, n_words, lengths, alpha, eta):\n"
            "    return sum(lengths) + 8 * alpha, sum(lengths) + 8 * eta\n",
            "where they stand",
        ),
    },
    "lda-elbo-copies": {
        "everything doubled": (
            "def bound_of_copies(bound, topics, copies):\n    return copies * bound\n",
            "the topics are not",
        ),
        "topics added": (
            "def bound_of_copies(bound, topics, copies):\n    return copies * bound + topics\n",
            "the corpus itself",
        ),
        "topics doubled, documents not": (
            "def bound_of_copies(bound, topics, copies):\n"
            "    return bound + (copies - 1) * topics\n",
            "which part of the bound is a sum",
        ),
    },
}


class TestLDABound(Answers):
    name, wrong, right = "11_lda_elbo", WRONG, RIGHT
