"""Where EM is going: two extrapolations of its steps (chapter "Faster, larger").

A step of EM maps a vector x of parameters to its image M(x). Near the limit the steps shrink
slowly and in almost the same direction, so a few of them tell where the rest would lead. Both
rules here look at steps that were taken anyway, and at nothing of the model. What they propose
may be worse than a plain step: :func:`latent_em.em.fit_em` takes it only if the bound rises.
"""

import numpy as np

# How many differences of steps are combined at most; more bring little.
_DEPTH = 5


def squarem(x0, x1, x2):
    """Two steps of EM in a row, x0 → x1 → x2, extrapolated as a parabola (eq-fl-squarem).

    With r = x1 − x0 and v = (x2 − x1) − r this is x0 + 2 a r + a² v, a = ‖r‖ / ‖v‖
    (eq-fl-squarem-length). At a = 1 it is x2, and it never goes less far.

    Parameters
    ----------
    x0, x1, x2 : ndarray of any one shape

    Returns
    -------
    ndarray of the same shape

    References
    ----------
    R. Varadhan and C. Roland (2008). Simple and globally convergent methods for accelerating
    the convergence of any EM algorithm. *Scandinavian Journal of Statistics* 35(2), 335–353.
    """
    r = x1 - x0
    v = (x2 - x1) - r
    length, bend = np.linalg.norm(r), np.linalg.norm(v)
    if bend == 0:  # steps that do not shrink lead nowhere
        return x2
    a = max(length / bend, 1.0)
    return x0 + 2 * a * r + a**2 * v


def anderson(points, images):
    """The combination of images that should have moved least, Σ_i w_i M(x_i).

    The weights sum to one, and make Σ_i w_i (M(x_i) − x_i) as short as can be: were M linear,
    that would be the step from Σ_i w_i x_i (eq-fl-affine).

    Parameters
    ----------
    points, images : sequence of ndarray of any one shape
        x_i and M(x_i), the last one the newest.

    Returns
    -------
    ndarray of the same shape

    References
    ----------
    D. G. Anderson (1965). Iterative procedures for nonlinear integral equations. *Journal of
    the ACM* 12(4), 547–560.

    H. F. Walker and P. Ni (2011). Anderson acceleration for fixed-point iterations. *SIAM
    Journal on Numerical Analysis* 49(4), 1715–1735.
    """
    shape = np.shape(images[-1])
    images = np.reshape(images, (len(images), -1))
    steps = images - np.reshape(points, images.shape)
    coefficients = np.linalg.lstsq(np.diff(steps, axis=0).T, steps[-1])[0]
    return (images[-1] - coefficients @ np.diff(images, axis=0)).reshape(shape)


def propose_squarem(path):
    """What :func:`squarem` makes of the last two steps, if the first of them was a plain one.

    Parameters
    ----------
    path : list of (ndarray, ndarray)
        Points and their images, the newest last.

    Returns
    -------
    ndarray or None
        None if there is nothing to extrapolate yet.
    """
    if len(path) < 2:
        return None
    (x0, image), (x1, x2) = path[-2:]
    return squarem(x0, x1, x2) if np.array_equal(image, x1) else None


def propose_anderson(path):
    """What :func:`anderson` makes of the last six steps; :func:`squarem` where it points back.

    Anderson's rule looks for a point that EM leaves where it is, and a saddle is one. Where the
    steps grow, as they do on leaving a saddle, it turns back against the newest of them.

    Parameters and result as for :func:`propose_squarem`.
    """
    if len(path) < 2:
        return None
    proposal = anderson(*zip(*path[-_DEPTH - 1 :], strict=True))
    x, image = path[-1]
    ahead = np.vdot(proposal - x, image - x) > 0
    return proposal if ahead else propose_squarem(path)


SCHEMES = {"squarem": propose_squarem, "anderson": propose_anderson}
