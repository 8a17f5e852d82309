"""Real numbers in place of constrained ones: what a model's ``pack`` and ``unpack`` are made of.

An extrapolation may lead anywhere, so it is made in coordinates in which all that can be said is
allowed: logarithms of what is positive, log-odds of a probability, logarithms of weights, which
are scaled to sum to one on the way back. At an end of its range a parameter stands at the last
number this side of it.
"""

import numpy as np
from scipy import special

_LARGEST_LOGIT = 36.0  # expit of it is below 1, by a rounding


def log(positive):
    """Logarithms of what is positive.

    Parameters
    ----------
    positive : array-like
        Zero counts as the smallest normal number.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    return np.log(np.maximum(positive, np.finfo(float).tiny))


def logit(probabilities):
    """Log-odds of probabilities.

    Parameters
    ----------
    probabilities : array-like

    Returns
    -------
    ndarray
        Of the same shape, from −36 to 36.
    """
    probabilities = np.clip(probabilities, *special.expit([-_LARGEST_LOGIT, _LARGEST_LOGIT]))
    return special.logit(probabilities)


def expit(log_odds):
    """Probabilities of log-odds, which undoes :func:`logit`.

    Parameters
    ----------
    log_odds : array-like

    Returns
    -------
    ndarray
        Of the same shape, inside (0, 1).
    """
    return special.expit(np.clip(log_odds, -_LARGEST_LOGIT, _LARGEST_LOGIT))


def softmax(log_weights):
    """Weights from their logarithms, which undoes :func:`log` for what sums to one.

    Parameters
    ----------
    log_weights : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        Sum to one.
    """
    return special.softmax(log_weights)
