"""Model weights and pinned third-party files: catalogue, cache, downloads, verification."""
