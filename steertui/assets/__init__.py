"""Model weights and third-party files: catalogue, cache, downloads, pinned sources."""
