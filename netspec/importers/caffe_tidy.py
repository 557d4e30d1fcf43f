"""An imported spec as a person would write it: nothing said that is said already."""

from __future__ import annotations

import re

from ..layer import FILLER, listed
from ..schema import find_type
from ..spec import as_list
from .yaml_text import Comments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..document import Document
    from ..layer import Param
    from . import prototxt
    from .caffe import Imported

    Raw = dict[str, Any]

ORDER = ("name", "type", "block", "bottom", "top")
LAST = ("param", "loss_weight", "propagate_down", "include", "exclude", "phase")
PER_AXIS = {"stride": 1, "dilation": 1, "pad": 0}  # where left out, whatever the axes are
COMMENT = 160  # characters of one comment line
_RULER = re.compile(r"^\s*[=*~_-]{3,}|[=*~_-]{3,}\s*$")


def tidy(document: Document, flat: bool = False, counted: bool = False) -> Raw:
    """Return the value of a spec that means the same net, with defaults and wiring implied.

    What repeats is rolled up into blocks, unless `flat`; in names `counted` numbers count layers.
    """
    value: Raw = dict(document.value)
    value["layers"] = [escaped(ordered(plain_entry(entry))) for entry in value["layers"]]
    if not flat:
        from .rolling import roll

        value = roll(value, counted)
    imply(value["layers"], list(value.get("inputs", {})))
    if value.get("name") and "$" in value["name"]:
        value["name"] = value["name"].replace("$", "$$")
    return value


def plain_entry(entry: Raw) -> Raw:
    """Return an entry without what is so by default."""
    cls = find_type(entry["type"])
    found: Raw = {}
    for key, item in entry.items():
        if cls is not None and key in cls.messages:
            fields = {k: v for k, v in item.items() if not is_default(cls.messages[key][k], v)
                      } if item.keys() <= cls.messages[key].keys() else item  # fmt: skip
            fields = {k: filler(cls.messages[key].get(k), v) for k, v in fields.items()}
            if fields or key in cls.needs():
                found[key] = fields
        elif key == "param":
            if params := plain_params(item, entry):
                found[key] = params
        elif key == "loss_weight" and cls is not None and cls.loss and item == 1:
            continue
        elif key in ("include", "exclude"):
            found[key] = as_list(item)
        elif key == "bottom" and item == [] and cls is not None and cls.bottoms == 0:
            continue
        else:
            found[key] = item
    return found


def is_default(declared: Param, value: Any) -> bool:
    """Return whether a field says what it would mean if left out."""
    default = declared.default
    if default is None and declared.kind == "PerAxis":
        default = PER_AXIS.get(declared.name)
    if declared.required or default is None:
        return False
    return bool(type(value) is bool) == bool(type(default) is bool) and value == default


def filler(declared: Param | None, value: Any) -> Any:
    """Return a filler without its defaults: only its type tells it from none at all."""
    if declared is None or declared.kind not in ("Filler", "Fillers"):
        return value
    if isinstance(value, list):
        return [filler(declared, each) for each in value]
    if not isinstance(value, dict):
        return value
    known = FILLER["properties"]
    used = {
        "constant": ("value",), "uniform": ("min", "max"), "gaussian": ("mean", "std", "sparse"),
        "xavier": ("variance_norm",), "msra": ("variance_norm",),
    }.get(value.get("type", "constant"), ())  # fmt: skip
    found: Raw = {"type": value.get("type", "constant")}
    found.update(
        (key, item) for key, item in value.items()
        if key in used and item != known.get(key, {}).get("default", "FAN_IN")
    )  # fmt: skip
    return found


def plain_params(params: Any, entry: Raw) -> list[Raw]:
    """Return the `param` entries that say something."""
    found = []
    for each in as_list(params):
        kept = {k: v for k, v in each.items() if not (k in ("lr_mult", "decay_mult") and v == 1)}
        if kept.get("share_mode") == "STRICT":
            del kept["share_mode"]
        found.append(kept)
    if entry["type"] == "BatchNorm" and not any("name" in each for each in found):
        return []  # its statistics never learn
    while found and not found[-1]:
        found.pop()
    return found


