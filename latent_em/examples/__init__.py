"""Small models that a chapter works out in full, each a model for :func:`latent_em.em.fit_em`."""
