"""Expectation-maximization and variational inference, checked equation by equation."""
