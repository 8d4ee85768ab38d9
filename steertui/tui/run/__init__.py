"""The Run screen and the thread that runs an experiment."""
