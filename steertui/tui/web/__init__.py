"""The screens in a browser: `steertui serve`."""
