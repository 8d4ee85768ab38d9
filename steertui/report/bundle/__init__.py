"""Bundles: one file with a database, its report and figures, and the hashes of all of it."""
