"""HTML report: one page that opens from disk, its template, style and script."""
