"""Steerability of instrumental convergence (arXiv 2601.01584): published counts, logs, comparison."""
