"""Judges that label answers: rubric, local models, models behind servers, Batch API, prices."""
