"""Child processes with limits and without secrets, for files and templates of third parties."""
