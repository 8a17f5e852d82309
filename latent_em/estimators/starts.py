"""How a mixture starts: samples divided among components, and what is given checked."""

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus

from latent_em._validation import check_array


def start_resp(init_params, X, n_components, rng, sample_weight=None):
    """Responsibilities to start from, as scikit-learn's mixtures draw them.

    Parameters
    ----------
    init_params : {'kmeans', 'k-means++', 'random_from_data', 'random'}
        The clusters of k-means; one sample for each component, chosen far apart or at random;
        or all at random.
    X : ndarray of shape (n_samples, n_features)
    n_components : int
    rng : numpy.random.RandomState
    sample_weight : ndarray of shape (n_samples,), optional
        How often each sample counts.

    Returns
    -------
    ndarray of shape (n_samples, n_components)
        A sample counted w times has w times the responsibility, unless it is the only one of
        its component.
    """
    X = X - X.mean(axis=0)  # k-means++ loses digits far from the origin
    resp = np.zeros((len(X), n_components))
    if init_params == "k-means++":
        _, rows = kmeans_plusplus(X, n_components, sample_weight=sample_weight, random_state=rng)
        resp[rows, np.arange(n_components)] = 1
        return resp
    if init_params == "random_from_data":
        p = None if sample_weight is None else sample_weight / sample_weight.sum()
        rows = rng.choice(len(X), size=n_components, replace=False, p=p)
        resp[rows, np.arange(n_components)] = 1
        return resp
    if init_params == "kmeans":
        kmeans = KMeans(n_components, n_init=1, random_state=rng)
        resp[np.arange(len(X)), kmeans.fit(X, sample_weight=sample_weight).labels_] = 1
    else:
        resp = rng.uniform(size=resp.shape)
        resp /= resp.sum(axis=1, keepdims=True)
    return resp if sample_weight is None else resp * sample_weight[:, np.newaxis]


def check_weights(weights, n_components):
    """Return ``weights_init`` as doubles that sum to one; raise if it is far from that."""
    rounding = 1e-6 if getattr(weights, "dtype", None) == np.float32 else 1e-8
    weights = check_array("weights_init", weights, (n_components,))
    if (weights < 0).any():
        raise ValueError(f"weights_init: got {weights.min()}, must not be negative")
    if abs(weights.sum() - 1) > rounding:
        raise ValueError(f"weights_init: got a sum of {weights.sum()}, must sum to 1")
    return weights / weights.sum()


def check_distinct(X, n_components):
    """Raise if ``X`` has fewer distinct rows than components; mostly a few rows tell."""
    n_rows = n_components
    while len(distinct := np.unique(X[:n_rows], axis=0)) < n_components:
        if n_rows >= len(X):
            raise ValueError(
                f"X: got {len(distinct)} distinct rows (n_samples={len(X)}), must be at least "
                f"n_components={n_components}"
            )
        n_rows *= 4
