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

# Distances from all means at once are one matrix product, if they are reckoned from one centre
# for all, but lose digits where μ lies far from the centre. Up to this square of the distance,
# in variances, four of sixteen; beyond it x − μ itself is taken.
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

    def numbers_per_sample(self, n_components, n_features):
        """How many numbers a step keeps at hand for each sample."""
        return n_components * n_features

    def mahalanobis(self, U, means):
        """(x_n − μ_k)ᵀ Σ_k⁻¹ (x_n − μ_k), of shape (K, n), as a function of the samples X.

        That is the square of y_nk = U_kᵀ (x_n − μ_k). For all components together y is one
        product, of the U_kᵀ one below the other and X.
        """
        centre = means.mean(axis=0)
        whitened_means = (U.swapaxes(1, 2) @ (means - centre)[:, :, None])[:, :, 0]
        far = _square_norms(whitened_means.T) > _FAR
        affine = np.concatenate([U.swapaxes(1, 2), -whitened_means[:, :, None]], axis=2)[~far]
        stacked = affine.reshape(-1, affine.shape[2])

        def distances(X):
            Y = stacked @ _with_ones(X - centre[:, None])
            near = _square_norms(Y.reshape(len(affine), *X.shape))
            if not far.any():
                return near
            result = np.empty((len(means), X.shape[1]))
            result[~far] = near
            for k in np.flatnonzero(far):
                result[k] = _square_norms(U[k].T @ (X - means[k, :, None]))
            return result

        return distances

    def scatter(self, deviations, weights):
        """Σ_n w_kn d_kn d_knᵀ in the shape of the type, of one array (D, n) per component."""
        return _gram(deviations * np.sqrt(weights)[:, None])

    def means_and_scatter(self, X, weights, nk):
        """Weighted means of the samples X, and the scatter about them."""
        means = _over(weights @ X.T, nk)
        deviations = X - means[:, :, None]
        deviations *= np.sqrt(weights)[:, None]
        return means, _gram(deviations)

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

    def numbers_per_sample(self, n_components, n_features):
        return n_components + 2 * n_features

    def mahalanobis(self, U, means):
        # ‖y − m_k‖² = ‖y‖² − 2 m_k·y + ‖m_k‖², with y and m_k whitened once for all components.
        centre = means.mean(axis=0)
        whitened_means = (means - centre) @ U
        squares = _square_norms(whitened_means.T)
        linear = np.column_stack([-2 * whitened_means, squares])

        def distances(X):
            Y = U.T @ (X - centre[:, None])
            result = linear @ _with_ones(Y)
            result += _square_norms(Y)
            for k in np.flatnonzero(squares > _FAR):
                result[k] = _square_norms(U.T @ (X - means[k, :, None]))
            return result

        return distances

    def scatter(self, deviations, weights):
        return super().scatter(deviations, weights).sum(axis=0)

    def means_and_scatter(self, X, weights, nk):
        # The scatter of all samples about one point, less that of the components' means.
        centre, Y, sums = _centred(X, weights)
        apart = _over(sums, nk)
        total, between = _gram(Y * np.sqrt(weights.sum(axis=0))), sums.T @ apart
        within = total - between
        if _is_far(between, within):
            within = super().means_and_scatter(X, weights, nk)[1].sum(axis=0)
        return centre + apart, within

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

    def numbers_per_sample(self, n_components, n_features):
        return n_components + 2 * n_features

    def mahalanobis(self, U, means):
        # p (x − μ)² = p y² − 2 p m y + p m², with y and m the distances from the centre.
        precisions = np.broadcast_to(self.precisions(U).reshape(len(means), -1), means.shape)
        centre = means.mean(axis=0)
        apart = means - centre
        far = precisions * apart**2 > _FAR
        near = np.where(far, 0, precisions)
        constant = (near * apart**2).sum(axis=1)
        coefficients = np.column_stack([near, -2 * near * apart, constant])

        def distances(X):
            Y = X - centre[:, None]
            result = coefficients @ _with_ones(Y**2, Y)
            for k in np.flatnonzero(far.any(axis=1)):
                result[k] += precisions[k, far[k]] @ (X[far[k]] - means[k, far[k], None]) ** 2
            return result

        return distances

    def scatter(self, deviations, weights):
        return (np.square(deviations) @ weights[:, :, None])[:, :, 0]

    def means_and_scatter(self, X, weights, nk):
        # The squares about one point, less that of the distance from there to the mean.
        centre, Y, sums = _centred(X, weights)
        apart = _over(sums, nk)
        means, between = centre + apart, sums * apart
        scatter = weights @ (Y**2).T - between
        far = between > _FAR * scatter
        for k in np.flatnonzero(far.any(axis=1)):
            scatter[k, far[k]] = (X[far[k]] - means[k, far[k], None]) ** 2 @ weights[k]
        return means, scatter

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

    def mahalanobis(self, U, means):
        # As for a diagonal, with one precision for all features.
        precisions, centre = self.precisions(U), means.mean(axis=0)
        apart = means - centre
        squares = precisions * (apart**2).sum(axis=1)
        coefficients = np.column_stack([precisions, -2 * precisions[:, None] * apart, squares])

        def distances(X):
            Y = X - centre[:, None]
            result = coefficients @ _with_ones(_square_norms(Y)[None], Y)
            for k in np.flatnonzero(squares > _FAR):
                result[k] = precisions[k] * _square_norms(X - means[k, :, None])
            return result

        return distances

    def scatter(self, deviations, weights):
        return super().scatter(deviations, weights).mean(axis=1)

    def means_and_scatter(self, X, weights, nk):
        centre, Y, sums = _centred(X, weights)
        apart = _over(sums, nk)
        means, between = centre + apart, (sums * apart).sum(axis=1)
        scatter = weights @ _square_norms(Y) - between
        for k in np.flatnonzero(between > _FAR * scatter):
            scatter[k] = weights[k] @ _square_norms(X - means[k, :, None])
        return means, scatter / len(X)

    def average(self, scatter, nk, pseudo_count=0.0):
        return scatter / (nk + pseudo_count)


