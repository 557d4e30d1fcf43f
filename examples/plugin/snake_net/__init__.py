"""A layer type and a backend for netspec, kept outside it."""
