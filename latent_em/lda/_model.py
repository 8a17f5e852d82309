"""The model: its parameters, its generative story, and its joint density."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from latent_em import dirichlet
from latent_em._validation import check_array, check_number
from latent_em.dirichlet import check_positive


class Params(NamedTuple):
    """What all documents share.

    Attributes
    ----------
    lambda_ : ndarray of shape (n_components, n_words)
        λ_k, Dirichlet parameters of topic k: η_v plus the expected count of word v in the topic.
    alpha : float or ndarray of shape (n_components,)
        Prior on the shares θ_m of a document.
    eta : float or ndarray of shape (n_words,)
        Prior on the topics.
    """

    lambda_: np.ndarray
    alpha: float | np.ndarray
    eta: float | np.ndarray


class Sample(NamedTuple):
    """A corpus with all that is hidden in a real one.

    Attributes
    ----------
    counts : scipy.sparse.csr_array of shape (n_documents, n_words)
        n_mv, how often word v stands in document m.
    words, topics : list of ndarray
        w_mi and z_mi, one array for each document.
    theta : ndarray of shape (n_documents, n_components)
        Shares of the topics in each document.
    beta : ndarray of shape (n_components, n_words)
        The topics.
    """

    counts: sparse.csr_array
    words: list
    topics: list
    theta: np.ndarray
    beta: np.ndarray


def sample(params, lengths, random_state=None):
    """Tell the generative story once (eq-lda-story).

    Parameters
    ----------
    params : Params
        Topic k is drawn from Dir(``lambda_[k]``): with every row equal to η that is the prior.
    lengths : array-like of int, of shape (n_documents,)
        Number of words in each document.
    random_state : int or numpy.random.Generator, optional
        Seed.

    Returns
    -------
    Sample
        Its memory is O(number of words in all + (M + V) K), however large the vocabulary.

    Raises
    ------
    ValueError
        If a parameter is not positive, a shape does not fit, or a length is no count.
    """
    lambda_, alpha, _ = full(params)
    lengths = check_array("lengths", lengths, ("n_documents",))
    if (lengths < 0).any() or (lengths % 1 != 0).any():
        raise ValueError(f"lengths: got {lengths}, must be non-negative whole numbers")
    rng = np.random.default_rng(random_state)
    n_topics, n_words = lambda_.shape
    beta = np.stack([rng.dirichlet(row) for row in lambda_])
    theta = rng.dirichlet(alpha, len(lengths))
    topics = [rng.choice(n_topics, int(n), p=p) for n, p in zip(lengths, theta, strict=True)]
    z = np.concatenate([*topics, np.empty(0, dtype=int)])
    w = np.empty_like(z)
    for k, topic in enumerate(beta):
        w[z == k] = rng.choice(n_words, (z == k).sum(), p=topic)
    ends = np.cumsum([0, *lengths]).astype(int)
    tokens = np.ones(len(w)), w, ends
    counts = sparse.csr_array(tokens, (len(lengths), n_words), copy=True)
    counts.sum_duplicates()
    return Sample(counts, np.split(w, ends[1:-1]), topics, theta, beta)


def log_joint(words, topics, theta, beta, alpha, eta):
    """Log p(w, z, θ, β | α, η), the log of the five kinds of factors (eq-lda-joint).

    Parameters
    ----------
    words, topics : list of array-like of int
        w_mi and z_mi, one sequence for each document.
    theta : array-like of shape (n_documents, n_components)
    beta : array-like of shape (n_components, n_words)
    alpha, eta : float or array-like
        Positive.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If a shape does not fit, a word or a topic does not exist, or the shares or the topics are
        no distributions.
    """
    if len(topics) != len(words):
        raise ValueError(f"topics: got {len(topics)} documents, must be {len(words)} as in words")
    theta = check_array("theta", theta, (len(words), "n_components"))
    beta = check_array("beta", beta, (theta.shape[1], "n_words"))
    _, alpha, eta = full(Params(np.ones(beta.shape), alpha, eta))
    log_p = dirichlet.log_prob(eta, beta).sum() + dirichlet.log_prob(alpha, theta).sum()
    with np.errstate(divide="ignore"):
        for m, shares in enumerate(theta):
            w = _check_indices("words", m, words[m], beta.shape[1])
            z = _check_indices("topics", m, topics[m], len(beta))
            if len(w) != len(z):
                raise ValueError(
                    f"topics: got {len(z)} of document {m}, must be the {len(w)} of words"
                )
            log_p += np.log(shares[z]).sum() + np.log(beta[z, w]).sum()
    return float(log_p)


def _check_indices(name, m, indices, size):
    indices = np.asarray(indices, dtype=int)
    wrong = indices[(indices < 0) | (indices >= size)]
    if wrong.size:
        raise ValueError(f"{name}: got {wrong[0]} in document {m}, must be from 0 to {size - 1}")
    return indices


def check_counts(counts, n_words="n_words", name="counts"):
    """Return counts as a CSR array of doubles without stored zeros; raise if they are no counts.

    Parameters
    ----------
    counts : array-like or sparse matrix of shape (n_documents, n_words)
        Not negative. Fractions are allowed: they are weights.
    n_words : int, optional
        Size of the vocabulary that is expected.
    name : str
        What the argument is called in an error.

    Returns
    -------
    scipy.sparse.csr_array

    Raises
    ------
    ValueError
        If the shape does not fit, or a count is negative, NaN or infinite.
    """
    if not sparse.issparse(counts):
        counts = check_array(name, counts, ("n_documents", n_words))
    counts = sparse.csr_array(counts, dtype=float)
    if counts.ndim != 2 or (n_words != "n_words" and counts.shape[1] != n_words):
        raise ValueError(f"{name}: got shape {counts.shape}, must be (n_documents, {n_words})")
    if counts.shape[0] == 0:
        raise ValueError(f"{name}: got no documents, must be at least one")
    if not np.isfinite(counts.data).all():
        raise ValueError(f"{name}: got NaN or infinity, must be finite")
    if counts.nnz and counts.data.min() < 0:
        raise ValueError(f"{name}: got {counts.data.min()}, must not be negative")
    if not counts.has_canonical_format or not counts.data.all():
        counts = counts.copy()
        counts.sum_duplicates()
        counts.eliminate_zeros()
    return counts


def check_params(params):
    """Return ``params`` as arrays whose shapes fit, α and η as they are given.

    Parameters
    ----------
    params : Params

    Returns
    -------
    Params

    Raises
    ------
    ValueError
        If a shape does not fit or a number is not positive and finite.
    """
    lambda_ = check_array("lambda_", params.lambda_, ("n_components", "n_words"))
    lambda_ = check_positive("lambda_", lambda_)
    priors = []
    for name, value, size in zip(("alpha", "eta"), params[1:], lambda_.shape, strict=True):
        if np.ndim(value) == 0:
            check_number(name, float(value), at_least=0)
            priors.append(float(check_positive(name, [value])[0]))
        else:
            priors.append(check_positive(name, check_array(name, value, (size,))))
    return Params(lambda_, *priors)


def full(params):
    """Return λ, and α and η as arrays of one number for each topic and each word."""
    lambda_, alpha, eta = check_params(params)
    n_topics, n_words = lambda_.shape
    return lambda_, np.broadcast_to(alpha, n_topics), np.broadcast_to(eta, n_words)
