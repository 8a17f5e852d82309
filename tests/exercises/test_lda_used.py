"""Named wrong answers to the exercises on the use of LDA fail with their hint; right ones pass."""

from exercise_suite import Answers

SHARES = """
def new_shares(phi, of_document, of_word, of_topic, alpha, eta, n_words):
    phi, n_m, n_v, n_k, alpha = map(np.array, (phi, of_document, of_word, of_topic, alpha))
    s = {0}
    return s / s.sum()
"""
PERPLEXITY = """
def perplexity(hidden, theta, beta):
    hidden, p = np.array(hidden), np.array(theta) @ np.array(beta)
    log_p = np.log(np.where(hidden > 0, p, 1))
    return {0}
"""
STEP = """
def online_step(lambda_, batch_counts, eta, rho, n_documents, batch_size):
    return {0}
"""
BY_HAND = """
def new_shares(phi, of_document, of_word, of_topic, alpha, eta, n_words):
    s = [
        (m - f + a) * (v - f + eta) / (k - f + n_words * eta)
        for f, m, v, k, a in zip(phi, of_document, of_word, of_topic, alpha)
    ]
    return [x / sum(s) for x in s]
"""
WORD_BY_WORD = """
def perplexity(hidden, theta, beta):
    product, n = 0, 0
    for m, row in enumerate(hidden):
        for v, count in enumerate(row):
            if count:
                product += count * np.log(sum(t * b[v] for t, b in zip(theta[m], beta)))
                n += count
    return np.exp(product / n) ** -1
"""

RIGHT = {
    "lda-used-cvb0": {
        "NumPy": (
            SHARES.format("(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + n_words * eta)")
        ),
        "topic by topic": (BY_HAND),
    },
    "lda-used-perplexity": {
        "NumPy": (PERPLEXITY.format("np.exp(-(hidden * log_p).sum() / hidden.sum())")),
        "word by word": (WORD_BY_WORD),
    },
    "lda-used-online": {
        "a step": (
            STEP.format("lambda_ + rho * (eta + batch_counts * n_documents / batch_size - lambda_)")
        ),
        "number by number": (
            STEP.format(
                "[[(1 - rho) * x + rho * (eta + n_documents * n / batch_size)"
                " for x, n in zip(*rows)] for rows in zip(lambda_, batch_counts)]"
            )
        ),
    },
}

WRONG = {
    "lda-used-cvb0": {
        "own shares left in": (
            SHARES.format("(n_m + alpha) * (n_v + eta) / (n_k + n_words * eta)"),
            "own shares",
        ),
        "own shares left in for the word": (
            SHARES.format("(n_m - phi + alpha) * (n_v + eta) / (n_k + n_words * eta)"),
            "own shares",
        ),
        "topic's size forgotten": (
            SHARES.format("(n_m - phi + alpha) * (n_v - phi + eta)"),
            "has more tokens",
        ),
        "of the first topic": (
            SHARES.format(
                "(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + n_words * eta)"
            ).replace("s / s.sum()", "s[0] / s.sum()"),
            "one number for each topic",
        ),
        "eta once": (
            SHARES.format("(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + eta)"),
            "once for each word",
        ),
        "no prior": (
            SHARES.format("(n_m - phi) * (n_v - phi) / (n_k - phi)"),
            "three factors",
        ),
        "not normalised": (
            SHARES.format(
                "(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + n_words * eta)"
            ).replace("s / s.sum()", "s"),
            "sum to one",
        ),
    },
    "lda-used-perplexity": {
        "perplexities averaged": (
            PERPLEXITY.format(
                "np.mean(np.exp(-(hidden * log_p).sum(axis=1) / hidden.sum(axis=1)))"
            ),
            "pool",
        ),
        "over documents, not words": (
            PERPLEXITY.format(
                "np.exp(-np.mean((hidden * log_p).sum(axis=1) / hidden.sum(axis=1)))"
            ),
            "not over documents",
        ),
        "probabilities averaged": (
            PERPLEXITY.format("hidden.sum() / (hidden * np.exp(log_p)).sum()"),
            "average the logarithms",
        ),
        "over documents": (
            PERPLEXITY.format("np.exp(-(hidden * log_p).sum() / len(hidden))"),
            "has perplexity 4",
        ),
        "no exponential": (
            PERPLEXITY.format("-(hidden * log_p).sum() / hidden.sum()"),
            "has perplexity 4",
        ),
        "weighted by documents": (
            PERPLEXITY.format(
                "np.exp(-(hidden * log_p).sum() / hidden.sum()) ** (len(hidden) ** 0.5)"
            ),
            "exp of minus the mean",
        ),
        "zero times minus infinity": (
            PERPLEXITY.format("np.exp(-(hidden * np.log(p)).sum() / hidden.sum())"),
            "costs nothing",
        ),
    },
    "lda-used-online": {
        "the program's": (
            STEP.format("(1 - rho) * lambda_ + rho * eta + batch_counts"),
            "scale its counts",
        ),
        "counts not scaled": (
            STEP.format("(1 - rho) * lambda_ + rho * (eta + batch_counts)"),
            "scale its counts",
        ),
        "prior scaled too": (
            STEP.format(
                "(1 - rho) * lambda_ + rho * n_documents / batch_size * (eta + batch_counts)"
            ),
            "not the prior",
        ),
        "rho exchanged": (
            STEP.format(
                "rho * lambda_ + (1 - rho) * (eta + n_documents / batch_size * batch_counts)"
            ),
            "is the M-step",
        ),
        "rho squared": (
            STEP.format(
                "lambda_ + rho**2 * (eta + n_documents / batch_size * batch_counts - lambda_)"
            ),
            "the part rho of the way",
        ),
        "nothing forgotten": (
            STEP.format("lambda_ + rho * (eta + n_documents / batch_size * batch_counts)"),
            "is the M-step",
        ),
    },
}


class TestLDAUsed(Answers):
    name, wrong, right = "12_lda_used", WRONG, RIGHT
    unreached = frozenset({"where all batches agree, the step has to stand still at the goal"})
