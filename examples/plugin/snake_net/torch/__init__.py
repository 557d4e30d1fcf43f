"""How PyTorch computes the layer types this package adds."""
