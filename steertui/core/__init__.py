"""Data types of an experiment: scenario, condition, model, trial, prompt, answer, verdict."""
