"""Many random nets and layers against PyTorch: `python tests/properties/soak.py --graphs 1000000`.

Prints a line now and then, every mismatch with its seed, and a summary at the end. The same seed
makes the same nets. Exit status 1 where anything differed.
"""

from __future__ import annotations

import argparse
import linecache
import multiprocessing.pool
import os
import random
import sys
import time
from collections import Counter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHUNK = 5_000  # nets of one process


def work(task):
    """Run one chunk: return how many nets, layers, comparisons and what differed."""
    kind, seed, first, count, twins = task
    import torch

    from tests.properties import graphs, oracle, params

    torch.set_num_threads(1)
    met, wrong = Counter(), []
    for index in range(first, first + count):
        draw = random.Random(f"{seed} {kind} {index}")
        try:
            if kind == "layers":
                cls = params.KINDS[index % len(params.KINDS)]
                became, reason = params.check(draw, cls)
                met[became] += 1
                if became == "not built":
                    met[cls.__name__, reason] += 1
                continue
            graph = graphs.graph(draw)
            met["layers"] += len(graph.entries)
            oracle.check(graph, index, "train" if index % 5 == 0 else "test")
            if twins and index % twins == 0:
                met["twin sizes"] += oracle.twin(graph, draw, tries=2)
        except oracle.Mismatch as mismatch:
            wrong.append(f"{kind}, seed {seed}, number {index}: {mismatch}")
    linecache.clearcache()
    return kind, count, met, wrong


def apart(task):
    """Run one chunk in a process of its own: a crash is told, and costs no other chunk."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=deliver, args=(task, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        process.join()
        kind, seed, first, count, _ = task
        numbers = f"{kind}, seed {seed}, numbers {first} to {first + count - 1}"
        return kind, 0, Counter(), [f"{numbers}: the process ended with {process.exitcode}"]


def deliver(task, sender):
    sender.send(work(task))


def main(arguments=None):
    """Run as many nets as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=100_000, help="random nets")
    parser.add_argument("--layers", type=int, default=0, help="random layers, most of them wrong")
    parser.add_argument("--twins", type=int, default=10, help="every how many-th net in symbols")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(arguments)
    tasks = [
        (kind, args.seed, first, min(CHUNK, wanted - first), args.twins)
        for kind, wanted in (("graphs", args.graphs), ("layers", args.layers))
        for first in range(0, wanted, CHUNK)
    ]
    start = said = time.monotonic()
    done, met, wrong = Counter(), Counter(), []
    with multiprocessing.pool.ThreadPool(args.jobs) as pool:
        for kind, count, more, found in pool.imap_unordered(apart, tasks):
            done[kind] += count
            met += more
            wrong += found
            for text in found:
                print(text, flush=True)
            if time.monotonic() - said > 30:
                said = time.monotonic()
                print(summary(args.seed, done, met, wrong, said - start), flush=True)
    print(summary(args.seed, done, met, wrong, time.monotonic() - start))
    for (kind, reason), count in sorted(item for item in met.items() if type(item[0]) is tuple):
        print(f"not built, {count} times: {kind}: {reason}")
    return 1 if wrong else 0


def summary(seed, done, met, wrong, seconds):
    """Return the figures so far on one line."""
    return (
        f"seed {seed}: {done['graphs']} nets of {met['layers']} layers, {met['twin sizes']} sizes "
        f"compared with symbols; {done['layers']} random layers, {met['ran']} of them run, "
        f"{met['refused']} refused, {met['not built']} not built, {met['large']} too large to run; "
        f"{len(wrong)} mismatches; {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.path[:0] = [ROOT, os.path.join(ROOT, "backends")]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    sys.exit(main())
