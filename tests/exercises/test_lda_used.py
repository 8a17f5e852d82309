"""Named wrong answers to the exercises on the use of LDA fail with their hint; right ones pass."""

import pytest

from latent_em.book import notebooks

CELLS = {
    cell.metadata["nbgrader"]["grade_id"]: cell.source
    for cell in notebooks.read(notebooks.BOOK / "exercises" / "12_lda_used.ipynb").cells
    if cell.cell_type == "code"
}

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

RIGHT = [
    ("cvb0", SHARES.format(
        "(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + n_words * eta)")),
    ("cvb0", BY_HAND),
    ("perplexity", PERPLEXITY.format("np.exp(-(hidden * log_p).sum() / hidden.sum())")),
    ("perplexity", WORD_BY_WORD),
    ("online", STEP.format(
        "lambda_ + rho * (eta + batch_counts * n_documents / batch_size - lambda_)")),
    ("online", STEP.format(
        "[[(1 - rho) * x + rho * (eta + n_documents * n / batch_size) for x, n in zip(*rows)]"
        " for rows in zip(lambda_, batch_counts)]")),
]  # fmt: skip

WRONG = [
    ("cvb0", SHARES.format("(n_m + alpha) * (n_v + eta) / (n_k + n_words * eta)"), "own shares"),
    ("cvb0", SHARES.format("(n_m - phi + alpha) * (n_v + eta) / (n_k + n_words * eta)"),
        "own shares"),
    ("cvb0", SHARES.format("(n_m - phi + alpha) * (n_v - phi + eta)"), "has more tokens"),
    ("cvb0", SHARES.format("(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + eta)"),
        "once for each word"),
    ("cvb0", SHARES.format("(n_m - phi) * (n_v - phi) / (n_k - phi)"), "three factors"),
    ("cvb0", SHARES.format(
        "(n_m - phi + alpha) * (n_v - phi + eta) / (n_k - phi + n_words * eta)"
    ).replace("s / s.sum()", "s"), "sum to one"),
    ("perplexity", PERPLEXITY.format(
        "np.mean(np.exp(-(hidden * log_p).sum(axis=1) / hidden.sum(axis=1)))"), "pool"),
    ("perplexity", PERPLEXITY.format(
        "np.exp(-np.mean((hidden * log_p).sum(axis=1) / hidden.sum(axis=1)))"),
        "not over documents"),
    ("perplexity", PERPLEXITY.format("hidden.sum() / (hidden * np.exp(log_p)).sum()"),
        "average the logarithms"),
    ("perplexity", PERPLEXITY.format("np.exp(-(hidden * log_p).sum() / len(hidden))"),
        "has perplexity 4"),
    ("perplexity", PERPLEXITY.format("-(hidden * log_p).sum() / hidden.sum()"),
        "has perplexity 4"),
    ("perplexity", PERPLEXITY.format("np.exp(-(hidden * np.log(p)).sum() / hidden.sum())"),
        "costs nothing"),
    ("online", STEP.format("(1 - rho) * lambda_ + rho * eta + batch_counts"), "scale its counts"),
    ("online", STEP.format("(1 - rho) * lambda_ + rho * (eta + batch_counts)"),
        "scale its counts"),
    ("online", STEP.format(
        "(1 - rho) * lambda_ + rho * n_documents / batch_size * (eta + batch_counts)"),
        "not the prior"),
    ("online", STEP.format(
        "rho * lambda_ + (1 - rho) * (eta + n_documents / batch_size * batch_counts)"),
        "is the M-step"),
    ("online", STEP.format("lambda_ + rho * (eta + n_documents / batch_size * batch_counts)"),
        "is the M-step"),
]  # fmt: skip


def check(exercise, answer):
    space = {}
    exec(CELLS["lda-used-setup"], space)
    exec(answer, space)
    exec(CELLS[f"lda-used-{exercise}-check"], space)


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_passes(exercise, answer, capsys):
    check(exercise, answer)
    mine = capsys.readouterr().out
    check(exercise, CELLS[f"lda-used-{exercise}"])
    assert mine == capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize(("exercise", "answer", "hint"), WRONG)
def test_a_wrong_answer_fails_with_its_hint(exercise, answer, hint):
    with pytest.raises(AssertionError, match=hint):
        check(exercise, answer)