FULL, TIED, DIAG, SPHERICAL = _Full(), _Tied(), _Diag(), _Spherical()
COVARIANCE_TYPES = {kind.name: kind for kind in (FULL, TIED, DIAG, SPHERICAL)}


def _square_norms(Y):
    """‖y_n‖² of the columns."""
    return np.einsum("...dn,...dn->...n", Y, Y)


def _gram(Y):
    """Σ_n y_n y_nᵀ of the columns; NumPy sees that it is symmetric, and halves the work."""
    return Y @ Y.swapaxes(-1, -2)


def _centred(X, weights):
    """The mean of the columns, their distances from it, and the weighted sums of these."""
    centre = X.mean(axis=1)
    Y = X - centre[:, None]
    return centre, Y, weights @ Y.T


def _over(sums, nk):
    """sums_k / N_k; zero where N_k is."""
    return np.divide(sums, nk[:, None], out=np.zeros_like(sums), where=nk[:, None] > 0)


def _with_ones(*parts):
    """The parts one below the other, and a row of ones."""
    return np.concatenate([*parts, np.ones((1, parts[0].shape[1]))])


def _is_far(between, within):
    """Whether the difference ``within`` of two scatters lost digits, in whatever direction."""
    try:
        np.linalg.cholesky(within)
        return np.trace(np.linalg.solve(within, between)) > _FAR
    except np.linalg.LinAlgError:  # not even positive definite
        return True


def not_positive(name, what, least):
    """The error that the smallest of ``least``, one for each component, is not positive."""
    k = int(least.argmin())
    which = f"component {k} has " if len(least) > 1 else "got "
    advice = "; a component that collapses onto a few samples needs another start or a prior"
    return ValueError(
        f"{name}: {which}{what} {least[k]:.3g}, must be positive definite beyond rounding"
        + (advice if name == "covariances" else "")
    )
