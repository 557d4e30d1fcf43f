"""The layer types this package adds: one file each."""
