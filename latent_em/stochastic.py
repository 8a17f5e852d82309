"""EM on a stream of data: statistics averaged over the batches seen (chapter "Faster, larger").

A batch says what the statistics of all data are like, at the parameters of the moment. Averages
of them, with weights that fade, stand in for the pass over all data (eq-fl-stochastic)::

    new, _, _ = model.e_step(params, batch, None)
    stats = stochastic_step(stats, new, rho)
    params = model.m_step(stats)
"""

from latent_em._validation import check_number
from latent_em.em import add_stats


def stochastic_step(stats, new, rho):
    """The average (1 − ρ) s + ρ s_new per sample, for all samples of both (eq-fl-stochastic).

    The sizes of the batches do not enter the average, but the result counts all samples seen, so
    that a prior weighs what it should.

    Parameters
    ----------
    stats, new : object
        Statistics of a model, of what was seen before and of a batch. Either a plain NamedTuple,
        scaled field by field, or with a method ``scaled(factor)``.
    rho : float
        Length of the step, from 0 to 1. Steps ρ_t = t^−κ with κ above ½ and not above 1 add up
        to infinity, and their squares do not, which proofs of convergence ask for.

    Returns
    -------
    object
        Statistics.

    Raises
    ------
    ValueError, TypeError
        If ``rho`` is out of its range.

    References
    ----------
    O. Cappé and E. Moulines (2009). On-line expectation–maximization algorithm for latent data
    models. *Journal of the Royal Statistical Society B* 71(3), 593–613.
    """
    check_number("rho", rho, at_least=0)
    if rho > 1:
        raise ValueError(f"rho: got {rho}, must be at most 1")
    seen = stats.n_samples + new.n_samples
    before = _scaled(stats, (1 - rho) * seen / stats.n_samples)
    return add_stats(before, _scaled(new, rho * seen / new.n_samples))


def _scaled(stats, factor):
    if hasattr(stats, "scaled"):
        return stats.scaled(factor)
    return type(stats)(*(factor * field for field in stats))
