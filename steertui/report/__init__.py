"""Rates and gaps, drawn."""
