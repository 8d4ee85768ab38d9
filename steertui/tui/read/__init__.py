"""The Read screen and the side-by-side comparison."""
