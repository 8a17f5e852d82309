"""Latent Dirichlet allocation as a scikit-learn estimator, over :mod:`latent_em.lda`."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm import tqdm

from latent_em import dirichlet, lda
from latent_em._validation import check_array
from latent_em.em import EMResult, fit_em, last_change_is_small

_START_SWEEPS = {"em": 25, "cvb0": 12}  # after which batch variational Bayes goes on
# Updates of a document between two changes of the topics, after which more are wasted: where it
# goes on from the last sweep, and where it is new.
_WARM_UPDATES, _COLD_UPDATES = 5, 15
_PRIOR = [None, Interval(Real, 0, None, closed="neither"), "array-like", StrOptions({"auto"})]
_MAX_CHUNKS = 16  # each has its own sums, of n_components × n_features numbers


class LatentDirichletAllocation(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Topics of a collection of documents, found by variational Bayes.

    Parameters, attributes and methods are called and shaped as those of
    ``sklearn.decomposition.LatentDirichletAllocation``. The differences: priors may be arrays or
    learned; ``learning_method="cvb0"``; batch learning starts where 25 steps of EM end, and
    its bound never falls; a document's shares do not depend on the documents around it; and
    :meth:`score` and :meth:`perplexity` leave out what the topics themselves cost, so that they
    mean the same for few documents and for many.

    Parameters
    ----------
    n_components : int, default=10
        Number of topics K.
    doc_topic_prior : float, array-like of shape (n_components,), 'auto' or None, default=None
        α, the prior on the shares of the topics in a document; by default 1 / K. With 'auto' it is
        learned from the data, one number for each topic.
    topic_word_prior : float, array-like of shape (n_features,), 'auto' or None, default=None
        η, the prior on the words of a topic; by default 1 / K. With 'auto' it is learned from
        the data, one number for all words.
    learning_method : {'batch', 'online', 'cvb0'}, default='batch'
        All documents in each step; a step for every ``batch_size`` of them, for corpora that are
        large; or collapsed variational Bayes, quick, and often better on words held out, but with
        no bound to watch. ``cvb0`` needs memory for K numbers per stored count.
    learning_decay : float, default=0.7
        κ: online step t has length (``learning_offset`` + t)^−κ. Above 0.5 it converges.
    learning_offset : float, default=10.0
        τ_0, at least 1; the larger, the less the first steps count.
    max_iter : int, default=10
        Sweeps over the documents, at most, in :meth:`fit`. CVB0, whose sweeps are cheap, needs
        more: 100, say, and over 20 to learn a prior.
    batch_size : int, default=128
        Documents in one online step.
    evaluate_every : int, default=-1
        If positive, look at the perplexity after every so many sweeps, and stop when it stands
        still. It includes the topics' terms, so it is not that of :meth:`perplexity`. Batch
        learning has it for nothing; CVB0 has none, and goes by ``tol``.
    total_samples : int, default=1e6
        Number of documents in all that :meth:`partial_fit` is told about bit by bit.
    perp_tol : float, default=1e-1
        A smaller change of perplexity between two such looks is standing still.
    mean_change_tol : float, default=1e-3
        A document is done when its topic counts change by less than this on average.
    max_doc_update_iter : int, default=100
        Updates of a document's topic counts in one E-step, at most. While the topics are learned
        a document goes on from the last sweep, and 5 at most are made; in online learning 15.
    n_jobs : int, default=None
        Threads that share the documents in batch learning, −1 for one per processor. It changes
        no result.
    verbose : int, default=0
        Above zero, show a progress bar in batch and online learning.
    random_state : int, RandomState instance or None, default=None
        For the start.
    init : {'em', 'cvb0', 'random'}, default='em'
        Where batch learning starts: after 25 steps of EM for shares and topics that have no
        distribution (:func:`latent_em.lda.em_start`); after a dozen sweeps of CVB0, which take
        longer and need memory for K numbers per stored count; or from random topics as
        scikit-learn does, which mostly ends at a lower bound. Online learning starts at random.
    tol : float, default=1e-3
        Batch, stop after a sweep that changes the bound by less than ``tol`` nats per document;
        CVB0, after one that moves less than this share of the words to another topic.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        λ, the parameters of the topics' Dirichlet distributions: η plus the expected count of each
        word in each topic. A row divided by its sum is the mean of the topic.
    exp_dirichlet_component_ : ndarray of shape (n_components, n_features)
        exp(E[log β]).
    doc_topic_prior_, topic_word_prior_ : float or ndarray
        α and η, as given or learned.
    lower_bounds_ : ndarray
        Bound on the log-evidence of all documents, in nats, the topics' terms counted once.
        Batch: at the start and after each sweep; online: whenever it was evaluated, and at the
        end; CVB0: at the end.
    bound_ : float
        Perplexity of the training documents at the end of :meth:`fit`.
    converged_ : bool
        Whether :meth:`fit` stopped by ``tol`` or by ``perp_tol``.
    n_iter_ : int
        Sweeps over the documents.
    n_batch_iter_ : int
        One more than the number of updates of ``components_``.
    random_state_ : RandomState
        The generator that was used.
    n_features_in_ : int
        Size of the vocabulary.
    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        The words, if ``X`` had them as names of columns.

    See Also
    --------
    latent_em.lda : The functions beneath.

    References
    ----------
    D. M. Blei, A. Y. Ng and M. I. Jordan (2003). Latent Dirichlet allocation. *Journal of Machine
    Learning Research* 3, 993–1022.

    M. D. Hoffman, D. M. Blei and F. Bach (2010). Online learning for latent Dirichlet allocation.
    *Advances in Neural Information Processing Systems* 23.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_em import LatentDirichletAllocation
    >>> X = np.kron(np.eye(2, dtype=int), np.full((20, 3), 5))  # two topics, of three words each
    >>> model = LatentDirichletAllocation(2, random_state=0).fit(X)
    >>> np.unique(model.transform(X).round(2))
    array([0.03, 0.97])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "doc_topic_prior": _PRIOR,
        "topic_word_prior": _PRIOR,
        "learning_method": [StrOptions({"batch", "online", "cvb0"})],
        "learning_decay": [Interval(Real, 0, 1, closed="both")],
        "learning_offset": [Interval(Real, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "evaluate_every": [Interval(Integral, None, None, closed="neither")],
        "total_samples": [Interval(Real, 0, None, closed="neither")],
        "perp_tol": [Interval(Real, 0, None, closed="left")],
        "mean_change_tol": [Interval(Real, 0, None, closed="left")],
        "max_doc_update_iter": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "init": [StrOptions({"em", "cvb0", "random"})],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=10,
        *,
        doc_topic_prior=None,
        topic_word_prior=None,
        learning_method="batch",
        learning_decay=0.7,
        learning_offset=10.0,
        max_iter=10,
        batch_size=128,
        evaluate_every=-1,
        total_samples=1e6,
        perp_tol=1e-1,
        mean_change_tol=1e-3,
        max_doc_update_iter=100,
        n_jobs=None,
        verbose=0,
        random_state=None,
        init="em",
        tol=1e-3,
    ):
        self.n_components = n_components
        self.doc_topic_prior = doc_topic_prior
        self.topic_word_prior = topic_word_prior
        self.learning_method = learning_method
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.evaluate_every = evaluate_every
        self.total_samples = total_samples
        self.perp_tol = perp_tol
        self.mean_change_tol = mean_change_tol
        self.max_doc_update_iter = max_doc_update_iter
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state
        self.init = init
        self.tol = tol

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, executor=None):
        """Find topics.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Count of each word in each document.
        y : Ignored
        executor : concurrent.futures.Executor, default=None
            Runs the E-steps of batch learning, instead of ``n_jobs`` threads.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a count is negative, NaN or infinite, or a parameter is out of its range; if there
            is an ``executor`` and ``learning_method`` is not 'batch'.
        """
        if executor is not None and self.learning_method != "batch":
            raise ValueError(
                f"executor: got one with learning_method={self.learning_method!r}, must be None "
                "but for 'batch'"
            )
        counts, _ = self._counts(X, reset=True)
        self.random_state_ = check_random_state(self.random_state)
        self.n_batch_iter_ = 1
        options = {} if executor is None else {"executor": executor}
        result = getattr(self, f"_fit_{self.learning_method}")(counts, **options)
        self._set_params(result.params)
        self.lower_bounds_, self.converged_, self.n_iter_, *_ = result[1:]
        of_documents = self.lower_bounds_[-1] - lda.global_bound(result.params)
        n_words = counts.sum()
        self.bound_ = float(np.exp(-of_documents / n_words)) if n_words else np.nan
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on learning, with an online step for every ``batch_size`` documents.

        Parameters, errors and what is returned are as for :meth:`fit`. Each document counts for
        ``total_samples`` divided by the number of documents in its step. The priors stay as
        they are, and 'auto' is for :meth:`fit`.
        """
        first = not hasattr(self, "components_")
        counts, _ = self._counts(X, reset=first)
        if first:
            self.random_state_ = check_random_state(self.random_state)
            self.n_batch_iter_, self.n_iter_ = 1, 0
            self._set_params(self._online_start(counts.shape[1]))
        params, _ = self._online_pass(self._params, counts, self.total_samples)
        self._set_params(params)
        return self

    def transform(self, X, *, normalize=True):
        """Shares of the topics in documents: the mean of q(θ) of each.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        normalize : bool, default=True
            If False, return γ, whose rows are not divided by their sums.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
        """
        gamma, _, _, dtype = self._settle(X)
        return (dirichlet.mean(gamma) if normalize else gamma).astype(dtype, copy=False)

    def fit_transform(self, X, y=None, *, normalize=True):
        """Fit, and return the shares of the topics: ``fit(X).transform(X)``.

        Parameters as for :meth:`fit` and :meth:`transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
        """
        return self.fit(X, y).transform(X, normalize=normalize)

    def score(self, X, y=None):
        """Sum of the documents' own bounds on their log-likelihood (eq-lda-document-bound).

        What the topics themselves cost is left out, so that the scores of two sets of documents
        add up to the score of both.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : Ignored

        Returns
        -------
        float
            In nats.
        """
        _, bound, _, _ = self._settle(X)
        return bound

    def perplexity(self, X, sub_sampling=False):
        """exp(− :meth:`score` per word): smaller is better (eq-lda-perplexity).

        A bound on the perplexity of documents all of whose words are seen when their shares are
        inferred; see :meth:`heldout_perplexity` for one without such help.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        sub_sampling : bool
            Ignored: without the topics' terms nothing depends on how many documents there are.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If ``X`` holds no words.
        """
        _, bound, n_words, _ = self._settle(X)
        if n_words == 0:
            raise ValueError("X: got no words, must be at least one")
        return float(np.exp(-bound / n_words))

    def heldout_perplexity(self, observed, heldout):
        """Perplexity of words held out, given the rest of their documents (eq-lda-perplexity).

        Parameters
        ----------
        observed, heldout : {array-like, sparse matrix} of shape (n_samples, n_features)
            Counts of the two parts of the same documents.

        Returns
        -------
        float
            See :func:`latent_em.lda.heldout_perplexity`.
        """
        check_is_fitted(self)
        return lda.heldout_perplexity(self._params, observed, heldout)

    @property
    def exp_dirichlet_component_(self):
        """exp(E[log β]), of shape (n_components, n_features)."""
        return np.exp(dirichlet.expected_log(self.components_))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32", "float64"]
        return tags

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    @property
    def _params(self):
        return lda.Params(self.components_, self.doc_topic_prior_, self.topic_word_prior_)

    def _set_params(self, params):
        self.components_, self.doc_topic_prior_, self.topic_word_prior_ = params

    def _counts(self, X, reset):
        """Return counts that are checked, and the type of number in ``X``."""
        dtype = [np.float64, np.float32]
        X = validate_data(self, X, reset=reset, accept_sparse="csr", dtype=dtype)
        if X.size and X.min() < 0:  # in the words that scikit-learn's checks want
            raise ValueError(
                f"Negative values in data passed to X: got {X.min()}, must be at least 0"
            )
        return lda.check_counts(X, name="X"), X.dtype

    def _settle(self, X):
        """γ of documents, the sum of their bounds, their number of words, and the type of X."""
        check_is_fitted(self)
        counts, dtype = self._counts(X, reset=False)
        _, bound, gamma = self._e_step(self._params, counts)
        return gamma, bound, counts.sum(), dtype

    def _e_step(self, params, counts, gamma=None, at_most=np.inf):
        max_doc_iter = min(self.max_doc_update_iter, at_most)
        return lda.e_step(params, counts, gamma, max_doc_iter, self.mean_change_tol)

    def _prior(self, name, size):
        prior = getattr(self, name)
        if prior is None or isinstance(prior, str):
            return 1 / self.n_components
        if np.ndim(prior) == 0:
            return float(prior)
        return dirichlet.check_positive(name, check_array(name, prior, (size,)))

    def _priors(self, n_features):
        alpha = self._prior("doc_topic_prior", self.n_components)
        return alpha, self._prior("topic_word_prior", n_features)

    def _learned(self):
        """Which of the priors are learned."""
        learned = [isinstance(p, str) for p in (self.doc_topic_prior, self.topic_word_prior)]
        return dict(zip(("learn_alpha", "learn_eta"), learned, strict=True))

    def _random_start(self, n_features):
        lambda_ = self.random_state_.gamma(100.0, 0.01, (self.n_components, n_features))
        return lda.Params(lambda_, *self._priors(n_features))

    def _online_start(self, n_features):
        for name in ("doc_topic_prior", "topic_word_prior"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name}: got 'auto' in online learning, must be None or numbers")
        return self._random_start(n_features)

    def _batch_start(self, counts):
        if self.init == "random":
            return self._random_start(counts.shape[1])
        if self.init == "cvb0":
            return self._cvb0(counts, 0, _START_SWEEPS["cvb0"]).params
        priors, seed = self._priors(counts.shape[1]), self._seed()
        options = {"max_iter": _START_SWEEPS["em"], "random_state": seed}
        return lda.em_start(counts, self.n_components, *priors, **options)

    def _fit_batch(self, counts, executor=None):
        model = lda.Model(
            **self._learned(),
            max_doc_iter=min(self.max_doc_update_iter, _WARM_UPDATES),
            doc_tol=self.mean_change_tol,
        )
        n_words, every, n_jobs = counts.sum(), self.evaluate_every, effective_n_jobs(self.n_jobs)

        def stop(lower_bounds, tolerance):
            due = every > 0 and (len(lower_bounds) - 1) % every == 0
            return last_change_is_small(lower_bounds, tolerance) or (
                due and self._perplexity_stands(lower_bounds[::every], n_words)
            )

        own = executor is None and n_jobs > 1
        with ThreadPoolExecutor(n_jobs) if own else nullcontext(executor) as executor:
            result = fit_em(
                model,
                self._batch_start(counts),
                _chunks(counts),
                tol=self.tol,
                max_iter=self.max_iter,
                stop=stop,
                executor=executor,
                progress=bool(self.verbose),
            )
        if not result.converged and len(result.lower_bounds) <= self.max_iter:
            raise KeyboardInterrupt  # an estimator is fitted or it is not
        self.n_batch_iter_ += result.n_iter
        return result

    def _fit_cvb0(self, counts):
        result = self._cvb0(counts, self.tol, self.max_iter)
        self.n_batch_iter_ += result.n_iter
        lower_bounds = np.array([self._elbo(result.params, counts, result.gamma)[0]])
        return EMResult(result.params, lower_bounds, result.converged, result.n_iter)

    def _cvb0(self, counts, tol, max_iter):
        priors, seed = self._priors(counts.shape[1]), self._seed()
        options = {"tol": tol, "max_iter": max_iter, "random_state": seed} | self._learned()
        return lda.cvb0(counts, self.n_components, *priors, **options)

    def _seed(self):
        return self.random_state_.randint(np.iinfo(np.int32).max)

    def _fit_online(self, counts):
        params, gamma = self._online_start(counts.shape[1]), None
        lower_bounds, n_iter, due, converged = [], 0, False, False
        passes = range(1, self.max_iter + 1)
        for n_iter in tqdm(passes, desc="LDA", unit="pass", disable=not self.verbose):
            params, gamma = self._online_pass(params, counts, counts.shape[0], gamma)
            due = self.evaluate_every > 0 and n_iter % self.evaluate_every == 0
            if due:
                bound, gamma = self._elbo(params, counts, gamma)
                lower_bounds.append(bound)
                converged = self._perplexity_stands(lower_bounds, counts.sum())
                if converged:
                    break
        if not due:
            lower_bounds.append(self._elbo(params, counts, gamma)[0])
        return EMResult(params, np.array(lower_bounds), converged, n_iter)

    def _online_pass(self, params, counts, n_documents, gamma=None):
        """One online step for every ``batch_size`` documents; γ goes on from the last pass."""
        passed = []
        for rows in gen_batches(counts.shape[0], self.batch_size):
            last = None if gamma is None else gamma[rows]
            stats, _, new = self._e_step(params, counts[rows], last, _COLD_UPDATES)
            passed.append(new)
            rho = (self.learning_offset + self.n_batch_iter_) ** -self.learning_decay
            params = lda.online_step(params, stats, rho, n_documents)
            self.n_batch_iter_ += 1
        return params, np.concatenate(passed)

    def _elbo(self, params, counts, gamma=None):
        _, bound, gamma = self._e_step(params, counts, gamma, _WARM_UPDATES)
        return bound + lda.global_bound(params), gamma

    def _perplexity_stands(self, lower_bounds, n_words):
        """Whether perplexity, topics' terms and all, has hardly changed since the last look."""
        with np.errstate(all="ignore"):  # infinity less infinity is no small change
            change = np.diff(np.exp(-np.array(lower_bounds[-2:]) / n_words))
        return bool((abs(change) < self.perp_tol).any())


def _chunks(counts):
    """Cut the documents for threads, where it pays, the same for any number of them."""
    n_documents, n_words = counts.shape
    n_chunks = max(1, min(_MAX_CHUNKS, counts.nnz // (4 * n_words)))
    cuts = np.searchsorted(counts.indptr, np.linspace(0, counts.nnz, n_chunks + 1)[1:-1])
    cuts = np.unique([0, *cuts, n_documents]).tolist()
    return [counts[slice(*ends)] for ends in pairwise(cuts)]
