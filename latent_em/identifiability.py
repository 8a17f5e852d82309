"""How many numbers binary data can tell apart (chapter "When EM cannot help").

D binary features make 2^D patterns. A Bernoulli mixture is a map from its K − 1 + KD free
parameters to the 2^D probabilities of these patterns, and data can show nothing else. Where
the Jacobian of that map has full column rank, nearby parameters give different distributions:
the mixture is locally identifiable. Where it has not, a whole surface of parameters fits
equally well, and EM stops where it first meets it.

References
----------
L. A. Goodman (1974). Exploratory latent structure analysis using both identifiable and
unidentifiable models. *Biometrika* 61(2), 215–231.
"""

import numpy as np

from latent_em._validation import check_integer
from latent_em.bernoulli_mixture import check_params

LARGEST = 16


def patterns(n_features):
    """All 2^D patterns of D binary features, in the order of binary numbers.

    Parameters
    ----------
    n_features : int
        D, at most 16.

    Returns
    -------
    ndarray of shape (2**n_features, n_features)

    Raises
    ------
    TypeError, ValueError
        If ``n_features`` is no integer from 1 to 16.
    """
    check_integer("n_features", n_features, at_least=1)
    if n_features > LARGEST:
        raise ValueError(f"n_features: got {n_features}, must be at most {LARGEST}")
    return np.indices((2,) * n_features).reshape(n_features, -1).T.astype(float)


def jacobian(params):
    """∂ p(pattern) / ∂ (π_2 … π_K, μ_11 … μ_KD), with π_1 = 1 − π_2 − … − π_K.

    Its rank, ``np.linalg.matrix_rank``, is how many numbers the data identify near ``params``.

    Parameters
    ----------
    params : latent_em.bernoulli_mixture.Params

    Returns
    -------
    ndarray of shape (2**n_features, n_components - 1 + n_components * n_features)
        One pattern a row, in the order of :func:`patterns`.

    Raises
    ------
    ValueError
        If the parameters are unfit, or there are more than 16 features.
    """
    weights, means = check_params(params)
    n_components, n_features = means.shape
    X = patterns(n_features)[:, np.newaxis, :]
    factors = np.where(X == 1, means, 1 - means)  # p(x_d | z = k), of shape (2^D, K, D)
    given_class = factors.prod(axis=2)
    by_weight = given_class[:, 1:] - given_class[:, :1]
    others = [np.delete(factors, d, axis=2).prod(axis=2) for d in range(n_features)]
    by_mean = weights[:, np.newaxis] * np.stack(others, axis=2) * (2 * X - 1)
    return np.hstack([by_weight, by_mean.reshape(len(X), n_components * n_features)])
