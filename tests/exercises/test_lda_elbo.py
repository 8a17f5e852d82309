"""Named wrong answers to the exercises on the LDA bound fail with their hint; right ones pass."""

import pytest

from latent_em.book import notebooks

CELLS = {
    cell.metadata["nbgrader"]["grade_id"]: cell.source
    for cell in notebooks.read(notebooks.BOOK / "exercises" / "11_lda_elbo.ipynb").cells
    if cell.cell_type == "code"
}

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

RIGHT = [
    ("topic-terms", TERMS.format(LOG_BETA, ENTROPY)),
    (
        "topic-terms",
        "from scipy.stats import dirichlet\n"
        + TERMS.format(LOG_BETA, "sum(dirichlet(row).entropy() for row in lambda_)"),
    ),
    ("entropy", ENTROPY_THETA.format(
        "gammaln(gamma).sum() - gammaln(total).sum() - ((gamma - 1) * elog_theta).sum()")),
    ("entropy", "from scipy.stats import dirichlet\n"
        "def entropy_theta(gamma):\n    return np.sum([dirichlet(g).entropy() for g in gamma])\n"),
    ("excess", "def excess(alpha, lengths):\n"
        "    return (1 - len(alpha)) * np.sum(gammaln(np.sum(alpha) + np.array(lengths)))\n"),
    ("excess", "def excess(alpha, lengths):\n    total = 0\n    for n in lengths:\n"
        "        total -= (len(alpha) - 1) * gammaln(sum(alpha) + n)\n    return total\n"),
    ("gamma", GAMMA.format(LOG_THETA, LOG_BETA_KV, SHIFTED)),
    ("gamma", "from scipy.special import softmax\n" + GAMMA.format(LOG_THETA, LOG_BETA_KV,
        "return list(alpha + softmax(T[:, None] + B, axis=0) @ counts)")),
    ("totals", "def totals(n_topics, n_words, lengths, alpha, eta):\n"
        "    return [sum(n + n_topics * alpha for n in lengths),"
        " n_topics * n_words * eta + sum(lengths)]\n"),
    ("totals", "def totals(n_topics, n_words, lengths, alpha, eta):\n"
        "    n, priors = np.array(lengths), np.full((n_topics, n_words), eta)\n"
        "    return (n + alpha * n_topics).sum(), n.sum() + priors.sum()\n"),
    ("copies", "def bound_of_copies(bound, topics, copies):\n"
        "    return bound + (copies - 1) * (bound - topics)\n"),
    ("copies", "def bound_of_copies(bound, topics, copies):\n"
        "    return np.float64(copies * bound - (copies - 1) * topics)\n"),
]  # fmt: skip

