"""Genetic linkage: a multinomial whose cells are seen merged (chapter "Missing information").

Category i of the data has probability

    p_i(θ) = a_i + b_i θ + c_i (1 − θ),    0 ≤ θ ≤ 1,

as if it were three cells in one. Which cell a member came from is its latent variable. In the
linkage data a = (½, 0, 0, 0), b = (¼, 0, 0, ¼) and c = (0, ¼, ¼, 0): only the first category
is really merged, and a step of EM is (eq-linkage-step)

    y = x_1 · (θ/4) / (1/2 + θ/4),    θ_new = (y + x_4) / (y + x_2 + x_3 + x_4).

A chunk is a vector of counts. Its members are modelled in the order seen, so there is no
multinomial coefficient. ``fit_em(linkage.Model(), linkage.Params(0.5), [counts])`` fits.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from latent_em import coordinates
from latent_em._validation import check_array, check_distribution, check_probabilities
from latent_em.examples import exponential_family
from latent_em.weighted import Weighted

GENETIC = ((1 / 2, 1 / 4, 0), (0, 0, 1 / 4), (0, 0, 1 / 4), (0, 1 / 4, 0))


class Params(NamedTuple):
    """The one parameter.

    Attributes
    ----------
    theta : float
        θ, from 0 to 1. In the linkage data (1 − r)², r being the recombination fraction.
    """

    theta: float


class Model(NamedTuple):
    """A model for :func:`latent_em.em.fit_em`, given by its cells.

    Attributes
    ----------
    coefficients : array-like of shape (n_categories, 3)
        Row i holds a_i, b_i, c_i: not negative, with Σa + Σb = Σa + Σc = 1. By default those
        of the linkage data.

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin (1977). Maximum likelihood from incomplete data
    via the EM algorithm. *Journal of the Royal Statistical Society B* 39(1), 1–38.
    """

    coefficients: tuple = GENETIC

    def log_joint(self, params, categories):
        """Log probability of the three cells of each category.

        Parameters
        ----------
        params : Params
        categories : array-like of shape (n_samples,)
            Category of each member, 0 to n_categories − 1.

        Returns
        -------
        ndarray of shape (n_samples, 3)
            Log a_i, log b_i θ, log c_i (1 − θ), in nats; −∞ where there is no such cell.

        Raises
        ------
        ValueError
            If θ is not from 0 to 1, or the coefficients make no distribution.
        """
        with np.errstate(divide="ignore"):
            return np.log(_cells(self, params))[categories]

    def probabilities(self, params):
        """p_i(θ), the probability of every category.

        Parameters and errors as for :meth:`log_joint`.

        Returns
        -------
        ndarray of shape (n_categories,)
        """
        return _cells(self, params).sum(axis=1)

    def log_likelihood(self, params, counts):
        """Σ_i x_i log p_i(θ).

        Parameters
        ----------
        params : Params
        counts : array-like of shape (n_categories,)

        Returns
        -------
        float
            In nats; −∞ if a category of probability zero has members.

        Raises
        ------
        ValueError
            As :meth:`log_joint`, or if the counts do not fit.
        """
        x = _check_counts(self, counts)
        return float(xlogy(x, self.probabilities(params)).sum())

    def e_step(self, params, chunk, local=None):
        """Expected numbers of members from the cells b_i θ, and from the cells c_i (1 − θ).

        Parameters
        ----------
        params : Params
        chunk : array-like of shape (n_categories,)
            Counts x_i.
        local : None

        Returns
        -------
        stats : latent_em.examples.exponential_family.Stats
            ``total`` has shape (2,).
        bound : float
            The log-likelihood, in nats.
        local : None

        Raises
        ------
        ValueError
            As :meth:`log_likelihood`, or if a category of probability zero has members.
        """
        x = _check_counts(self, chunk)
        members = Weighted(np.arange(len(x)), x)
        return exponential_family.e_step(self.log_joint, _statistics, params, members)

    def m_step(self, stats):
        """θ = t_θ / (t_θ + t_{1−θ}), the share that matches the expected counts.

        Parameters
        ----------
        stats : latent_em.examples.exponential_family.Stats

        Returns
        -------
        Params

        Raises
        ------
        ValueError
            If no member can have come from a cell that depends on θ.
        """
        total = stats.total.sum()
        if not total > 0:
            raise ValueError("counts: got no member of a cell that depends on theta, must be some")
        return Params(float(stats.total[0] / total))

    def pack(self, params):
        """Log-odds of θ, as a real number.

        Parameters
        ----------
        params : Params

        Returns
        -------
        ndarray of shape ()
        """
        return coordinates.logit(params.theta)

    def unpack(self, log_odds):
        """Undo :meth:`pack`.

        Parameters
        ----------
        log_odds : ndarray of shape ()

        Returns
        -------
        Params
        """
        return Params(float(coordinates.expit(log_odds)))

    def observed_information(self, params, counts):
        """−d²/dθ² of the log-likelihood, Σ_i x_i (b_i − c_i)² / p_i(θ)² (eq-em-rate).

        Parameters and errors as for :meth:`log_likelihood`; every p_i must be positive.

        Returns
        -------
        float
        """
        x = _check_counts(self, counts)
        _, b, c = np.transpose(self.coefficients)
        return float(x @ ((b - c) / self.probabilities(params)) ** 2)

    def complete_information(self, params, counts):
        """−d²/dθ² of Q, t_θ / θ² + t_{1−θ} / (1 − θ)², expected at θ itself (eq-em-rate).

        Parameters and errors as for :meth:`e_step`; θ must lie inside (0, 1).

        Returns
        -------
        float
        """
        stats, _, _ = self.e_step(params, counts)
        return float(stats.total @ [params.theta**-2, (1 - params.theta) ** -2])


def _statistics(categories, n_components):
    """T: whether the member came from b_i θ, whether it came from c_i (1 − θ)."""
    return np.broadcast_to(np.eye(3)[:, 1:], (len(categories), 3, 2))


def _cells(model, params):
    """a_i, b_i θ, c_i (1 − θ), of shape (n_categories, 3)."""
    coefficients = check_array("coefficients", model.coefficients, ("n_categories", 3))
    if (coefficients < 0).any():
        raise ValueError(f"coefficients: got {coefficients.min()}, must not be negative")
    a, b, c = coefficients.T
    ends = np.array([a + b, a + c])  # the probabilities at θ = 1 and at θ = 0
    check_distribution("coefficients a + b, a + c", ends, (2, len(coefficients)))
    theta = float(check_probabilities("theta", params.theta, ()))
    return coefficients * [1, theta, 1 - theta]


def _check_counts(model, counts):
    counts = check_array("counts", counts, (len(model.coefficients),))
    if (counts < 0).any():
        raise ValueError(f"counts: got {counts.min()}, must not be negative")
    if not counts.any():
        raise ValueError("counts: got all zero, must be at least one member")
    return counts
