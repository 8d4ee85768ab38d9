"""Continuous batching over llama.cpp, for prompts of tokens; independent of experiments.

Worker threads of llama.cpp synchronise a few hundred times per step. By default GNU OpenMP spins
for milliseconds at each barrier, which slows every other process down, including the thread that
the others wait for. GOMP_SPINCOUNT limits spinning to microseconds. It is set here, before
llama.cpp is loaded, unless the environment sets it.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "2000")
