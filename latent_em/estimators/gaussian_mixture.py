"""The Gaussian mixture as a scikit-learn estimator, over :mod:`latent_em.gaussian_mixture`."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from latent_em import gaussian_mixture as core
from latent_em._validation import check_array
from latent_em.covariances import COVARIANCE_TYPES
from latent_em.em import LowerBoundDecreaseWarning, last_change_is_small
from latent_em.estimators.mixture import MixtureEstimator
from latent_em.estimators.starts import check_distinct, check_weights, start_resp
from latent_em.inverse_wishart import inverse_wishart
from latent_em.weighted import Weighted, rows_and_weights, sample_count


class GaussianMixture(MixtureEstimator):
    """Mixture of Gaussians, fitted by EM.

    Code written for ``sklearn.mixture.GaussianMixture`` runs after changing the import, and
    stops at the same step with the same parameters. Besides, there are sample weights, a prior
    on the covariances and :meth:`icl`; and the bound that is reported is that of the parameters
    returned. Data in single precision are computed with in double: parameters are doubles, and
    what is returned for each sample has the precision of ``X``.

    Parameters
    ----------
    n_components : int, default=1
        Number of components K.
    covariance_type : {'full', 'tied', 'diag', 'spherical'}, default='full'
        Each component its own matrix; one matrix for all; each its own diagonal matrix; each
        its own variance.
    tol : float, default=1e-3
        Take one last step after one that changed the bound by less than ``tol`` nats per sample.
    reg_covar : float, default=1e-6
        Ridge added to the diagonal of the covariances after each M-step, in squared units of
        the data. It keeps them positive definite, but the bound may fall; when it falls by more
        than ``tol`` there is a warning. Not added if there is a ``covariance_prior``.
    max_iter : int, default=100
        Take at most this many steps. Zero leaves the start.
    n_init : int, default=1
        Number of starts; the one with the highest bound is kept.
    init_params : {'kmeans', 'k-means++', 'random_from_data', 'random'}, default='kmeans'
        How samples are divided among components for a start: by the clusters of k-means; one
        sample for each component, chosen far apart or at random; or all at random.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start from, instead of those.
    means_init : array-like of shape (n_components, n_features), default=None
        Means to start from.
    precisions_init : array-like, default=None
        Inverses of the covariances to start from, shaped as ``precisions_``.
    covariance_prior : float or array-like, default=None
        Scale Ψ of an inverse-Wishart prior on the covariances, in squared units: a matrix of
        shape (n_features, n_features), its diagonal, or a number for that multiple of the unit
        matrix. The fit then climbs the log-posterior, without fail; each covariance becomes
        (Ψ + scatter) / (degrees_of_freedom_prior + n_features + 1 + samples).
        See ``latent_em.inverse_wishart.InverseWishart``.
    degrees_of_freedom_prior : float, default=None
        Degrees of freedom ν of that prior, more than ``n_features - 1``. By default
        ``n_features + 2``, with which Ψ is the mean of the prior.
    random_state : int, RandomState instance or None, default=None
        For the starts, and then for :meth:`sample`.
    warm_start : bool, default=False
        Start from the last fit, once.
    verbose : int, default=0
        Above zero, show a progress bar for every start.
    verbose_interval : int, default=10
        Of no effect, as the progress bar needs none.
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
        Shares of the components.
    means_ : ndarray of shape (n_components, n_features)
        In the units of the data.
    covariances_ : ndarray
        In squared units, of the shape (n_components, n_features, n_features) if 'full',
        (n_features, n_features) if 'tied', (n_components, n_features) if 'diag' and
        (n_components,) if 'spherical'.
    precisions_ : ndarray
        Inverses of the covariances, of the same shape.
    precisions_cholesky_ : ndarray
        Their factors U, where U Uᵀ is the precision; upper triangular or, if 'diag' or
        'spherical', square roots.
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
        Log-likelihood per sample at the parameters returned, in nats; with a prior, also the
        log-prior (up to a constant) per sample.
    lower_bounds_ : ndarray of shape (``n_iter_`` + 1,)
        The same, at the start and after each step.
    n_features_in_ : int
        Number of features seen in :meth:`fit`.
    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Their names, if all are strings.

    See Also
    --------
    latent_em.gaussian_mixture : The functions beneath.
    latent_em.incomplete_mixture : The same for rows with missing entries.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_em import GaussianMixture
    >>> from latent_em.datasets import load_old_faithful
    >>> X = np.column_stack(load_old_faithful())
    >>> mixture = GaussianMixture(2, random_state=0).fit(X)
    >>> np.round(mixture.means_[np.argsort(mixture.weights_)], 1)
    array([[ 2. , 54.5],
           [ 4.3, 80. ]])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **MixtureEstimator._parameter_constraints,
        "covariance_type": [StrOptions(set(COVARIANCE_TYPES))],
        "reg_covar": [Interval(Real, 0, None, closed="left")],
        "precisions_init": ["array-like", None],
        "covariance_prior": ["array-like", Interval(Real, 0, None, closed="neither"), None],
        "degrees_of_freedom_prior": [Interval(Real, 0, None, closed="neither"), None],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
    }

    _nan_advice = (
        "; for rows with missing entries see latent_em.incomplete_mixture, a model for "
        "latent_em.em.fit_em"
    )

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        covariance_prior=None,
        degrees_of_freedom_prior=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        accelerate=None,
        learning_decay=0.6,
        learning_offset=1.0,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.covariance_prior = covariance_prior
        self.degrees_of_freedom_prior = degrees_of_freedom_prior
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
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
            How often each sample counts; by default once. From the same start, whole numbers
            equal repeated rows.
        executor : concurrent.futures.Executor, default=None
            Runs the E-steps, on about equal pieces of the data; they are sent with every step
            to an executor that is another process.

        Returns
        -------
        self : GaussianMixture

        Raises
        ------
        ValueError
            If ``X`` holds NaN or infinity, or fewer distinct rows than components; if a start,
            a weight or the prior does not fit, or the prior has degrees of freedom and no
            scale; if a component loses all its samples, or its covariance is not positive
            definite.

        Warns
        -----
        ConvergenceWarning
            If the start that was kept ran out of steps.
        LowerBoundDecreaseWarning
            If its bound fell, owing to ``reg_covar``, by more than ``tol`` per sample.
        """
        model, chunk = self._prepared(X, sample_weight, first=True)
        with warnings.catch_warnings():
            if model.reg_covar > 0:  # then a fall is no surprise; see _warn_if_fallen
                warnings.simplefilter("ignore", LowerBoundDecreaseWarning)
            self._fit_em(model, chunk, executor, self._stop(sample_count(chunk)))
        self._warn_if_fallen(model.reg_covar)
        return self

    def _prepared(self, X, sample_weight, first):
        least = {"ensure_min_samples": 2} if first else {}
        chunk = X = self._checked(X, reset=first, **least).astype(float, copy=False)
        if sample_weight is not None:
            chunk = Weighted(*rows_and_weights(Weighted(X, sample_weight)))
            X = chunk.X
        if first:
            check_distinct(X, self.n_components)
        prior = self._prior(X.shape[1])
        return core.Model(self._kind, prior, self.reg_covar if prior is None else 0.0), chunk

    def _set_params(self, params):
        self.weights_, self.means_, self.covariances_ = params
        self.precisions_cholesky_ = self._kind.precisions_cholesky(self.covariances_)
        self.precisions_ = self._kind.precisions(self.precisions_cholesky_)

    @property
    def _kind(self):
        return COVARIANCE_TYPES[self.covariance_type]

    @property
    def _params(self):
        return core.Params(self.weights_, self.means_, self.covariances_)

    def _log_prob(self, X):
        return core.log_prob(self._params, X, self._kind)

    def _responsibilities(self, X):
        return core.responsibilities(self._params, X, self._kind)

    def _sample(self, n_samples, seed):
        return core.sample(self._params, n_samples, seed, self._kind)

    def _n_parameters(self):
        return core.degrees_of_freedom(self._params, self._kind)

    def _prior(self, n_features):
        if self.covariance_prior is not None:
            return inverse_wishart(self.covariance_prior, n_features, self.degrees_of_freedom_prior)
        if self.degrees_of_freedom_prior is not None:
            raise ValueError(
                f"degrees_of_freedom_prior: got {self.degrees_of_freedom_prior} without a "
                "covariance_prior, must be None or go with one"
            )
        return None

    def _stop(self, n_samples):
        """scikit-learn's rule: one last step after the step, or the start, that changed little.

        Before a warm start, what counts is the last change of the fit that goes on.
        """
        earlier = list(self.lower_bounds_[-2:-1] * n_samples) if self._goes_on else []

        def stop(lower_bounds, tolerance):
            before = earlier + lower_bounds[:-1]
            return len(before) > 1 and last_change_is_small(before, tolerance)

        return stop

    def _start(self, model, chunk):
        X, sample_weight = chunk if isinstance(chunk, Weighted) else (chunk, None)
        kind, shape = self._kind, (self.n_components, X.shape[1])
        given = {}
        if self.weights_init is not None:
            given["weights"] = check_weights(self.weights_init, self.n_components)
        if self.means_init is not None:
            given["means"] = check_array("means_init", self.means_init, shape)
        if self.precisions_init is not None:
            precisions = kind.check("precisions_init", self.precisions_init, *shape)
            U = kind.precisions_cholesky(precisions, "precisions_init")
            given["covariances"] = kind.precisions(U)  # the inverse of the inverse
        if len(given) == len(core.Params._fields):
            return core.Params(**given)
        resp = start_resp(self.init_params, X, self.n_components, self._random_state, sample_weight)
        return model.m_step(core.moments(X, resp, kind))._replace(**given)

    def _warn_if_fallen(self, reg_covar):
        fall = -np.diff(self.lower_bounds_).min(initial=0)
        if reg_covar > 0 and fall > max(self.tol, 1e-10 * max(1, abs(self.lower_bound_))):
            warnings.warn(
                f"the lower bound fell by up to {fall:.3g} per sample in a step, as "
                f"reg_covar={reg_covar} is added after each M-step; with covariance_prior "
                "instead it cannot fall",
                LowerBoundDecreaseWarning,
                stacklevel=4,
            )
