"""The paper arXiv 2601.01584: published counts, run logs, comparison with own runs."""
