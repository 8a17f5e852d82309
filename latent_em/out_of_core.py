"""Chunks that stay where they are: in files, read by whoever runs the E-step.

A step of EM then moves parameters to the chunks and statistics back, whatever the size of the
data (chapter "Faster, larger")::

    model = from_files(gaussian_mixture)
    result = fit_em(model, start, rows_of("X.npy", 100_000), executor=executor)

A worker that dies takes nothing along: what it had is read again by another.
"""

import hashlib
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from latent_em._validation import check_integer


class Rows(NamedTuple):
    """Some rows of an array in a file.

    Attributes
    ----------
    path : str
        A file as ``numpy.save`` writes it.
    start, stop : int
    """

    path: str
    start: int
    stop: int


def rows_of(path, n_rows):
    """Cut an array in a file into chunks of ``n_rows`` rows, the last one perhaps with fewer.

    Parameters
    ----------
    path : str or path
    n_rows : int

    Returns
    -------
    list of Rows
    """
    check_integer("n_rows", n_rows, at_least=1)
    total = len(np.load(path, mmap_mode="r"))
    starts = range(0, total, n_rows)
    return [Rows(str(path), start, min(start + n_rows, total)) for start in starts]


def load_rows(rows):
    """The rows as a memory map: they come from the disk when they are used.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    numpy.memmap
    """
    return np.load(rows.path, mmap_mode="r")[rows.start : rows.stop]


def from_files(model, load=load_rows, keep_in=None):
    """A model whose chunks are loaded where, and whenever, their E-step runs.

    Parameters
    ----------
    model : latent_em.em.EMModel
    load : callable
        ``load(chunk)`` is what the E-step of ``model`` works on. For other processes it must be
        a function of a module that they can import.
    keep_in : str or path, optional
        A folder for what the chunks keep from step to step, if that is an array; so that it need
        not travel either. By default it travels. A file is overwritten two steps later: a fit
        that may have to go on from its present state needs another folder for its next steps.

    Returns
    -------
    latent_em.em.EMModel
    """
    others = ("m_step", "global_bound", "pack", "unpack")
    functions = {name: getattr(model, name) for name in others if hasattr(model, name)}
    return SimpleNamespace(e_step=partial(_e_step, model.e_step, load, keep_in), **functions)


def _e_step(e_step, load, keep_in, params, chunk, local=None):
    if keep_in is None:
        return e_step(params, load(chunk), local)
    kept = None if local is None else np.load(local)
    stats, bound, kept = e_step(params, load(chunk), kept)
    return stats, bound, None if kept is None else _save(kept, keep_in, chunk, local)


def _save(kept, folder, chunk, local):
    """Write beside what was kept before, which is needed again if the step is taken back."""
    name = hashlib.sha256(repr(chunk).encode()).hexdigest()[:16]
    path = Path(folder) / f"{name}-{'b' if str(local).endswith('a.npy') else 'a'}.npy"
    part = path.with_suffix(f".{os.getpid()}.part")
    with open(part, "wb") as file:
        np.save(file, kept)
    os.replace(part, path)
    return str(path)
