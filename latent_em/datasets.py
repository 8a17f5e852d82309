"""Data sets that come with the book, each with its source."""

from importlib import resources
from typing import NamedTuple

import numpy as np


class OldFaithful(NamedTuple):
    """Eruptions of the Old Faithful geyser, in the order observed.

    Attributes
    ----------
    eruptions : ndarray of shape (272,)
        Duration of the eruption, in minutes.
    waiting : ndarray of shape (272,)
        Time until the next eruption, in minutes.
    """

    eruptions: np.ndarray
    waiting: np.ndarray


def load_old_faithful():
    """Load 272 eruptions of the Old Faithful geyser.

    ``np.column_stack(load_old_faithful())`` is the array of shape (272, 2) that a
    model takes.

    Returns
    -------
    OldFaithful
        Two arrays of 272 numbers, in minutes.

    References
    ----------
    W. Härdle (1991). *Smoothing Techniques with Implementation in S*. Springer.
    A. Azzalini and A. W. Bowman (1990). A look at some data on the Old Faithful
    geyser. *Applied Statistics* 39(3), 357–365.
    The table is that of R's ``datasets::faithful``.
    """
    return OldFaithful(*_read_columns("old_faithful.csv"))


def _read_columns(name):
    """Columns of a CSV file of numbers under one line of column names."""
    text = resources.files("latent_em").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return np.loadtxt(lines, delimiter=",", skiprows=1, unpack=True)
