"""DIRECT: layer types that are one torch call; REFUSED: those this backend cannot build, and why.

A row is a module (`nn.X()`) or an expression over the bottoms `{0}`, `{1}`.
"""

DIRECT: dict[str, str] = {
    "AbsVal": "torch.abs({0})",
    "HardSwish": "nn.Hardswish()",
    "Mish": "nn.Mish()",
    "ReLU6": "nn.ReLU6()",
    "SiLU": "nn.SiLU()",
    "Sigmoid": "nn.Sigmoid()",
    "Softsign": "nn.Softsign()",
    "TanH": "nn.Tanh()",
}

REFUSED: dict[str, str] = {
    "Python": "a Python layer is code, and no code of a spec is ever run",
}
