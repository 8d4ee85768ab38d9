"""Statistics of labelled trials: rates, paired gaps, tests, judge agreement. No I/O."""
