"""The prior that keeps covariances from collapsing (chapter "Gaussian mixtures, used")."""

from typing import NamedTuple

import numpy as np

from latent_em._validation import check_array
from latent_em.covariances import TIED


class InverseWishart(NamedTuple):
    """A prior on every covariance, which keeps the log-posterior bounded and EM climbing.

    log p(Σ) = −½ (ν + D + 1) log det Σ − ½ tr(Ψ Σ⁻¹) up to a constant (eq-gu-prior), for the
    matrices that the covariance type allows. With it the M-step is
    Σ_k = (Ψ + Σ_n r_nk (x_n − μ_k)(x_n − μ_k)ᵀ) / (ν + D + 1 + N_k) (eq-gu-map), as if
    ν + D + 1 samples of scatter Ψ had been seen before. A tied covariance has the prior once.

    Attributes
    ----------
    scale : ndarray of shape (n_features, n_features)
        Ψ, symmetric positive definite, in squared units of the data.
    degrees_of_freedom : float
        ν, greater than D − 1. With ν = D + 2 the prior's mean is Ψ itself.

    References
    ----------
    C. Fraley and A. E. Raftery (2007). Bayesian regularization for normal mixture estimation
    and model-based clustering. *Journal of Classification* 24, 155–181.
    """

    scale: np.ndarray
    degrees_of_freedom: float

    @property
    def pseudo_count(self):
        """ν + D + 1."""
        return self.degrees_of_freedom + len(self.scale) + 1

    def scatter(self, covariance_type):
        """Ψ in the shape of the type: the scatter of the columns of its root."""
        columns = np.linalg.cholesky(self.scale)
        return covariance_type.scatter([columns], np.ones((1, len(columns))))

    def log_density(self, covariances, covariance_type):
        """Log p(Σ_1, …, Σ_K) up to a constant (eq-gu-prior), in nats."""
        U = covariance_type.precisions_cholesky(covariances)
        half_log_det = covariance_type.half_log_det(U, len(self.scale))
        columns = np.linalg.cholesky(self.scale)
        origin = np.zeros((len(half_log_det), len(columns)))
        traces = covariance_type.mahalanobis(U, origin)(columns).sum(axis=1)
        return float((-self.pseudo_count * half_log_det - traces / 2).sum())


def inverse_wishart(covariance_prior, n_features, degrees_of_freedom_prior=None):
    """Make the prior from what is most convenient to give.

    Parameters
    ----------
    covariance_prior : float or array-like
        Ψ, of shape (n_features, n_features); its diagonal, of shape (n_features,); or a
        positive number for that multiple of the unit matrix.
    n_features : int
    degrees_of_freedom_prior : float, optional
        ν; by default D + 2.

    Returns
    -------
    InverseWishart

    Raises
    ------
    ValueError
        If Ψ is not symmetric positive definite, a shape does not fit, or ν is D − 1 or less.
    """
    name, scale = "covariance_prior", covariance_prior
    if np.ndim(scale) == 0:
        scale = np.full(n_features, scale)
    if np.ndim(scale) == 1:
        scale = np.diag(check_array(name, scale, (n_features,)))
    scale = TIED.check(name, scale, 1, n_features)
    TIED.precisions_cholesky(scale, name)
    nu = n_features + 2 if degrees_of_freedom_prior is None else degrees_of_freedom_prior
    if nu <= n_features - 1:
        raise ValueError(
            f"degrees_of_freedom_prior: got {nu}, must be more than n_features - 1 = "
            f"{n_features - 1}"
        )
    return InverseWishart(scale, float(nu))
