"""Errors of log-densities and of one EM step, against arithmetic with 60 digits.

    python benchmarks/precision.py

Two clusters of 100 rows in three dimensions: far from the origin, tight against the distance
between them, or nearly in a plane. Every library is given the same parameters and rows. The
error of a log-density is the largest, over max(1, its size); that of the covariances after a step
is in the norm of all their entries, over the norm of the exact ones.
"""

import warnings

import mpmath as mp
import numpy as np
import results
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

from latent_em import gaussian_mixture as gm
from latent_em.covariances import COVARIANCE_TYPES

COLUMNS = ["case", "size", "covariance_type", "library", "log_density_error", "covariance_error"]
CASES = [("offset", size) for size in (0, 1e4, 1e8)]
CASES += [("sd / separation", size) for size in (1e-2, 1e-4, 1e-6)]
CASES += [("condition", size) for size in (1e4, 1e8, 1e12)]
mp.mp.dps = 60


def problem(case, size, kind):
    """Rows, and parameters near those they were drawn from."""
    rng = np.random.default_rng(0)
    z = np.repeat([0, 1], 100)
    rows = rng.standard_normal((200, 3))
    if case == "condition":
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        X = (rows * [1, 1, size**-0.5]) @ turn + np.outer(z, turn[0])
    elif case == "offset":
        X = rows + 2.0 * z[:, None] + size
    else:
        X = size * rows + z[:, None]
    resp = np.where(z[:, None] == [0, 1], 0.9, 0.1) if case != "sd / separation" else np.eye(2)[z]
    weights, means, covariances = gm.m_step(gm.moments(X, resp, kind))
    return X, gm.Params(weights, means, 1.5 * covariances)


def exactly(params, X, kind):
    """Log-densities and the covariances after a step, with 60 digits."""
    n_components, n_features = params.means.shape
    matrices = kind.matrices(params.covariances, n_components, n_features)
    rows = [mp.matrix(x.tolist()) for x in X]
    joint = []
    for weight, mean, matrix in zip(params.weights, params.means, matrices, strict=True):
        sigma, mean = mp.matrix(matrix.tolist()), mp.matrix(mean.tolist())
        inverse, scale = sigma**-1, mp.mpf(weight) / mp.sqrt((2 * mp.pi) ** 3 * mp.det(sigma))
        apart = [row - mean for row in rows]
        joint.append([scale * mp.exp(-(d.T * inverse * d)[0] / 2) for d in apart])
    density = [mp.fsum(pair) for pair in zip(*joint, strict=True)]
    nk, scatters = [], []
    for component in joint:
        resp = [value / total for value, total in zip(component, density, strict=True)]
        nk.append(mp.fsum(resp))
        mean = sum((r * x for r, x in zip(resp, rows, strict=True)), mp.zeros(3, 1)) / nk[-1]
        apart = [row - mean for row in rows]
        squares = (r * d * d.T for r, d in zip(resp, apart, strict=True))
        scatters.append(sum(squares, mp.zeros(3, 3)))
    if kind.name == "tied":
        scatters, nk = [sum(scatters[1:], scatters[0])], [mp.fsum(nk)]
    full = [scatter / count for scatter, count in zip(scatters, nk, strict=True)]
    diagonals = [[matrix[i, i] for i in range(3)] for matrix in full]
    return [mp.log(value) for value in density], {
        "full": [list(matrix) for matrix in full],
        "tied": [list(matrix) for matrix in full],
        "diag": diagonals,
        "spherical": [[mp.fsum(diagonal) / 3] for diagonal in diagonals],
    }[kind.name]


def ours(params, X, kind):
    """The same with latent_em."""
    stats, _, _ = gm.e_step(params, X, None, kind)
    return gm.log_prob(params, X, kind), gm.m_step(stats).covariances


def scikit_learn(params, X, kind):
    """The same with scikit-learn, without its ridge."""
    model = GaussianMixture(2, covariance_type=kind.name, reg_covar=0)
    model.weights_, model.means_, model.covariances_ = params
    model.precisions_cholesky_ = _compute_precision_cholesky(params.covariances, kind.name)
    log_prob = model.score_samples(X)
    model._m_step(X, model._e_step(X)[1])
    return log_prob, model.covariances_


def errors(got, exact):
    """Errors of both, rounded to two digits; a library may fail."""
    log_prob, covariances = exact
    flat = [value for row in covariances for value in row]
    off = [abs(a - b) / max(1, abs(b)) for a, b in zip(got[0].tolist(), log_prob, strict=True)]
    apart = [a - b for a, b in zip(got[1].ravel().tolist(), flat, strict=True)]
    relative = mp.norm(apart) / mp.norm(flat)
    return [float(f"{float(error):.1e}") for error in (max(off), relative)]


def measure():
    """Yield the rows of the table."""
    for case, size in CASES:
        for name, kind in COVARIANCE_TYPES.items():
            if case == "condition" and name in ("diag", "spherical"):
                continue
            X, params = problem(case, size, kind)
            exact = exactly(params, X, kind)
            for library, step in (("latent_em", ours), ("scikit-learn", scikit_learn)):
                try:
                    off = errors(step(params, X, kind), exact)
                except ValueError:
                    off = ["fails", "fails"]
                yield [case, size, name, library, *off]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    rows = list(measure())
    results.write("precision", COLUMNS, rows)
    for row in rows:
        print(*row)
