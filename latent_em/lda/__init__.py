"""Latent Dirichlet allocation (chapters on the model, its bound, and its use).

M documents are sequences of words from a vocabulary of V. A topic β_k is a distribution over
the words, and document m mixes the K topics in its own shares θ_m::

    β_k ~ Dir(η),   θ_m ~ Dir(α),   z_mi ~ θ_m,   w_mi ~ β_{z_mi}

(eq-lda-story). Variational Bayes replaces the posterior by q(z) q(θ) q(β) (eq-lda-mean-field),
with φ_mvk the share of topic k in each token of word v in document m, γ_m the Dirichlet
parameters of θ_m and λ_k those of β_k. Of the documents it sees the counts n_mv alone
(eq-lda-collapse). With T_mk = E[log θ_mk] and B_kv = E[log β_kv]::

    φ_mvk ∝ exp(T_mk + B_kv),   γ_mk = α_k + Σ_v n_mv φ_mvk,   λ_kv = η_v + Σ_m n_mv φ_mvk

The module is itself a model for :func:`latent_em.em.fit_em`, with α and η fixed::

    result = fit_em(lda, lda.Params(lambda_, alpha, eta), [counts])

and ``Model(learn_alpha=True)`` is one that learns them. φ is never stored: memory is
O(nnz + (M + V) K) for a sparse matrix of counts with nnz entries.
"""

from latent_em.lda._batch import (
    Model,
    Stats,
    e_step,
    m_step,
    online_step,
    responsibilities,
)
from latent_em.lda._bound import Terms, document_bounds, elbo, elbo_terms, global_bound
from latent_em.lda._collapsed import CollapsedResult, cvb0
from latent_em.lda._judge import coherence, heldout_perplexity
from latent_em.lda._model import Params, Sample, check_counts, check_params, log_joint, sample
from latent_em.lda._pack import pack, unpack
from latent_em.lda._start import em_start

__all__ = [
    "CollapsedResult",
    "Model",
    "Params",
    "Sample",
    "Stats",
    "Terms",
    "check_counts",
    "check_params",
    "coherence",
    "cvb0",
    "document_bounds",
    "e_step",
    "elbo",
    "elbo_terms",
    "em_start",
    "global_bound",
    "heldout_perplexity",
    "log_joint",
    "m_step",
    "online_step",
    "pack",
    "responsibilities",
    "sample",
    "unpack",
]
