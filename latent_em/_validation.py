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
    wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: got {value!r}, must be numbers of shape {wanted}") from error
    fits = array.ndim == len(shape) and all(
        isinstance(want, str) or got == want for got, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name}: got shape {array.shape}, must be {wanted}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}: got {array[where]} at {where}, must be finite")
    return array


def check_distribution(name, value, shape):
    """Return ``value`` as an array of non-negative numbers that sum to one."""
    array = check_array(name, value, shape)
    if (array < 0).any():
        raise ValueError(f"{name}: got {array.min()}, must not be negative")
    if not np.isclose(array.sum(), 1, rtol=0, atol=1e-9):
        raise ValueError(f"{name}: got a sum of {array.sum()}, must sum to 1")
    return array