def ordered(entry: Raw) -> Raw:
    """Return an entry with its keys in the order people write them."""
    middle = [key for key in entry if key not in ORDER and key not in LAST]
    keys = [*ORDER, *middle, *LAST]
    return {key: entry[key] for key in keys if key in entry}


def imply(entries: list[Raw], inputs: list[str]) -> None:
    """Take out the wiring that the order of the entries implies."""
    previous: list[str] | None = inputs
    for entry in entries:
        cls = find_type(entry["type"]) if "type" in entry else None
        bottoms, tops = listed(entry.get("bottom")), listed(entry.get("top"))
        if "bottom" in entry and len(bottoms) == 1 and bottoms == previous:
            del entry["bottom"]
        if tops == [entry["name"]] and (cls is None or cls.tops != 0):
            del entry["top"]
        elif tops == [] and cls is not None and cls.tops == 0:
            entry.pop("top", None)
        # with rules it may be absent, and then what stands before it counts
        previous = None if "include" in entry or "exclude" in entry else tops


def escaped(value: Any) -> Any:
    """Return a value whose text means itself, wherever a `$` stands in it."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value


def comments(document: Imported) -> Comments:
    """Return the comments of a prototxt, each with the layer it stands in or above."""
    found = Comments()
    parsed = document.values.document
    source = parsed.source
    if document.solver is not None:
        _of_solver(document.solver.document, document.value["solver"], found)
        if document.solver.document is parsed:
            return found
    layers: list[tuple[int, int, int]] = []
    for index in range(len(document.value["layers"])):
        field = document.values.field(*document.origin(("layers", index)))
        if field is not None and field.name in ("layer", "layers"):
            layers.append((field.at, field.end, index))
    layers.sort()
    first = min((field.at for field in parsed.root.fields), default=0)
    position = 0
    for start, end in parsed.comments:
        said = _said(source.text[start:end])
        if not said:
            continue
        line = source.position(start)[0]
        while position < len(layers) and (
            layers[position][1] <= start and source.position(layers[position][1])[0] != line
        ):
            position += 1
        if start < first:
            found.head.append(said)
        elif position < len(layers):
            found.layers.setdefault(layers[position][2], []).append(said)
        else:
            found.foot.append(said)
    return found


def _of_solver(parsed: prototxt.Document, shown: Raw, found: Comments) -> None:
    """Add the comments of a solver: each belongs to the field on its line, or to the next."""
    source = parsed.source
    position = 0
    fields = parsed.root.fields
    for start, end in parsed.comments:
        said = _said(source.text[start:end])
        line = source.position(start)[0]
        while position < len(fields) and (
            fields[position].end <= start and source.position(fields[position].end)[0] != line
        ):
            position += 1
        if not said:
            continue
        name = fields[position].name if position < len(fields) else ""
        name = "type" if name == "solver_type" else name
        if name in shown:
            found.solver.setdefault(name, []).append(said)
        else:
            (found.head if position < len(fields) else found.foot).append(said)


def _said(text: str) -> str:
    """Return what a comment says; nothing for a ruler."""
    said = _RULER.sub("", text.strip("#")).rstrip().removeprefix(" ")
    if not any(c.isalnum() or c in "{}" for c in said):
        return ""  # a brace ends a layer that is commented out
    return said if len(said) <= COMMENT else said[: COMMENT - 3] + "..."


def gathered(layers: dict[int, list[str]], value: Raw) -> dict[int, list[str]]:
    """Return comments by layer as comments by entry: an entry that uses a block is many layers.

    What a block's layers say more than once is said once.
    """
    sizes: dict[str, int] = {}
    for name, block in value.get("blocks", {}).items():
        sizes[name] = sum(_size(entry, sizes) for entry in block["layers"])
    found: dict[int, list[str]] = {}
    first = 0
    for position, entry in enumerate(value["layers"]):
        after = first + _size(entry, sizes)
        said = [each for index in range(first, after) for each in layers.get(index, ())]
        if said:
            found[position] = list(dict.fromkeys(said)) if "block" in entry else said
        first = after
    return found


def _size(entry: Raw, sizes: dict[str, int]) -> int:
    return int(sizes[entry["block"]] * entry.get("repeat", 1)) if "block" in entry else 1
