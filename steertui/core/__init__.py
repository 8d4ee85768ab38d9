"""The nouns of an experiment as plain data: scenario, condition, model, trial, prompt, answer, verdict."""
