"""Continuous batching over llama.cpp; knows tokens, not scenarios."""
