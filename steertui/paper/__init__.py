"""Comparison with arXiv 2601.01584: published counts, imported runs, differences."""
