"""Commands without screens: batch runs, judging, model downloads and the machine check."""
