"""netspec table: the weights of a net as a Markdown table.

A backend is whatever makes something of a Net; this one makes a table.
"""

import sys

import netspec


def arguments(parser):
    """Declare the options of `netspec table`."""
    parser.add_argument("spec", metavar="SPEC", help="a spec file, or zoo:NAME")


def run(options):
    """Print the table; return 1 where the spec is wrong."""
    try:
        sys.stdout.write(table(netspec.load(options.spec)))
    except netspec.SpecError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def table(net):
    """Return the backend's work: a row for each weight, and the sum."""
    rows = ["| layer | type | weight | shape | count |", "|---|---|---|---|---:|"]
    for layer in net.layers:
        for weight in layer.weights:
            shape = " x ".join(map(str, weight.shape))
            rows.append(
                f"| {layer.name} | {layer.type} | {weight.name} | {shape} | {weight.size:,} |"
            )
    return "\n".join([*rows, f"| | | | | {net.params.total:,} |", ""])
