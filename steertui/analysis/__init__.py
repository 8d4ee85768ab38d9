"""Analysis of stored results: tables, comparisons, warnings, judge agreement, wording."""
