"""support: which layer types this backend builds, and what of them it refuses."""

from __future__ import annotations

import inspect
import re

from .direct import DIRECT, REFUSED
from .lowering import lowerings

REASON = re.compile(r'raise Refused\(\s*f?"([^"]+)"')


def support(kind: str) -> tuple[bool, list[str]]:
    """Return whether a layer type is built, and why it, or some of its params, is refused."""
    if kind in REFUSED:
        return False, [REFUSED[kind]]
    if kind in DIRECT:
        return True, []
    found = lowerings.find(kind)
    if found is None:
        return False, ["it has no lowering yet"]
    shared = [
        thing
        for thing in vars(found).values()
        if inspect.isfunction(thing)
        and thing.__module__ != found.__name__
        and thing.__module__.startswith(lowerings.package)
    ]
    texts = [inspect.getsource(thing) for thing in (found, *shared)]
    reasons = [re.sub(r"\{[^}]*\}", "..", r) for text in texts for r in REASON.findall(text)]
    return True, list(dict.fromkeys(reasons))
