"""Read screen: list of trials, one trial in full, and comparison of conditions."""
