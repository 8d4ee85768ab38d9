"""Widgets and text helpers that several screens share."""
