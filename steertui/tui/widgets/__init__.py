"""Widgets and text functions shared by the screens."""
