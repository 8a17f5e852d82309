"""The Bernoulli mixture as a scikit-learn estimator, over :mod:`latent_em.bernoulli_mixture`."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_em import bernoulli_mixture as core
from latent_em._starts import start_resp
from latent_em._validation import check_binary
from latent_em.em import fit_em
from latent_em.weighted import Weighted, rows_and_weights


class BernoulliMixture(DensityMixin, BaseEstimator):
    """Mixture of Bernoulli distributions, or latent class model, fitted by EM.

    Parameters, attributes and methods are called and shaped as those of
    ``sklearn.mixture.GaussianMixture``, ``alpha`` and ``binarize`` as those of
    ``sklearn.naive_bayes.BernoulliNB``.

    Parameters
    ----------
    n_components : int, default=1
        Number of classes K.
    tol : float, default=1e-6
        Stop after a step that changes the bound by less than ``tol`` nats per sample.
    alpha : float, default=1e-6
        Smoothing: this many ones and zeros are added to every feature of every class, which
        is a Beta(1 + alpha, 1 + alpha) prior on the means. The default moves no estimate that
        matters, but leaves no probability at zero, so that every new sample has a posterior.
        Zero gives maximum likelihood, with estimates on the boundary and all they exclude.
    binarize : float or None, default=0.0
        Values above this count as one, all others as zero. With None, ``X`` must already be
        zeros and ones, and anything else is an error. Data coded 1 and 2 need 1.5.
    max_iter : int, default=1000
        Take at most this many steps. Zero leaves the start.
    n_init : int, default=1
        Number of starts; the one with the highest bound is kept.
    init_params : {'kmeans', 'k-means++', 'random', 'random_from_data'}, default='kmeans'
        How samples are divided among classes for a start: by the clusters of k-means; one
        sample for each class, chosen far apart or at random; or all at random. A sample and
        a half of each kind is then added to every class, so that no start touches the
        boundary, which EM cannot leave.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start from, instead of those.
    means_init : array-like of shape (n_components, n_features), default=None
        Means to start from, inside (0, 1).
    random_state : int, RandomState instance or None, default=None
        For the starts, and then for :meth:`sample`.
    warm_start : bool, default=False
        Start from the last fit, once.
    verbose : int, default=0
        Above zero, show a progress bar for every start.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Shares of the classes.
    means_ : ndarray of shape (n_components, n_features)
        Probability of a one, by class and feature.
    converged_ : bool
        Whether the start that was kept converged within ``max_iter`` steps.
    n_iter_ : int
        Steps taken from that start.
    lower_bound_ : float
        Log-likelihood per sample at the parameters returned, with the log-prior that
        ``alpha`` makes, in nats.
    lower_bounds_ : ndarray of shape (n_iter_ + 1,)
        The same, at the start and after each step.
    n_features_in_ : int
        Number of features seen in :meth:`fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.

    See Also
    --------
    latent_em.bernoulli_mixture : The functions beneath.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_em import BernoulliMixture
    >>> from latent_em.datasets import load_carcinoma
    >>> ratings, slides = load_carcinoma()
    >>> mixture = BernoulliMixture(3, random_state=0).fit(ratings, sample_weight=slides)
    >>> np.round(np.sort(mixture.weights_), 3)
    array([0.182, 0.374, 0.445])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "binarize": [None, Interval(Real, None, None, closed="neither")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions({"kmeans", "k-means++", "random", "random_from_data"})],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=1,
        *,
        tol=1e-6,
        alpha=1e-6,
        binarize=0.0,
        max_iter=1000,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
    ):
        self.n_components = n_components
        self.tol = tol
        self.alpha = alpha
        self.binarize = binarize
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit by EM, from ``n_init`` starts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample counts; by default once. Whole numbers equal repeated rows.

        Returns
        -------
        self : BernoulliMixture

        Raises
        ------
        ValueError
            If ``X`` holds NaN or infinity, or fewer rows than classes, or is not binary and
            ``binarize`` is None; if a start does not fit; if a weight is negative or all are
            zero.

        Warns
        -----
        ConvergenceWarning
            If the start that was kept ran out of steps.
        UserWarning
            If ``binarize`` makes all samples equal.
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        X = self._binarized(X)
        if sample_weight is None:
            sample_weight = np.ones(len(X))
        chunk = Weighted(*rows_and_weights(Weighted(X, sample_weight)))
        if len(chunk.X) < self.n_components:
            raise ValueError(
                f"X: got n_samples = {len(chunk.X)} of weight above zero, must be at least "
                f"n_components = {self.n_components}"
            )
        model = core.BetaPrior(1 + self.alpha, 1 + self.alpha)
        self._random_state = check_random_state(self.random_state)
        if self.warm_start and hasattr(self, "converged_"):
            starts = [self._params]
        else:
            starts = (self._start(chunk) for _ in range(self.n_init))
        fits = (self._fit_em(model, start, chunk) for start in starts)
        best = max(fits, key=lambda fit: fit.lower_bounds[-1])
        if not best.converged and self.max_iter > 0:
            warnings.warn(
                f"EM did not converge to tol={self.tol} in max_iter={self.max_iter} steps; "
                "increase max_iter or tol",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.weights_, self.means_ = best.params
        self.converged_, self.n_iter_ = best.converged, best.n_iter
        self.lower_bounds_ = best.lower_bounds / chunk.sample_weight.sum()
        self.lower_bound_ = float(self.lower_bounds_[-1])
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit, and return the most probable class of each sample: ``fit(X).predict(X)``.

        Parameters and errors as for :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.fit(X, y, sample_weight=sample_weight).predict(X)

    def score_samples(self, X):
        """Log-likelihood of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats; −∞ for a sample that every class excludes, if ``alpha`` is zero.
        """
        return core.log_prob(self._params, self._checked(X))

    def score(self, X, y=None):
        """Mean log-likelihood of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored

        Returns
        -------
        float
            In nats.
        """
        return float(self.score_samples(X).mean())

    def predict(self, X):
        """Most probable class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            0 to K − 1.

        Raises
        ------
        ValueError
            As :meth:`predict_proba`.
        """
        return self.predict_proba(X).argmax(axis=1)

    def predict_proba(self, X):
        """Probability of each class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_components)

        Raises
        ------
        ValueError
            If every class excludes some sample, which ``alpha`` above zero prevents.
        """
        return core.responsibilities(self._params, self._checked(X))

    def sample(self, n_samples=1):
        """Draw samples from the fitted mixture. Each call draws anew.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Zeros and ones.
        y : ndarray of shape (n_samples,)
            Their classes.
        """
        params = self._params
        if not hasattr(self, "_random_state"):  # parameters were set by hand
            self._random_state = check_random_state(self.random_state)
        seed = self._random_state.randint(np.iinfo(np.int32).max)
        return core.sample(params, n_samples, seed)

    def bic(self, X):
        """Bayesian information criterion of the fit on ``X``: smaller is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        float
        """
        return core.bic(self._params, self._checked(X))

    def aic(self, X):
        """Akaike information criterion of the fit on ``X``: smaller is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        float
        """
        X = self._checked(X)
        return 2 * (core.degrees_of_freedom(self._params) - core.log_likelihood(self._params, X))

    @property
    def _params(self):
        check_is_fitted(self)
        return core.Params(self.weights_, self.means_)

    def _checked(self, X):
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self._binarized(X, warn=False)

    def _binarized(self, X, warn=True):
        if self.binarize is None:
            return check_binary("X", X, X.shape)
        binary = np.greater(X, self.binarize).astype(float)
        if warn and not np.ptp(binary, axis=0).any() and np.ptp(X, axis=0).any():
            warnings.warn(
                f"binarize={self.binarize} makes all samples equal; choose a threshold within "
                f"the data, which run from {X.min():.4g} to {X.max():.4g}",
                UserWarning,
                stacklevel=4,
            )
        return binary

    def _fit_em(self, model, start, chunk):
        options = {"tol": self.tol, "max_iter": self.max_iter, "progress": bool(self.verbose)}
        result = fit_em(model, start, [chunk], **options)
        if not result.converged and len(result.lower_bounds) <= self.max_iter:
            raise KeyboardInterrupt  # for which fit_em stops early
        return result

    def _start(self, chunk):
        X, sample_weight = chunk
        resp = start_resp(self.init_params, X, self.n_components, self._random_state, sample_weight)
        # Laplace's rule for the weights, and for the means so that none is 0 or 1.
        counts = core.counts(X, resp)
        weights, means = core.BetaPrior(2, 2).m_step(counts._replace(nk=counts.nk + 1))
        if self.weights_init is not None:
            weights = self.weights_init
        if self.means_init is not None:
            means = self.means_init
        params = core.check_params(core.Params(weights, means))
        wanted = (self.n_components, X.shape[1])
        if params.means.shape != wanted:
            raise ValueError(f"means_init: got shape {params.means.shape}, must be {wanted}")
        return params