WRONG = [
    ("topic-terms", TERMS.format(LOG_BETA.replace("len(lambda_) * ", ""), ENTROPY),
        "each topic has a log B(eta) of its own"),
    ("topic-terms",
        TERMS.format(LOG_BETA, "(log_b(lambda_)[:, None] - (lambda_ - 1) * elog).sum()"),
        "which sums does log B stand in"),
    ("topic-terms", TERMS.format(LOG_BETA, f"-({ENTROPY})"), "which sums does log B stand in"),
    ("topic-terms", TERMS.format(LOG_BETA, ENTROPY).replace(
        " - psi(lambda_.sum(axis=1, keepdims=True))", ""), "less psi of the topic's total"),
    ("topic-terms", TERMS.format(LOG_BETA, ENTROPY).replace(
        "elog = psi(lambda_) - psi(", "elog = np.log(lambda_) - np.log("),
        "less psi of the topic's total"),
    ("topic-terms", TERMS.format(LOG_BETA, ENTROPY.replace("- ((", "+ ((")),
        "signs of both constants"),
    ("entropy", ENTROPY_THETA.format(
        "(gammaln(gamma) - gammaln(total)[:, None] - (gamma - 1) * elog_theta).sum()"),
        "how often is log Gamma"),
    ("entropy", ENTROPY_THETA.format("gammaln(gamma).sum() - ((gamma - 1) * elog_theta).sum()"),
        "the density 2 everywhere"),
    ("entropy", ENTROPY_THETA.format(
        "gammaln(gamma).sum() - gammaln(total)[0] - ((gamma - 1) * elog_theta).sum()"),
        "every document has a total of its own"),
    ("excess", "def excess(alpha, lengths):\n"
        "    return -len(alpha) * np.sum(gammaln(np.sum(alpha) + np.array(lengths)))\n",
        "nothing is counted twice"),
    ("excess", "def excess(alpha, lengths):\n"
        "    return (len(alpha) - 1) * np.sum(gammaln(np.sum(alpha) + np.array(lengths)))\n",
        "it subtracts too much"),
    ("excess", "def excess(alpha, lengths):\n"
        "    return (1 - len(alpha)) * np.sum(gammaln(np.array(lengths) + 3.5))\n",
        "after an update"),
    ("excess", "def excess(alpha, lengths):\n"
        "    return (1 - len(alpha)) * gammaln(np.sum(alpha) + np.sum(lengths))\n",
        "add over the documents"),
    ("gamma", GAMMA.format(LOG_THETA, LOG_BETA_KV, SHIFTED.replace("alpha + ", "")),
        "the sum of alpha plus the number of tokens"),
    ("gamma", GAMMA.format(LOG_THETA, LOG_BETA_KV, SHIFTED.replace("@ counts", "@ (counts > 0)")),
        "the sum of alpha plus the number of tokens"),
    ("gamma", GAMMA.format("np.log(gamma)", "np.log(lambda_ / lambda_.sum(axis=1, keepdims=True))",
        SHIFTED), "a surer topic gets more"),
    ("gamma", GAMMA.format(LOG_THETA, "psi(lambda_)", SHIFTED), "psi of each topic's total too"),
    ("gamma-small", GAMMA.format(LOG_THETA, LOG_BETA_KV, PLAIN), "exp(psi(0.001)) is 0"),
    ("gamma-small", GAMMA.format(LOG_THETA, LOG_BETA_KV, BY_PARTS), "exp(psi(0.001)) is 0"),
    ("totals", "def totals(n_topics, n_words, lengths, alpha, eta):\n"
        "    return sum(lengths) + len(lengths) * n_topics * alpha, sum(lengths) + n_words * eta\n",
        "every topic has a prior"),
    ("totals", "def totals(n_topics, n_words, lengths, alpha, eta):\n"
        "    return sum(lengths) + n_topics * alpha, sum(lengths) + n_topics * n_words * eta\n",
        "every document has a prior"),
    ("totals", "def totals(n_topics, n_words, lengths, alpha, eta):\n"
        "    return sum(lengths) + 8 * alpha, sum(lengths) + 8 * eta\n", "where they stand"),
    ("copies", "def bound_of_copies(bound, topics, copies):\n    return copies * bound\n",
        "the topics are not"),
    ("copies", "def bound_of_copies(bound, topics, copies):\n"
        "    return copies * bound + topics\n", "the corpus itself"),
    ("copies", "def bound_of_copies(bound, topics, copies):\n"
        "    return bound + (copies - 1) * topics\n", "which part of the bound is a sum"),
]  # fmt: skip


def run(exercise, answer):
    """Run set-up, answer and check; for "gamma-small" the answer must pass "gamma" before."""
    space = {}
    for source in (CELLS["lda-elbo-setup"], answer):
        exec(source, space)
    if exercise == "gamma-small":
        exec(CELLS["lda-elbo-gamma-check"], space)
    exec(CELLS[f"lda-elbo-{exercise}-check"], space)


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_right_answers_pass(exercise, answer):
    run(exercise, answer)
    if exercise == "gamma":
        run("gamma-small", answer)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG)
def test_wrong_answers_get_their_hint(exercise, answer, hint):
    with pytest.raises(AssertionError) as failure:
        run(exercise, answer)
    assert hint in str(failure.value)
