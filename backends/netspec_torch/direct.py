"""DIRECT: layer types that are one torch call; REFUSED: those this backend cannot build, and why.

A row is a module (`nn.X()`) or an expression over the bottoms `{0}`, `{1}`.
"""

DIRECT: dict[str, str] = {
    "AbsVal": "torch.abs({0})",
    "BatchReindex": "torch.index_select({0}, 0, {1}.long())",
    "HardSwish": "nn.Hardswish()",
    "Mish": "nn.Mish()",
    "ReLU6": "nn.ReLU6()",
    "SiLU": "nn.SiLU()",
    "Sigmoid": "nn.Sigmoid()",
    "Softsign": "nn.Softsign()",
    "TanH": "nn.Tanh()",
}

REFUSED: dict[str, str] = {
    "HDF5Output": "it writes a file while the net runs: return its bottoms as outputs instead",
    "Python": "a Python layer is code, and no code of a spec is ever run",
}
