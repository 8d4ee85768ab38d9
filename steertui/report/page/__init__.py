"""The report as one HTML page that opens from disk: its parts, and what writes them."""
