"""Checks of arguments: what was given, and what it must be."""

from numbers import Integral, Real

import numpy as np


def check_number(name, value, *, at_least):
    """Raise unless ``value`` is a finite real number of at least ``at_least``."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: got {value!r}, must be a number of at least {at_least}")
    if not at_least <= value < np.inf:
        raise ValueError(f"{name}: got {value!r}, must be a finite number of at least {at_least}")


def check_integer(name, value, *, at_least):
    """Raise unless ``value`` is an integer of at least ``at_least``."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: got {value!r}, must be an integer of at least {at_least}")
    if value < at_least:
        raise ValueError(f"{name}: got {value}, must be at least {at_least}")


def check_array(name, value, shape):
    """Return ``value`` as an array of finite doubles; raise unless it has the given shape.

    ``shape`` holds a length or a name for each axis: ``("n_samples", 2)``.
    """
    array = _as_doubles(name, value, shape)
    finite = np.isfinite(array)
    if not finite.all():
        _refuse(name, array, ~finite, "finite")
    return array


def check_log_array(name, value, shape):
    """Return ``value`` as an array of logarithms: finite, or −∞ where the number is zero."""
    array = _as_doubles(name, value, shape)
    _refuse(name, array, np.isnan(array) | (array == np.inf), "finite, or -inf for log 0")
    return array


def check_probabilities(name, value, shape):
    """Return ``value`` as an array of numbers from 0 to 1."""
    array = check_array(name, value, shape)
    _refuse(name, array, (array < 0) | (array > 1), "from 0 to 1")
    return array


def check_binary(name, value, shape):
    """Return ``value`` as an array of zeros and ones."""
    array = _as_doubles(name, value, shape)
    pieces = np.array_split(array.ravel(), 1 + array.size // 2**16)  # each fits into the cache
    if not all(((piece == 0) | (piece == 1)).all() for piece in pieces):
        _refuse(name, array, ~np.isfinite(array), "finite")
        _refuse(name, array, (array != 0) & (array != 1), "0 or 1")
    return array


def _as_doubles(name, value, shape):
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        wanted = _written(shape)
        raise type(error)(f"{name}: got {value!r}, must be numbers of shape {wanted}") from error
    fits = array.ndim == len(shape) and all(
        isinstance(want, str) or got == want for got, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name}: got shape {array.shape}, must be {_written(shape)}")
    return array


def _written(shape):
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _refuse(name, array, bad, wanted):
    """Raise, naming the first bad element."""
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name}: got {array[where]} at {where}, must be {wanted}")


def check_distribution(name, value, shape):
    """Return ``value`` as an array of non-negative numbers that sum to one over the last axis."""
    array = check_array(name, value, shape)
    if (array < 0).any():
        raise ValueError(f"{name}: got {array.min()}, must not be negative")
    sums = np.atleast_1d(array.sum(axis=-1))
    wrong = np.flatnonzero(np.abs(sums - 1) > 1e-9)
    if wrong.size:
        row = f" in row {wrong[0]}" if array.ndim > 1 else ""
        raise ValueError(f"{name}: got a sum of {sums[wrong[0]]}{row}, must sum to 1")
    return array
