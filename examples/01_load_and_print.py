"""Load a shipped spec, and look at what is known of it without a tensor library."""

import netspec


def main() -> netspec.Net:
    """Return ResNet-50 with symbolic sizes."""
    net = netspec.load("zoo:resnet50")
    for layer in net.layers[:6]:
        weights = ", ".join(f"{w.name} {'x'.join(map(str, w.shape))}" for w in layer.weights)
        print(f"{layer.name:<24} {layer.type:<12} {layer.tops[0]}  {weights}")
    print(f"{net.params.total:,} params; outputs {net.outputs}")
    print(f"the graph has {net.graph.number_of_edges()} edges")
    return net


if __name__ == "__main__":
    main()
