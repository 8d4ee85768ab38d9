"""Reports: terminal, Markdown, HTML page, JSON, CSV, Parquet, pictures, inspect_ai logs."""
