"""Parameters as real numbers, for the extrapolation of steps."""

import numpy as np

from latent_em.lda._model import Params, check_params


def pack(params):
    """Logarithms of λ, with those of α in a column beside it and those of η in a row below.

    A prior that is one number leaves its column or row at zero, and stands in the corner.

    Parameters
    ----------
    params : Params

    Returns
    -------
    ndarray of shape (n_components + 1, n_words + 2)

    Raises
    ------
    ValueError
        If a shape does not fit or a number is not positive and finite.
    """
    lambda_, alpha, eta = check_params(params)
    n_topics, n_words = lambda_.shape
    table = np.zeros((n_topics + 1, n_words + 2))
    table[:-1, :-2] = np.log(lambda_)
    table[slice(n_topics) if np.ndim(alpha) else -1, -2] = np.log(alpha)
    table[-1, slice(n_words) if np.ndim(eta) else -1] = np.log(eta)
    return table


def unpack(table):
    """Undo :func:`pack`.

    Parameters
    ----------
    table : ndarray of shape (n_components + 1, n_words + 2)

    Returns
    -------
    Params
    """
    alpha, eta = table[:-1, -2], table[-1, :-2]  # all zeros: one number, or many that are one
    return Params(
        np.exp(table[:-1, :-2]),
        np.exp(alpha) if alpha.any() else float(np.exp(table[-1, -2])),
        np.exp(eta) if eta.any() else float(np.exp(table[-1, -1])),
    )
