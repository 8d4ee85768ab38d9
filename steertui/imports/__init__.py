"""Logs of other evaluation programs, imported as trials and verdicts."""
