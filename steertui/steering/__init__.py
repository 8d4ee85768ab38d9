"""Steering directions: training, files, strength, and ablation adapters."""
