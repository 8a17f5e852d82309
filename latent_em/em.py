"""The EM algorithm: two functions, and a term that is counted once.

A *model* is anything with the functions of :class:`EMModel`; a module such as
:mod:`latent_em.gaussian_mixture` will do.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from tqdm import tqdm

from latent_em._validation import check_array, check_integer, check_number
from latent_em.acceleration import SCHEMES


class LowerBoundDecreaseWarning(RuntimeWarning):
    """The bound fell by more than rounding, which an exact EM step cannot do."""


class EMModel(Protocol):
    """What :func:`fit_em` needs to know of a model.

    There may be a third function, ``global_bound(params) -> float``: the part of the bound
    that belongs to no chunk, such as a log-prior, in nats. Without it that part is zero.

    And there may be two more, for ``accelerate``: ``pack(params) -> ndarray``, the parameters
    as real numbers that may take any value (logarithms, logits), in an array of any shape; and
    ``unpack(array) -> params``, which undoes it.
    """

    def e_step(self, params: Any, chunk: Any, local: Any) -> tuple[Any, float, Any]:
        """What one chunk of the data contributes.

        Parameters
        ----------
        params : NamedTuple
            The parameters, as ``m_step`` returns them.
        chunk : object
            One of the chunks, usually an array of shape (n_samples, ...).
        local : object
            What was returned as ``local`` for this chunk the last time; ``None`` the first time.

        Returns
        -------
        stats : object
            Expected sufficient statistics, summed over the chunk. Those of two chunks add with
            ``+``, a plain NamedTuple field by field; ``stats.n_samples`` is how many samples
            they are of.
        bound : float
            The chunk's share of the bound at ``params``, summed over its samples, in nats.
        local : object
            What the chunk keeps for its next visit; ``None`` if nothing. The one that was given
            stays as it was: if a step is taken back, it is given again.
        """

    def m_step(self, stats: Any) -> Any:
        """The parameters that maximise the bound, given the statistics of all chunks.

        Parameters
        ----------
        stats : object
            The sum of what the E-steps returned.

        Returns
        -------
        NamedTuple
            The parameters.
        """


class EMResult(NamedTuple):
    """What :func:`fit_em` returns.

    Attributes
    ----------
    params : NamedTuple
        The parameters after the last complete step.
    lower_bounds : ndarray of shape (n_iter + 1,)
        Bound on the log-likelihood of all the data, in nats. Entry ``t`` belongs
        to the parameters after step ``t``; entry 0 to the start, the last one to
        ``params``. Empty only if the very first E-step was interrupted.
    converged : bool
        Whether the rule of ``stop`` was met: by default, whether the last step changed the
        bound by less than ``tol`` per sample.
    n_iter : int
        Number of complete steps.
    n_evaluations : int
        How many times the E-step went through all the data, which is what a fit costs:
        ``n_iter + 1``, and one more for each extrapolation that was refused.
    local : list
        What every chunk kept.
    stats : object
        Expected statistics of all the data at ``params``. A fit that begins at
        ``model.m_step(stats)`` with this ``local`` goes on as if there had been no end.
    """

    params: Any
    lower_bounds: np.ndarray
    converged: bool
    n_iter: int
    n_evaluations: int = 0
    local: Any = None
    stats: Any = None


class _Visit(NamedTuple):
    """Parameters, and what the E-step said there."""

    params: Any
    stats: Any
    bound: float
    local: list


def last_change_is_small(lower_bounds, tolerance):
    """Whether the last step changed the bound by less than ``tolerance``: the rule of ``fit_em``.

    Parameters
    ----------
    lower_bounds : sequence of float
        The bounds at the start and after each step so far, at least one step.
    tolerance : float
        In nats.

    Returns
    -------
    bool
    """
    return bool(abs(lower_bounds[-1] - lower_bounds[-2]) < tolerance)


def fit_em(
    model,
    params,
    chunks,
    *,
    local=None,
    tol=1e-6,
    max_iter=1000,
    stop=last_change_is_small,
    accelerate=None,
    executor=None,
    progress=False,
):
    """Repeat E-step and M-step until the bound stands still.

    Parameters
    ----------
    model : EMModel
    params : NamedTuple
        The start.
    chunks : sequence
        The data, cut into pieces of any sizes. One array ``X`` is ``[X]``.
    local : sequence, optional
        What each chunk kept of an earlier fit that is to go on, ``result.local``.
    tol : float
        Stop after a step that changes the bound by less than ``tol`` nats per
        sample. Zero runs all ``max_iter`` steps.
    max_iter : int
        Take at most this many steps. Zero only evaluates the bound at ``params``; n plain
        steps cost n + 1 E-steps.
    stop : callable
        The rule, asked after each step: ``stop(lower_bounds, tolerance) -> bool`` is given the
        bounds so far, and ``tol`` times the number of samples.
    accelerate : {"squarem", "anderson"}, optional
        Extrapolate the steps, by the rule of that name in ``latent_em.acceleration``. The model
        needs ``pack`` and ``unpack``. An extrapolation counts as a step if it raises the bound
        by more than ``tol`` asks for; else the plain step is taken, so that the bound never
        falls and plain EM decides when to stop.
    executor : concurrent.futures.Executor, optional
        Runs the E-steps of the chunks; by default they run here, one by one.
    progress : bool
        Show a progress bar on the standard error stream.

    Returns
    -------
    EMResult
        If the run is interrupted (Ctrl-C), everything up to the last complete step.

    Raises
    ------
    ValueError, TypeError
        If an option is out of its range, ``chunks`` is no sequence of chunks, or ``e_step``
        returns something else than :class:`EMModel` says.
    FloatingPointError
        If the bound is not finite.

    Warns
    -----
    LowerBoundDecreaseWarning
        If the bound falls by more than rounding can explain.

    Notes
    -----
    Any exception that a step raises carries the fit up to the last complete step as its
    attribute ``em_result``.

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin (1977). Maximum likelihood from incomplete data
    via the EM algorithm. *Journal of the Royal Statistical Society B* 39(1), 1–38.
    """
    chunks = _check_chunks(chunks)
    local = _check_local(local, len(chunks))
    check_number("tol", tol, at_least=0)
    check_integer("max_iter", max_iter, at_least=0)
    propose = _check_scheme(accelerate, model)
    run = map if executor is None else executor.map
    n_evaluations = 0

    def visit(params, local):
        nonlocal n_evaluations
        n_evaluations += 1
        return _Visit(params, *_e_step(model, params, chunks, local, run))

    # A step counts once its bound is known. The result is then replaced in one
    # assignment, so that an interrupt at any moment finds it whole.
    result = EMResult(params, np.empty(0), False, 0, 0, local)
    lower_bounds = []
    try:
        with tqdm(total=max_iter, desc="EM", unit="step", disable=not progress) as bar:
            at = visit(params, local)
            lower_bounds.append(at.bound)
            result = EMResult(params, np.empty(0), False, 0, n_evaluations, at.local, at.stats)
            if propose is None:
                step = partial(_step, model, visit)
            else:
                step = _accelerated(model, visit, propose, tol * at.stats.n_samples)
            while result.n_iter < max_iter and not result.converged:
                at = step(at)
                lower_bounds.append(at.bound)
                converged = stop(lower_bounds, tol * at.stats.n_samples)
                result = EMResult(
                    at.params,
                    np.empty(0),
                    converged,
                    result.n_iter + 1,
                    n_evaluations,
                    at.local,
                    at.stats,
                )
                _warn_if_fallen(lower_bounds, at.stats.n_samples)
                bar.update()
                rise = lower_bounds[-1] - lower_bounds[-2]
                bar.set_postfix(bound=f"{at.bound:.6g}", rise=f"{rise:.1e}", refresh=False)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        error.em_result = _with_bounds(result, lower_bounds)
        raise
    return _with_bounds(result, lower_bounds)


def iterates(model, params, chunks):
    """Yield the start, then the parameters after each EM step, without end.

    For looking at the path itself: ``itertools.islice(iterates(...), 10)``.

    Parameters
    ----------
    model, params, chunks
        As for :func:`fit_em`.

    Yields
    ------
    NamedTuple
        Parameters.

    Raises
    ------
    ValueError, TypeError
        If ``chunks`` is no sequence of chunks, or ``e_step`` returns something else than
        :class:`EMModel` says.
    FloatingPointError
        If the bound is not finite.
    """
    chunks = _check_chunks(chunks)
    local = [None] * len(chunks)
    while True:
        yield params
        stats, _, local = _e_step(model, params, chunks, local, map)
        params = model.m_step(stats)


def missing_information(observed, complete):
    """Fractions of the information that are missing: eigenvalues of I − C⁻¹O (eq-em-rate).

    The largest is the factor by which a step of EM shrinks the distance to its limit.

    Parameters
    ----------
    observed : float or array-like of shape (n_params, n_params)
        O, minus the second derivatives of log p(x | θ) at the limit.
    complete : float or array-like of shape (n_params, n_params)
        C, minus the second derivatives of Q(θ, θ_old) there: the information there would be
        on average, were the latent variables seen. Positive definite.

    Returns
    -------
    ndarray of shape (n_params,)
        Largest first; from 0 to 1 at a maximum of the likelihood.

    Raises
    ------
    ValueError
        If the shapes differ, a number is not finite, or ``complete`` is not positive definite.

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin (1977). Maximum likelihood from incomplete data
    via the EM algorithm. *Journal of the Royal Statistical Society B* 39(1), 1–38.
    """
    complete = np.atleast_2d(complete)
    complete = check_array("complete", complete, (len(complete), len(complete)))
    observed = check_array("observed", np.atleast_2d(observed), complete.shape)
    least = np.linalg.eigvalsh(complete)[0]
    if least <= 0:
        raise ValueError(
            f"complete: got smallest eigenvalue {least:.3g}, must be positive definite"
        )
    # With C = RRᵀ, the same eigenvalues belong to the symmetric R⁻¹ (C − O) R⁻ᵀ.
    inverse = np.linalg.inv(np.linalg.cholesky(complete))
    return np.linalg.eigvalsh(inverse @ (complete - observed) @ inverse.T)[::-1]


def add_stats(a, b):
    """Statistics of two chunks together: ``a + b``, a plain NamedTuple field by field."""
    if type(a).__add__ is tuple.__add__:
        return type(a)(*map(add_stats, a, b))
    return a + b


def _step(model, visit, at):
    return visit(model.m_step(at.stats), at.local)


def _accelerated(model, visit, propose, least_rise):
    """A step to where ``propose`` points if the bound rises enough there, else a plain one."""
    path = []

    def step(at):
        image = model.m_step(at.stats)
        path.append((model.pack(at.params), model.pack(image)))
        proposal = propose(path)
        if proposal is not None:
            try:
                with np.errstate(all="ignore"):
                    ahead = visit(model.unpack(proposal), at.local)
                if ahead.bound - at.bound > least_rise:
                    return ahead
            except (ValueError, FloatingPointError):
                pass  # the model refuses such parameters
            del path[:-1]  # what the older steps said does not hold here
        return visit(image, at.local)

    return step


def _with_bounds(result, lower_bounds):
    return result._replace(lower_bounds=np.array(lower_bounds[: result.n_iter + 1]))


def _e_step(model, params, chunks, local, run):
    """E-steps of all chunks: summed statistics, total bound, what each chunk keeps."""
    total, bounds, kept = None, [], []
    for returned in run(model.e_step, [params] * len(chunks), chunks, local):
        stats, bound, keeps = _check_e_step(returned)
        total = stats if total is None else add_stats(total, stats)  # and no other is held
        bounds.append(bound)
        kept.append(keeps)
    global_bound = getattr(model, "global_bound", None)
    bound = float(sum(bounds) + (global_bound(params) if global_bound else 0.0))
    if not np.isfinite(bound):
        raise FloatingPointError(f"lower bound: got {bound}, must be finite; params: {params}")
    return total, bound, kept


def _check_e_step(returned):
    """Return what ``e_step`` returned; raise unless it is what :class:`EMModel` says."""
    if not isinstance(returned, tuple) or len(returned) != 3:
        got = f"{len(returned)} values" if isinstance(returned, tuple) else _kind(returned)
        raise TypeError(f"e_step: returned {got}, must return three: stats, bound, local")
    stats, bound, _ = returned
    if not hasattr(stats, "n_samples"):
        raise TypeError(
            f"e_step: returned stats of type {_kind(stats)} without n_samples, must have it as an "
            "attribute; a NamedTuple with that field will do"
        )
    if np.ndim(bound) > 0:
        raise TypeError(
            f"e_step: returned a bound of shape {np.shape(bound)}, must be one number, the sum "
            "over the samples of the chunk"
        )
    return returned


def _warn_if_fallen(lower_bounds, n_samples):
    before, after = lower_bounds[-2:]
    rounding = 1e-10 * max(abs(before), abs(after), n_samples)
    if after < before - rounding:
        warnings.warn(
            f"step {len(lower_bounds) - 1}: the lower bound fell from {before:.15g} to "
            f"{after:.15g}; an exact E-step and M-step cannot lower it",
            LowerBoundDecreaseWarning,
            stacklevel=3,
        )


def _check_scheme(accelerate, model):
    """The function that extrapolates, or None; raise if the name or the model will not do."""
    if accelerate is None:
        return None
    if accelerate not in SCHEMES:
        names = ", ".join(map(repr, SCHEMES))
        raise ValueError(f"accelerate: got {accelerate!r}, must be None or one of {names}")
    missing = [name for name in ("pack", "unpack") if not hasattr(model, name)]
    if missing:
        raise TypeError(
            f"model: has no {' and no '.join(missing)}, must have both for "
            f"accelerate={accelerate!r}; see latent_em.em.EMModel"
        )
    return SCHEMES[accelerate]


def _check_local(local, n_chunks):
    local = [None] * n_chunks if local is None else list(local)
    if len(local) != n_chunks:
        raise ValueError(f"local: got {len(local)}, must be {n_chunks}, one for each chunk")
    return local


def _check_chunks(chunks):
    """A list of the chunks; raise for data that were to be the only chunk."""
    data = hasattr(chunks, "shape") or hasattr(chunks, "_fields")  # array, DataFrame, Weighted
    if data or isinstance(chunks, str | Mapping) or not isinstance(chunks, Iterable):
        shape = f" of shape {chunks.shape}" if hasattr(chunks, "shape") else ""
        raise TypeError(
            f"chunks: got {_kind(chunks)}{shape}, must be a sequence of chunks; "
            "wrap all the data X as [X]"
        )
    chunks = list(chunks)
    if not chunks:
        raise ValueError("chunks: got none, must be at least one")
    return chunks


def _kind(value):
    return type(value).__name__
