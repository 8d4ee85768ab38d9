"""Continuous batching over llama.cpp; knows tokens, not scenarios.

Its threads wait for each other some hundred times a step. GNU's OpenMP lets them spin for
milliseconds first, which beside any other work takes the processor from the very thread that is
waited for. So they spin for microseconds; set before llama.cpp is loaded, and the user's own
setting wins.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "2000")
