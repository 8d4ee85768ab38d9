"""The Label screen."""
