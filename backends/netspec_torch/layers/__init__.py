"""The lowerings of layer types, a module each."""
