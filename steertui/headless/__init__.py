"""Runs without screens: the batch command's printed output and the machine check."""
