"""DIRECT: layer types that are one torch call; REFUSED: those this backend cannot build, and why.

A row is a module (`nn.X()`) or an expression over the bottoms `{0}`, `{1}`.
"""

DIRECT: dict[str, str] = {
    "AbsVal": "torch.abs({0})",
    "BNLL": "F.softplus({0})",
    "Sigmoid": "nn.Sigmoid()",
    "TanH": "nn.Tanh()",
}

REFUSED: dict[str, str] = {
    "Python": "a Python layer is code, and no code of a spec is ever run",
}
