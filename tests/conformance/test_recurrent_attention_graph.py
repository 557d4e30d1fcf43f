"""Recurrent, attention and graph layers against torch's modules and their formulas."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

torch = pytest.importorskip("torch")
nn = torch.nn


def build(tmp_path: Any, inputs: dict[str, Any], *layers: dict[str, Any], **top: Any) -> Any:
    import netspec

    spec = {"name": "some", "inputs": inputs, "layers": list(layers), **top}
    path = tmp_path / "net.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return netspec.build(str(path))


def test_gru_loads_the_weights_of_torch(tmp_path: Any) -> None:
    fields = {"num_output": 4, "num_layers": 2, "bidirectional": True, "batch_first": True}
    layer = {
        "name": "gru", "type": "GRU", "bottom": ["x", "h"], "top": ["y", "last"],
        "gru_param": fields,
    }  # fmt: skip
    net = build(tmp_path, {"x": [2, "T", 3], "h": [4, 2, 4]}, layer)
    theirs = nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True)
    net.gru.load_state_dict(theirs.state_dict())
    x, h = torch.randn(2, 6, 3), torch.randn(4, 2, 4)
    found, (y, last) = net(x, h), theirs(x, h)
    assert torch.equal(found["y"], y) and torch.equal(found["last"], last)


def test_bidirectional_lstm_loads_the_weights_of_torch(tmp_path: Any) -> None:
    layers = [
        {"name": "a", "type": "BidirectionalLSTM", "bottom": ["x", "h", "c"],
         "top": ["y", "h2", "c2"], "bidirectional_lstm_param": {"num_output": 4}},
        {"name": "b", "type": "BidirectionalLSTM", "bottom": "y",
         "bidirectional_lstm_param": {"num_output": 5, "bias_term": False}},
    ]  # fmt: skip
    net = build(tmp_path, {"x": ["T", 2, 3], "h": [2, 2, 4], "c": [2, 2, 4]}, *layers)
    first, second = nn.LSTM(3, 4, bidirectional=True), nn.LSTM(8, 5, bias=False, bidirectional=True)
    net.a.load_state_dict(first.state_dict())
    net.b.load_state_dict(second.state_dict())
    x, h, c = torch.randn(6, 2, 3), torch.randn(2, 2, 4), torch.randn(2, 2, 4)
    found = net(x, h, c)
    y, (h2, c2) = first(x, (h, c))
    assert torch.equal(found["h2"], h2) and torch.equal(found["c2"], c2)
    assert torch.equal(found["b"], second(y)[0])


@pytest.mark.parametrize("bottoms", [["x"], ["x", "z"], ["x", "u", "v"]])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("tops", [1, 2])
def test_attention_loads_the_weights_of_torch(
    bottoms: list[str], causal: bool, tops: int, tmp_path: Any
) -> None:
    sizes = {"x": (5, 8), "z": (7, 8), "u": (7, 3), "v": (7, 4)}
    layer = {
        "name": "att", "type": "MultiHeadAttention", "bottom": bottoms,
        "top": ["y", "seen"][:tops],
        "multi_head_attention_param": {"num_heads": 2, "causal": causal},
    }  # fmt: skip
    net = build(tmp_path, {name: [2, *sizes[name]] for name in bottoms}, layer)
    kinds = {"kdim": 3, "vdim": 4} if len(bottoms) == 3 else {}
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, **kinds)
    net.att.load_state_dict(theirs.state_dict())
    theirs.eval(), net.eval()
    given = [torch.randn(2, *sizes[name]) for name in bottoms]
    q, k, v = (given * 3)[:3] if len(given) != 2 else (given[0], given[1], given[1])
    mask = torch.full((5, k.shape[1]), float("-inf")).triu(1) if causal else None
    y, seen = theirs(q, k, v, attn_mask=mask)
    found = net(*given)
    assert torch.allclose(found["y"] if tops == 2 else found, y, atol=1e-6)
    if tops == 2:
        assert torch.allclose(found["seen"], seen, atol=1e-6)


@pytest.mark.parametrize("pool", [True, False])
def test_self_attention_is_its_formula(pool: bool, tmp_path: Any) -> None:
    layer = {"name": "att", "type": "SelfAttention", "self_attention_param": {"pool": pool}}
    net = build(tmp_path, {"x": [2, 16, 5, 6]}, layer)
    x = torch.randn(2, 16, 5, 6)
    assert torch.equal(net(x), x)  # sigma is 0
    nn.init.constant_(net.att.sigma, 0.5)
    matrices = [net.att.theta, net.att.phi, net.att.g, net.att.o]
    theta, phi, g, o = (matrix.weight[:, :, 0, 0] for matrix in matrices)
    expected = torch.empty_like(x)
    for n in range(2):
        pixels = x[n].flatten(1)
        keys, values = (phi @ pixels).view(2, 5, 6), (g @ pixels).view(8, 5, 6)
        if pool:
            keys, values = nn.functional.max_pool2d(keys, 2), nn.functional.max_pool2d(values, 2)
        seen = ((theta @ pixels).t() @ keys.flatten(1)).softmax(1)
        expected[n] = x[n] + 0.5 * (o @ (values.flatten(1) @ seen.t())).view(16, 5, 6)
    assert torch.allclose(net(x), expected, atol=1e-5)


def test_spectral_norm_of_self_attention(tmp_path: Any) -> None:
    fields = {"spectral_norm": True}
    net = build(
        tmp_path,
        {"x": [1, 16, 4, 4]},
        {"name": "att", "type": "SelfAttention", "self_attention_param": fields},
    )
    x, matrix = torch.randn(1, 16, 4, 4), net.att.g
    net.eval()
    before = matrix.u.clone()
    net(x)
    assert torch.equal(matrix.u, before)  # only training moves it
    net.train()
    for _ in range(400):
        y = matrix(x)
    weight = matrix.weight.flatten(1)
    expected = (weight / torch.linalg.svdvals(weight)[0]) @ x[0].flatten(1)
    assert torch.allclose(y[0].flatten(1), expected, atol=1e-4)


def test_gcn_over_a_matrix_and_over_edges(tmp_path: Any) -> None:
    layers = [
        {"name": name, "type": "GCNConv", "bottom": bottoms, "gcn_conv_param": {"num_output": 3}}
        for name, bottoms in (("dense", ["x", "a"]), ("edges", ["x", "e"]))
    ]
    inputs = {"x": [2, 6, 5], "a": [6, 6], "e": {"shape": [2, "E"], "dtype": "int64"}}
    net = build(tmp_path, inputs, *layers, outputs=["dense", "edges"])
    net.edges.load_state_dict(net.dense.state_dict())
    nn.init.normal_(net.dense.bias)
    net.edges.bias = net.dense.bias
    x = torch.randn(2, 6, 5)
    a = (torch.rand(6, 6, generator=torch.Generator().manual_seed(1)) < 0.4).float()
    a.fill_diagonal_(0)
    loops = torch.tensor([[2], [2]])  # a loop in the list is not a second one
    edges = torch.cat([a.t().nonzero().t(), loops], 1)  # from j to i
    found = net(x, a, edges)
    whole = a + torch.eye(6)
    root = whole.sum(1).rsqrt().diag()
    expected = root @ whole @ root @ x @ net.dense.lin.weight.t() + net.dense.bias
    assert torch.allclose(found["dense"], expected, atol=1e-5)
    assert torch.allclose(found["edges"], expected, atol=1e-5)


def test_positions(tmp_path: Any) -> None:
    layers = [
        {"name": "learned", "type": "PositionalEmbedding", "bottom": "x",
         "positional_embedding_param": {"input_dim": 9}},
        {"name": "sine", "type": "PositionalEmbedding", "bottom": "x",
         "positional_embedding_param": {"method": "SINE"}},
    ]  # fmt: skip
    net = build(tmp_path, {"x": [2, "T", 6]}, *layers, outputs=["learned", "sine"])
    x = torch.randn(2, 7, 6)
    found = net(x)
    assert torch.equal(found["learned"], x + net.learned.weight[:7])
    added = found["sine"] - x
    t, k = 5, 2
    angle = torch.tensor(t / 10000 ** (2 * k / 6))
    expected = torch.stack([angle.sin(), angle.cos()])
    assert torch.allclose(added[1, t, 2 * k : 2 * k + 2], expected, atol=1e-5)


def test_carried_state_starts_again_with_another_batch(tmp_path: Any) -> None:
    layers = [
        {"name": "lstm", "type": "LSTM", "bottom": ["x", "cont"],
         "recurrent_param": {"num_output": 4}},
        {"name": "rnn", "type": "RNN", "bottom": ["x", "cont"],
         "recurrent_param": {"num_output": 4}},
    ]  # fmt: skip
    net = build(tmp_path, {"x": ["T", "N", 3], "cont": ["T", "N"]}, *layers,
                outputs=["lstm", "rnn"])  # fmt: skip
    x = torch.randn(5, 2, 3)
    first, second = net(x, torch.ones(5, 2)), net(x, torch.ones(5, 2))
    net(x[:, :1], torch.ones(5, 1))
    again = net(x, torch.ones(5, 2))
    for name in ("lstm", "rnn"):
        assert not torch.allclose(first[name], second[name])
        assert torch.equal(first[name], again[name])
    assert not any(name.endswith((".h", ".c")) for name in net.state_dict())
