"""The four shapes of a covariance, each in one place (chapter "Gaussian mixtures, used").

A shape is an object without state, ``FULL``, ``TIED``, ``DIAG`` or
``SPHERICAL``, that knows all a mixture needs to know about its covariances: how they
are stored, how far samples lie from a mean in their metric, and how they follow from the
scatter of the samples. To add one, write a class with the methods of ``_Full`` and list it
in ``COVARIANCE_TYPES``.

Covariances are used through the factor U of their inverse, Σ_k⁻¹ = U_k U_kᵀ, which
scikit-learn calls ``precisions_cholesky_``. Samples stand in columns: (n_features, n_samples).

All linear algebra is NumPy's. SciPy has a triangular product at half the price, but brings a BLAS
with threads of its own, and a loop that alternates between the two has them fight for the cores.
"""

import numpy as np

from latent_em._validation import check_array

# (x − μ)² is fast when expanded about a centre, as matrix products, but loses digits where μ
# lies far from the centre. Up to this square of the distance, in variances, four of sixteen;
# beyond it the difference itself is squared.
_FAR = 1e4


class _Full:
    """Σ_k any symmetric positive definite matrix, stored as (K, D, D) (eq-gu-share)."""

    name = "full"

    def shape(self, n_components, n_features):
        """Shape in which the covariances are stored."""
        return (n_components, n_features, n_features)

    def n_parameters(self, n_components, n_features):
        """Count of free parameters."""
        return n_components * n_features * (n_features + 1) // 2

    def check(self, name, values, n_components, n_features):
        """Return ``values`` as doubles; raise unless of the right shape, finite and symmetric."""
        values = check_array(name, values, self.shape(n_components, n_features))
        scale = np.abs(values).max(initial=0)
        if (np.abs(values - values.swapaxes(-1, -2)) > 1e-9 * scale).any():
            raise ValueError(f"{name}: got an asymmetric matrix, must be symmetric")
        return values

    def matrices(self, covariances, n_components, n_features):
        """Σ_k written out, of shape (K, D, D)."""
        return covariances

    def identity(self, n_features):
        """What stands for the unit matrix."""
        return np.eye(n_features)

    def variances(self, covariances):
        """The diagonals, of a shape that broadcasts to (K, D)."""
        return np.diagonal(covariances, axis1=-2, axis2=-1)

    def precisions_cholesky(self, covariances, name="covariances"):
        """U_k, upper triangular; raise unless every Σ_k is positive definite beyond rounding."""
        try:
            roots = np.linalg.cholesky(covariances)
            # What is left of each variance, given the features before it.
            left, variances = (np.diagonal(m, axis1=1, axis2=2) for m in (roots, covariances))
            positive = (left**2 > 4 * len(roots[0]) * np.finfo(float).eps * variances).all()
        except np.linalg.LinAlgError:
            positive = False
        if not positive:
            least = np.linalg.eigvalsh(covariances)[:, 0]
            raise not_positive(name, "smallest eigenvalue", least)
        # LU leaves an upper triangular matrix as it is, so this is back substitution.
        return np.linalg.inv(roots.swapaxes(1, 2))

    def precisions(self, U):
        """Σ_k⁻¹ = U_k U_kᵀ."""
        return U @ U.swapaxes(-1, -2)

    def half_log_det(self, U, n_features):
        """½ log det Σ_k."""
        return -np.log(np.diagonal(U, axis1=1, axis2=2)).sum(axis=1)

    def pack(self, covariances, n_components):
        """Real numbers, a row for each component: Cholesky factors with a log-diagonal."""
        roots = np.linalg.cholesky(covariances)
        diagonal = np.arange(roots.shape[1])
        roots[:, diagonal, diagonal] = np.log(roots[:, diagonal, diagonal])
        return roots[:, *np.tril_indices(len(diagonal))]

    def unpack(self, rows, n_features):
        """Undo ``pack``."""
        roots, diagonal = np.zeros((len(rows), n_features, n_features)), np.arange(n_features)
        roots[:, *np.tril_indices(n_features)] = rows
        roots[:, diagonal, diagonal] = np.exp(roots[:, diagonal, diagonal])
        return roots @ roots.swapaxes(1, 2)

    def mahalanobis(self, U, X, means):
        """(x_n − μ_k)ᵀ Σ_k⁻¹ (x_n − μ_k), of shape (K, n)."""
        deviations = (X - m[:, None] for m in means)
        return np.stack([_square_norms(u.T @ d) for u, d in zip(U, deviations, strict=True)])

    def scatter(self, deviations, weights):
        """Σ_n w_kn d_kn d_knᵀ in the shape of the type, of one array (D, n) per component."""
        return np.stack([(d * w) @ d.T for d, w in zip(deviations, weights, strict=True)])

    def scatter_about(self, X, means, weights):
        """The same for the deviations of all samples from each of the means."""
        return self.scatter((X - m[:, None] for m in means), weights)

    def average(self, scatter, nk, pseudo_count=0.0):
        """Covariances from a scatter: divide by the count of samples."""
        covariances = scatter / (nk + pseudo_count)[:, None, None]
        return (covariances + covariances.swapaxes(1, 2)) / 2


