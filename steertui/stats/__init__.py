"""Rates, gaps, tests and agreement: arithmetic without input or output."""
