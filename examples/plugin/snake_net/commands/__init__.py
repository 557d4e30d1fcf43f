"""The commands this package adds: one file each."""
