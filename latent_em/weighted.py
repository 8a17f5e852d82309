"""A chunk whose rows stand for many samples: a frequency table, or weighted data."""

from typing import NamedTuple

import numpy as np

from latent_em._validation import check_array


class Weighted(NamedTuple):
    """Rows, and how often each one counts: the chunk ``Weighted(X, sample_weight)``.

    A fit to it equals a fit to the rows repeated that often; ``tol`` is then per
    repeated row. Weights need not be whole numbers.

    Attributes
    ----------
    X : array-like of shape (n_rows, ...)
    sample_weight : array-like of shape (n_rows,)
        Not negative, and not all zero.
    """

    X: np.ndarray
    sample_weight: np.ndarray


def rows_and_weights(chunk):
    """Split a chunk into rows and weights; rows that count zero times are dropped.

    Parameters
    ----------
    chunk : array-like or Weighted
        Rows without weights count once each.

    Returns
    -------
    X : ndarray of shape (n_rows, ...)
    sample_weight : ndarray of shape (n_rows,)
        Positive.

    Raises
    ------
    ValueError
        If the lengths differ, a weight is negative or not finite, or all are zero.
    """
    if not isinstance(chunk, Weighted):
        X = np.asarray(chunk)
        return X, np.ones(X.shape[:1])
    X = np.asarray(chunk.X)
    sample_weight = check_array("sample_weight", chunk.sample_weight, X.shape[:1])
    if (sample_weight < 0).any():
        raise ValueError(f"sample_weight: got {sample_weight.min()}, must not be negative")
    counted = sample_weight > 0
    if not counted.any():
        raise ValueError("sample_weight: got zero for every row, must be positive for at least one")
    return X[counted], sample_weight[counted]


def sample_count(chunk):
    """How many samples a chunk stands for: the sum of the weights, or the number of rows."""
    return np.sum(chunk.sample_weight) if isinstance(chunk, Weighted) else len(chunk)
