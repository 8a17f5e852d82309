"""The Bernoulli mixture as a scikit-learn estimator, over :mod:`latent_em.bernoulli_mixture`."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval

from latent_em import bernoulli_mixture as core
from latent_em._validation import check_binary, check_probabilities
from latent_em.estimators.mixture import MixtureEstimator
from latent_em.estimators.starts import check_weights, start_resp
from latent_em.weighted import Weighted, rows_and_weights


class BernoulliMixture(MixtureEstimator):
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
    accelerate : {'squarem', 'anderson'} or None, default=None
        Extrapolate the steps of EM, which saves most of them where it crawls; see
        ``latent_em.acceleration``. Where several maxima are near, it may find another one.
    learning_decay : float, default=0.6
        κ: the step of :meth:`partial_fit` with batch t has length
        (``learning_offset`` + t)^−κ. Above 0.5 it converges.
    learning_offset : float, default=1.0
        The larger, the less the first batches after the very first count.

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
    n_batch_iter_ : int
        Batches seen; :meth:`fit` counts as one.
    n_evaluations_ : int
        Passes of the E-step over the data from that start, ``n_iter_`` + 1 if ``accelerate`` is
        None.
    lower_bound_ : float
        Log-likelihood per sample at the parameters returned, with the log-prior that
        ``alpha`` makes, in nats.
    lower_bounds_ : ndarray of shape (``n_iter_`` + 1,)
        The same, at the start and after each step.
    n_features_in_ : int
        Number of features seen in :meth:`fit`.
    feature_names_in_ : ndarray of shape (``n_features_in_``,)
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
        **MixtureEstimator._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "binarize": [None, Interval(Real, None, None, closed="neither")],
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
        accelerate=None,
        learning_decay=0.6,
        learning_offset=1.0,
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
        self.accelerate = accelerate
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, executor=None):
        """Fit by EM, from ``n_init`` starts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample counts; by default once. Whole numbers equal repeated rows.
        executor : concurrent.futures.Executor, default=None
            Runs the E-steps, on about equal pieces of the data; they are sent with every step
            to an executor that is another process.

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
        self._fit_em(*self._prepared(X, sample_weight, first=True), executor)
        return self

    def _prepared(self, X, sample_weight, first):
        least = {"ensure_min_samples": 2} if first else {}
        X = self._checked(X, reset=first, **least)
        if sample_weight is None:
            sample_weight = np.ones(len(X))
        chunk = Weighted(*rows_and_weights(Weighted(X, sample_weight)))
        if first and len(chunk.X) < self.n_components:
            raise ValueError(
                f"X: got n_samples = {len(chunk.X)} of weight above zero, must be at least "
                f"n_components = {self.n_components}"
            )
        return core.BetaPrior(1 + self.alpha, 1 + self.alpha), chunk

    def _set_params(self, params):
        self.weights_, self.means_ = params

    @property
    def _params(self):
        return core.Params(self.weights_, self.means_)

    def _checked(self, X, reset=True, **options):
        return self._binarized(super()._checked(X, reset=reset, **options), warn=reset)

    def _log_prob(self, X):
        return core.log_prob(self._params, X)

    def _responsibilities(self, X):
        return core.responsibilities(self._params, X)

    def _sample(self, n_samples, seed):
        return core.sample(self._params, n_samples, seed)

    def _n_parameters(self):
        return core.degrees_of_freedom(self._params)

    def _binarized(self, X, warn):
        if self.binarize is None:
            return check_binary("X", X, X.shape)
        binary = np.greater(X, self.binarize).astype(float)
        if warn and not np.ptp(binary, axis=0).any() and np.ptp(X, axis=0).any():
            warnings.warn(
                f"binarize={self.binarize} makes all samples equal; choose a threshold within "
                f"the data, which run from {X.min():.4g} to {X.max():.4g}",
                UserWarning,
                stacklevel=6,
            )
        return binary

    def _start(self, model, chunk):
        X, sample_weight = chunk
        resp = start_resp(self.init_params, X, self.n_components, self._random_state, sample_weight)
        # Laplace's rule for the weights, and for the means so that none is 0 or 1.
        counts = core.counts(X, resp)
        weights, means = core.BetaPrior(2, 2).m_step(counts._replace(nk=counts.nk + 1))
        if self.weights_init is not None:
            weights = check_weights(self.weights_init, self.n_components)
        if self.means_init is not None:
            means = check_probabilities("means_init", self.means_init, means.shape)
        return core.Params(weights, means)
