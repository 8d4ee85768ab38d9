"""Downloads of single files over HTTP: resumed, verified by sha256, with progress events."""
