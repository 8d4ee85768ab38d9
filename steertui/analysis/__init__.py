"""Stored trials counted and compared: tables, sentences, warnings, agreement of judges."""
