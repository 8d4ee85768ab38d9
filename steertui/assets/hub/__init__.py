"""The only door to Hugging Face: what its cache holds, what it has, and where that is fetched.

The files lie where huggingface_hub keeps its own, so nothing is stored twice. Two things are
done here that it does not do: to go on where a killed process broke off, and to compare sha256.
"""
