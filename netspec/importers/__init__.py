"""Readers of other frameworks' files."""
