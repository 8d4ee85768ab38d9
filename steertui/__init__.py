"""How far does a prompt suffix move a language model toward instrumental convergence?"""

__version__ = "0.1.0"
