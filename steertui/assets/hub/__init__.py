"""Hugging Face hub: listings, downloads and the local cache. Only this package imports
huggingface_hub.

Files are stored in huggingface_hub's own cache, so nothing is stored twice. In addition, downloads
resume after a killed process, and every file's sha256 is compared.
"""
