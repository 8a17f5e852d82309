"""The models as scikit-learn estimators; import them from :mod:`latent_em`."""
