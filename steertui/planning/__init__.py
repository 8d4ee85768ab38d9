"""From an experiment to its trials: names resolved, prompts rendered, missing work counted."""
