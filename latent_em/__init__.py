"""Expectation-maximization and variational inference, checked equation by equation."""

from importlib import import_module

# Imported when first used, so that `import latent_em` does not load scikit-learn.
_ESTIMATORS = {
    "BernoulliMixture": "latent_em.estimators.bernoulli_mixture",
    "GaussianMixture": "latent_em.estimators.gaussian_mixture",
    "LatentDirichletAllocation": "latent_em.estimators.lda",
}

__all__ = list(_ESTIMATORS)


def __getattr__(name):
    if name in _ESTIMATORS:
        return getattr(import_module(_ESTIMATORS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_ESTIMATORS])
