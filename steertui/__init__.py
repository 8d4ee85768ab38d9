"""Measurement of how far prompt suffixes steer language models toward instrumental convergence."""

__version__ = "0.1.0"
