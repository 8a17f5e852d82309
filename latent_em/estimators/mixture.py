"""What the mixtures have in common as scikit-learn estimators."""

import warnings
from abc import ABC, abstractmethod
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_em._validation import check_array
from latent_em.em import fit_em, last_change_is_small
from latent_em.stochastic import stochastic_step
from latent_em.weighted import Weighted, sample_count

# How data are cut for an executor, the same for any number of workers.
_MAX_CHUNKS = 16
_LEAST_ROWS = 1000


class MixtureEstimator(DensityMixin, BaseEstimator, ABC):
    """A mixture fitted by EM: how it is fitted, and what is then said of samples.

    A subclass has ``fit``, which calls :meth:`_fit_em`, and what is abstract below, thin over the
    functions of its model.
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions({"kmeans", "k-means++", "random", "random_from_data"})],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "accelerate": [StrOptions({"squarem", "anderson"}), None],
        "learning_decay": [Interval(Real, 0, 1, closed="both")],
        "learning_offset": [Interval(Real, 0, None, closed="left")],
    }

    _nan_advice = ""

    @property
    @abstractmethod
    def _params(self):
        """The parameters of the fit, as the model has them."""

    @abstractmethod
    def _set_params(self, params):
        """Make these the parameters of the fit."""

    @abstractmethod
    def _prepared(self, X, sample_weight, first):
        """A model, and samples that are checked as a chunk; ``first`` to learn their form."""

    @abstractmethod
    def _start(self, model, chunk):
        """Parameters drawn as ``init_params`` says, where none are given."""

    @abstractmethod
    def _log_prob(self, X):
        """Log p(x_n) of samples that are checked, of shape (n_samples,)."""

    @abstractmethod
    def _responsibilities(self, X):
        """p(z_n = k | x_n) of samples that are checked, of shape (n_samples, K)."""

    @abstractmethod
    def _sample(self, n_samples, seed):
        """Samples and their components, drawn with a seed."""

    @abstractmethod
    def _n_parameters(self):
        """Count of free parameters."""

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Take one step of stochastic EM, with a batch of samples (eq-fl-stochastic).

        The statistics of batch t are averaged into those before with the weight
        (``learning_offset`` + t)^−``learning_decay``, whatever its size. The first batch has the
        start found in it, as :meth:`fit` would, and so needs enough samples; after :meth:`fit`,
        all its samples count as the first batch. There is no bound to watch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each sample counts; by default once.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As :meth:`fit`, or if the number of components or of features has changed.
        """
        first = not hasattr(self, "_stats")
        model, chunk = self._prepared(X, sample_weight, first)
        if first:
            self._random_state = check_random_state(self.random_state)
            params, self.n_batch_iter_ = self._start(model, chunk), 0
        else:
            self._check_components("partial_fit")
            params = self._params
        new, _, _ = model.e_step(params, chunk)
        self.n_batch_iter_ += 1
        rho = (self.learning_offset + self.n_batch_iter_) ** -self.learning_decay
        self._stats = new if first else stochastic_step(self._stats, new, rho)
        self._set_params(model.m_step(self._stats))
        return self

    def fit_predict(self, X, y=None, sample_weight=None, executor=None):
        """Fit, and return the most probable component of each sample: ``fit(X).predict(X)``.

        Parameters and errors as for ``fit``.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.fit(X, y, sample_weight=sample_weight, executor=executor).predict(X)

    def score_samples(self, X):
        """Log-likelihood of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats; −∞ for a sample that every component excludes.
        """
        X = self._samples(X)
        return self._log_prob(X).astype(X.dtype, copy=False)

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
        return float(self._log_prob(self._samples(X)).mean())

    def predict(self, X):
        """Most probable component of each sample.

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
            If every component excludes some sample.
        """
        return self._responsibilities(self._samples(X)).argmax(axis=1)

    def predict_proba(self, X):
        """Probability of each component for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_components)

        Raises
        ------
        ValueError
            If every component excludes some sample.
        """
        X = self._samples(X)
        return self._responsibilities(X).astype(X.dtype, copy=False)

    def sample(self, n_samples=1):
        """Draw samples from the fitted mixture. Each call draws anew.

        Parameters
        ----------
        n_samples : int, default=1

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Their components.
        """
        check_is_fitted(self)
        if not hasattr(self, "_random_state"):  # parameters were set by hand
            self._random_state = check_random_state(self.random_state)
        return self._sample(n_samples, self._random_state.randint(np.iinfo(np.int32).max))

    def aic(self, X):
        """Akaike information criterion of the fit on ``X``: smaller is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        float
            −2 log p(X) + 2 · (number of parameters).
        """
        return float(2 * self._n_parameters() - 2 * self._log_prob(self._samples(X)).sum())

    def bic(self, X):
        """Bayesian information criterion of the fit on ``X``: smaller is better (eq-gu-bic).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        float
            −2 log p(X) + (number of parameters) · log n_samples; mclust's has the other sign.
        """
        X = self._samples(X)
        return float(self._n_parameters() * np.log(len(X)) - 2 * self._log_prob(X).sum())

    def icl(self, X):
        """Integrated complete-data likelihood criterion, of the fit on ``X`` (eq-gu-icl).

        As mclust has it, with each sample assigned to its most probable component, but with the
        sign of :meth:`bic`, which it never falls below.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        float
            ``bic(X)`` − 2 Σ_n log max_k r_nk.

        References
        ----------
        C. Biernacki, G. Celeux and G. Govaert (2000). Assessing a mixture model for clustering
        with the integrated completed likelihood. *IEEE Transactions on Pattern Analysis and
        Machine Intelligence* 22(7), 719–725.
        """
        largest = self._responsibilities(self._samples(X)).max(axis=1)
        return self.bic(X) - 2 * float(np.log(largest).sum())

    def _checked(self, X, **options):
        """Return ``X`` as finite numbers in its own precision; raise if it holds others."""
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], ensure_all_finite=False, **options
        )
        if np.isnan(X).any():
            row, column = np.argwhere(np.isnan(X))[0]
            raise ValueError(f"X: got NaN at ({row}, {column}), must be a number{self._nan_advice}")
        return check_array("X", X, X.shape).astype(X.dtype, copy=False)

    def _samples(self, X):
        check_is_fitted(self)
        return self._checked(X, reset=False)

    @property
    def _goes_on(self):
        """Whether the start is the last fit."""
        return self.warm_start and hasattr(self, "converged_")

    def _check_components(self, purpose):
        if len(self.weights_) != self.n_components:
            raise ValueError(
                f"n_components: got {self.n_components}, must be the {len(self.weights_)} of "
                f"the last fit for {purpose}"
            )

    def _fit_em(self, model, chunk, executor, stop=last_change_is_small):
        """Keep the best fit, and how it went: from the last one if warm, else ``n_init`` starts."""
        self._random_state = check_random_state(self.random_state)
        if self._goes_on:
            self._check_components("a warm_start")
            starts = [self._params]
        else:
            starts = (self._start(model, chunk) for _ in range(self.n_init))
        chunks = [chunk] if executor is None else _cut(chunk)
        fits = (self._fit_from(start, model, chunks, executor, stop) for start in starts)
        best = max(fits, key=lambda fit: fit.lower_bounds[-1])
        self.converged_, self.n_iter_ = best.converged, best.n_iter
        self.n_evaluations_ = best.n_evaluations
        self._stats, self.n_batch_iter_ = best.stats, 1
        self.lower_bounds_ = best.lower_bounds / sample_count(chunk)
        self.lower_bound_ = float(self.lower_bounds_[-1])
        if not best.converged and self.max_iter > 0:
            warnings.warn(
                f"EM did not converge to tol={self.tol} in max_iter={self.max_iter} steps; "
                "increase max_iter or tol",
                ConvergenceWarning,
                stacklevel=4,
            )
        self._set_params(best.params)

    def _fit_from(self, start, model, chunks, executor, stop):
        """``fit_em``, but an interrupt remains one: an estimator is fitted or it is not."""
        result = fit_em(
            model,
            start,
            chunks,
            tol=self.tol,
            max_iter=self.max_iter,
            stop=stop,
            accelerate=self.accelerate,
            executor=executor,
            progress=bool(self.verbose),
        )
        if not result.converged and len(result.lower_bounds) <= self.max_iter:
            raise KeyboardInterrupt
        return result


def _cut(chunk):
    """Cut rows, and their weights with them, into pieces of about the same size."""
    n_rows = len(chunk.X if isinstance(chunk, Weighted) else chunk)
    n_chunks = max(1, min(_MAX_CHUNKS, n_rows // _LEAST_ROWS))
    cuts = np.linspace(0, n_rows, n_chunks + 1).astype(int).tolist()
    pieces = [slice(*ends) for ends in pairwise(cuts)]
    if isinstance(chunk, Weighted):
        return [Weighted(chunk.X[rows], chunk.sample_weight[rows]) for rows in pieces]
    return [chunk[rows] for rows in pieces]