class _Tied(_Full):
    """One symmetric positive definite matrix Σ for all components, (D, D) (eq-gu-tied)."""

    name = "tied"

    def shape(self, n_components, n_features):
        return (n_features, n_features)

    def n_parameters(self, n_components, n_features):
        return super().n_parameters(1, n_features)

    def matrices(self, covariances, n_components, n_features):
        return np.broadcast_to(covariances, (n_components, n_features, n_features))

    def precisions_cholesky(self, covariances, name="covariances"):
        return super().precisions_cholesky(covariances[None], name)[0]

    def half_log_det(self, U, n_features):
        return super().half_log_det(U[None], n_features)

    def pack(self, covariances, n_components):
        return np.repeat(super().pack(covariances[None], 1), n_components, axis=0)

    def unpack(self, rows, n_features):
        return super().unpack(rows[:1], n_features)[0]

    def mahalanobis(self, U, X, means):
        # Uᵀ once for all components, about a point amid them lest digits be lost far from 0.
        centre = means.mean(axis=0)
        whitened = U.T @ (X - centre[:, None])
        whitened_means = (means - centre) @ U
        return np.stack([_square_norms(whitened - m[:, None]) for m in whitened_means])

    def scatter(self, deviations, weights):
        return sum((d * w) @ d.T for d, w in zip(deviations, weights, strict=True))

    def average(self, scatter, nk, pseudo_count=0.0):
        return super().average(scatter[None], nk.sum(keepdims=True), pseudo_count)[0]


class _Diag:
    """Σ_k diagonal, its diagonal stored as (K, D) (eq-gu-diag)."""

    name = "diag"

    def shape(self, n_components, n_features):
        return (n_components, n_features)

    def n_parameters(self, n_components, n_features):
        return n_components * n_features

    def check(self, name, values, n_components, n_features):
        return check_array(name, values, self.shape(n_components, n_features))

    def matrices(self, covariances, n_components, n_features):
        return covariances[:, :, None] * np.eye(n_features)

    def identity(self, n_features):
        return 1.0

    def variances(self, covariances):
        return covariances.reshape(len(covariances), -1)

    def precisions_cholesky(self, covariances, name="covariances"):
        if not (covariances > 0).all():
            raise not_positive(name, "smallest variance", self.variances(covariances).min(axis=1))
        return 1 / np.sqrt(covariances)

    def precisions(self, U):
        return U**2

    def half_log_det(self, U, n_features):
        return -np.log(U).sum(axis=1)

    def pack(self, covariances, n_components):
        return np.log(covariances).reshape(n_components, -1) / 2

    def unpack(self, rows, n_features):
        return np.exp(2 * rows)

    def mahalanobis(self, U, X, means):
        precisions = np.broadcast_to(self.precisions(U).reshape(len(means), -1), means.shape)
        centre = means.mean(axis=0)
        Y, apart = X - centre[:, None], means - centre
        far = precisions * apart**2 > _FAR
        near = np.where(far, 0, precisions)
        distances = near @ Y**2 - (2 * near * apart) @ Y
        distances += (near * apart**2).sum(axis=1)[:, None]
        for k in np.flatnonzero(far.any(axis=1)):
            distances[k] += precisions[k, far[k]] @ (X[far[k]] - means[k, far[k], None]) ** 2
        return distances

    def scatter(self, deviations, weights):
        return np.stack([d**2 @ w for d, w in zip(deviations, weights, strict=True)])

    def scatter_about(self, X, means, weights):
        centre = X.mean(axis=1)
        Y, apart, nk = X - centre[:, None], means - centre, weights.sum(axis=1)[:, None]
        scatter = weights @ (Y**2).T - 2 * apart * (weights @ Y.T) + nk * apart**2
        far = nk * apart**2 > _FAR * scatter
        for k in np.flatnonzero(far.any(axis=1)):
            scatter[k, far[k]] = (X[far[k]] - means[k, far[k], None]) ** 2 @ weights[k]
        return scatter

    def average(self, scatter, nk, pseudo_count=0.0):
        return scatter / (nk + pseudo_count)[:, None]


class _Spherical(_Diag):
    """Σ_k = σ_k² I, the variances σ_k² stored as (K,) (eq-gu-spherical).

    Its scatter is the mean over the features of that of ``_Diag``.
    """

    name = "spherical"

    def shape(self, n_components, n_features):
        return (n_components,)

    def n_parameters(self, n_components, n_features):
        return n_components

    def matrices(self, covariances, n_components, n_features):
        return covariances[:, None, None] * np.eye(n_features)

    def half_log_det(self, U, n_features):
        return -n_features * np.log(U)

    def unpack(self, rows, n_features):
        return super().unpack(rows, n_features)[:, 0]

    def scatter(self, deviations, weights):
        return super().scatter(deviations, weights).mean(axis=1)

    def scatter_about(self, X, means, weights):
        return super().scatter_about(X, means, weights).mean(axis=1)

    def average(self, scatter, nk, pseudo_count=0.0):
        return scatter / (nk + pseudo_count)


FULL, TIED, DIAG, SPHERICAL = _Full(), _Tied(), _Diag(), _Spherical()
COVARIANCE_TYPES = {kind.name: kind for kind in (FULL, TIED, DIAG, SPHERICAL)}


def _square_norms(Y):
    """‖y_n‖² of the columns."""
    return np.einsum("dn,dn->n", Y, Y)


def not_positive(name, what, least):
    """The error that the smallest of ``least``, one for each component, is not positive."""
    k = int(least.argmin())
    which = f"component {k} has " if len(least) > 1 else "got "
    advice = "; a component that collapses onto a few samples needs another start or a prior"
    return ValueError(
        f"{name}: {which}{what} {least[k]:.3g}, must be positive definite beyond rounding"
        + (advice if name == "covariances" else "")
    )
