"""One file over HTTP: resumed, checked, and told of while it comes; knows bytes, not models."""
