"""The layer types, a module each."""
