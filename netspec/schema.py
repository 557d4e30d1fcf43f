"""The JSON Schema of a spec, derived from the layer types, and the judgement made with it."""

from __future__ import annotations

from . import codes
from .diagnostics import crop, nearest
from .plugins import layer_types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from .diagnostics import Report
    from .document import Document
    from .layer import Layer

    Path = tuple[str | int, ...]
    Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": ["string", "array"], "items": _TEXT}
_INT: Schema = {"type": "integer"}
_DIMS: Schema = {"type": "array", "items": {"type": ["integer", "string"], "minimum": 1}}
_RULE: Schema = {
    "type": ["object", "array"],
    "additionalProperties": False,
    "properties": {
        "phase": {"type": "string", "enum": ["TRAIN", "TEST"]},
        "min_level": _INT,
        "max_level": _INT,
        "stage": _TEXTS,
        "not_stage": _TEXTS,
    },
}
RULES: Schema = _RULE | {"items": _RULE | {"type": "object"}}
_PARAM: Schema = {
    "type": ["object", "array"],
    "additionalProperties": False,
    "properties": {
        "name": _TEXT | {"description": "weights of one name are one weight"},
        "lr_mult": {"type": "number", "description": "times the learning rate; 0 freezes"},
        "decay_mult": {"type": "number", "description": "times the weight decay"},
        "share_mode": {"type": "string", "enum": ["STRICT", "PERMISSIVE"]},
    },
}
ENTRY: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _TEXT | {"description": "the layer's name; its weights are saved under it"},
        "type": _TEXT | {"description": "the layer type"},
        "block": _TEXT | {"description": "a block, or an imported net, in place of a type"},
        "bottom": _TEXTS | {"description": "blobs read; left out: the top of the entry before"},
        "top": _TEXTS | {"description": "blobs made; left out: the name of the layer"},
        "tops": _TEXTS | {"description": "blobs of an imported net to expose"},
        "param": _PARAM | {"items": _PARAM | {"type": "object"}},
        "loss_weight": {"type": ["number", "array"], "items": {"type": "number"}},
        "propagate_down": {"type": ["boolean", "array"], "items": {"type": "boolean"}},
        "include": RULES | {"description": "kept where any rule holds"},
        "exclude": RULES | {"description": "dropped where any rule holds"},
        "phase": {"type": "string", "enum": ["TRAIN", "TEST"]},
        "when": {"type": "boolean", "description": "false: the layer is skipped"},
        "repeat": {"type": "integer", "minimum": 0, "description": "chain the block so often"},
        "with": {"type": "object", "description": "values for the block's variables"},
        "prefix": _TEXT | {"description": "what names in the block begin with; `name.` by default"},
        "scale": _TEXT | {"description": "the scale of an imported net"},
        "share": _TEXT | {"description": "uses of one key share every weight"},
        "freeze": {"type": "boolean", "description": "no weight of the block learns"},
    },
}
BLOCK_KEYS = frozenset({"prefix", "with", "repeat", "share", "freeze", "scale", "tops"})
_INPUT: Schema = _DIMS | {
    "type": ["array", "object"],
    "additionalProperties": False,
    "required": ["shape"],
    "properties": {
        "shape": _DIMS,
        "dtype": {
            "type": "string",
            "enum": [
                "float32",
                "float64",
                "float16",
                "bfloat16",
                "int64",
                "int32",
                "uint8",
                "bool",
            ],
        },
    },
}
_BLOCK: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["layers"],
    "properties": {
        "vars": {"type": "object"},
        "inputs": _TEXTS,
        "outputs": _TEXTS,
        "layers": {"type": "array", "items": {"type": "object"}},
        "notes": _TEXT,
    },
}
_BOUND: Schema = {"type": ["integer", "string"]}
_EXPECT: Schema = {
    "type": ["object", "array"],
    "additionalProperties": False,
    "properties": {
        "scale": _TEXTS,
        "include": RULES,
        "exclude": RULES,
        "at": {"type": "object", "additionalProperties": _INT | {"minimum": 1}},
        "params": _BOUND,
        "trainable": _BOUND,
        "frozen": _BOUND,
        "buffers": _BOUND,
        "macs": _BOUND,
        "memory": _BOUND,
        "receptive_field": {"type": ["integer", "string", "array"], "items": _BOUND},
        "outputs": {"type": "object", "additionalProperties": _DIMS},
        "input_sizes": {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
    },
}
SPEC: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["layers"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "netspec": {"type": "integer", "const": 1, "description": "version of the language"},
        "name": _TEXT | {"description": "the name of the net"},
        "source": _TEXT | {"description": "where the net is published"},
        "notes": _TEXT | {"description": "what a reader should know"},
        "vars": {"type": "object", "description": "variables and their defaults"},
        "scales": {"type": "object", "additionalProperties": {"type": "object"}},
        "imports": {"type": "object", "additionalProperties": _TEXT},
        "inputs": {"type": "object", "additionalProperties": _INPUT},
        "blocks": {"type": "object", "additionalProperties": _BLOCK},
        "layers": {"type": "array", "items": {"type": "object"}},
        "outputs": _TEXTS | {"description": "the blobs the net gives; else those nobody reads"},
        "expect": _EXPECT | {"items": _EXPECT | {"type": "object"}},
        "solver": {"type": "object", "description": "Caffe's SolverParameter fields"},
        "force_backward": {"type": "boolean"},
        "state": {
            "type": "object",
            "description": "the stages and the level of the net where none are chosen",
            "additionalProperties": False,
            "properties": {
                "phase": {"type": "string", "enum": ["TRAIN", "TEST"]},
                "level": _INT,
                "stage": _TEXTS,
            },
        },
    },
}

_PYTHON = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_LIMITS = frozenset({"minimum", "maximum"})
_PLAIN = _LIMITS | {"type", "enum", "const", "items", "properties", "required", "default"}
_PLAIN |= {"additionalProperties", "description"}


def plainly(schema: Schema) -> Callable[[Any], bool]:
    """Return a test that passes only what the schema accepts, and most of that.

    It knows a handful of keywords; a schema with another passes nothing, and jsonschema judges.
    """
    if not schema.keys() <= _PLAIN:
        return lambda value: False
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    exact = {float if kind == "number" else _PYTHON[kind] for kind in kinds}
    exact |= {int} if "number" in kinds else set()
    fixed = frozenset(schema.get("enum", [schema["const"]] if "const" in schema else []))
    low, high = schema.get("minimum"), schema.get("maximum")
    if exact and not (fixed or exact & {dict, list}) and low is None and high is None:
        return lambda value: type(value) in exact
    items = plainly(schema["items"]) if "items" in schema else None
    tests = {key: plainly(value) for key, value in schema.get("properties", {}).items()}
    needed = schema.get("required", ())
    more = schema.get("additionalProperties", True)
    rest = plainly(more) if isinstance(more, dict) else None

    def passes(value: Any) -> bool:
        kind = type(value)
        if exact and kind not in exact:
            return False
        if kind is dict:
            for key, item in value.items():
                test = tests.get(key, rest)
                if test is None:
                    if more is not True:
                        return False
                elif not test(item):
                    return False
            for key in needed:
                if key not in value:
                    return False
            return not fixed
        if kind is list:
            return not fixed and (items is None or all(map(items, value)))
        if fixed and value not in fixed:
            return False
        if kind is int or kind is float:
            return (low is None or value >= low) and (high is None or value <= high)
        return True

    return passes


def message_test(cls: type[Layer], message: str) -> Callable[[Any], bool]:
    """Return the accept-only test for one message of a layer type, made once."""
    test = _tests.get((cls, message))
    if test is None:
        test = _tests[cls, message] = plainly(cls.schemas()[message])
    return test


_tests: dict[tuple[type[Layer], str], Callable[[Any], bool]] = {}


def judge(
    schema: Schema,
    value: Any,
    document: Document,
    path: Path,
    report: Report,
    where: str,
    may_vary: Callable[[Sequence[str | int]], bool] = lambda at: False,
) -> bool:
    """Report everything the schema has against a value; return whether there was anything.

    Where a part of the value `may_vary`, text with a variable stands for what is not known yet,
    and is not judged.
    """
    from jsonschema import Draft202012Validator
    from referencing import Registry

    found = False
    validator = Draft202012Validator(schema, registry=Registry())
    errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    for error in errors:
        varies = isinstance(error.instance, str) and "$" in error.instance
        if varies and may_vary(error.absolute_path):
            continue
        place = (*path, *error.absolute_path)
        found = True
        for code, span, facts in _translate(error, document, place, where):
            report.add(code, span, **facts)
    return found


def _translate(error: Any, document: Document, path: Path, where: str) -> Iterator[Any]:
    keyword, value, limit = error.validator, error.instance, error.validator_value
    keys = [item for item in error.absolute_path if isinstance(item, str)]
    key = keys[-1] if keys else where
    inside = f"`{key}`" if keys else where
    span = document.span(*path)
    if keyword == "additionalProperties":
        known = error.schema.get("properties", {})
        for extra in value:
            if extra not in known:
                hint = suggestion(extra, known, "keys here")
                yield codes.UnknownKey, document.key_span(*path, extra), {
                    "key": extra, "where": inside, "hint": hint,
                }  # fmt: skip
    elif keyword == "required":
        missing = next(name for name in limit if name not in value and f"'{name}'" in error.message)
        doc = error.schema.get("properties", {}).get(missing, {}).get("description", "")
        what = f" ({doc})" if doc else ""
        yield codes.MissingKey, document.key_span(*path), {
            "where": inside, "key": missing, "what": what,
        }  # fmt: skip
    elif keyword == "type":
        kinds = [limit] if isinstance(limit, str) else limit
        yield codes.WrongType, span, {
            "key": key, "expected": _kinds(kinds), "value": quoted(value),
            "hint": type_hint(value, kinds),
        }  # fmt: skip
    elif keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        words = {
            "minimum": "at least",
            "maximum": "at most",
            "exclusiveMinimum": "more than",
            "exclusiveMaximum": "less than",
        }
        yield codes.OutOfRange, span, {
            "key": key, "value": value, "limit": f"{words[keyword]} {limit}",
        }  # fmt: skip
    elif keyword in ("minItems", "maxItems"):
        word = "at least" if keyword == "minItems" else "at most"
        yield codes.WrongLength, span, {
            "key": key, "count": len(value), "limit": f"{word} {limit} are needed",
        }  # fmt: skip
    elif keyword == "const":
        yield codes.UnsupportedVersion, span, {"version": value}
    else:
        choices = limit if isinstance(limit, list) else [limit]
        near = nearest(str(value), [str(choice) for choice in choices])
        hint = f"did you mean `{near}`?" if near else ""
        yield codes.NotAChoice, span, {
            "key": key, "value": value, "choices": ", ".join(map(str, choices)), "hint": hint,
        }  # fmt: skip


def suggestion(word: str, known: Iterable[str], what: str) -> str:
    """Return a hint naming the nearest known word, or all of them where they are few."""
    names = sorted(known)
    if near := nearest(word, names):
        return f"did you mean `{near}`?"
    return f"{what}: {', '.join(names)}" if 0 < len(names) <= 24 else ""


def quoted(value: Any) -> Any:
    """Return a value as a message says what it is: text in quotes."""
    return f'"{crop(value)}"' if isinstance(value, str) else value


def type_hint(value: Any, kinds: Iterable[str]) -> str:
    """Return what to do about a value of the wrong kind, where a common slip explains it."""
    numeric = {"integer", "number"} & set(kinds)
    if isinstance(value, str):
        try:
            float(value.replace("_", ""))
        except ValueError:
            pass
        else:
            if numeric:
                quoted = "remove the `_`" if "_" in value else "quoted: remove the quotes"
                return quoted
        if "boolean" in kinds and value.lower() in ("true", "false"):
            return "quoted: remove the quotes"
        if "boolean" in kinds and value.lower() in ("yes", "no", "on", "off"):
            return f"write `{'true' if value.lower() in ('yes', 'on') else 'false'}`"
    return ""


def _kinds(kinds: Iterable[str]) -> str:
    words = {
        "object": "a mapping",
        "array": "a list",
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "null": "null",
    }
    return " or ".join(words[kind] for kind in kinds)


def editor_schema() -> Schema:
    """Return the schema for editors: draft-07, one `if type then` for each layer type.

    Wherever a value may stand, an expression may: text with a `$` is allowed beside it.
    """
    from .layer import FILLER

    types = sorted(found_types(), key=lambda cls: cls.__name__)
    base = {name: _open(item) for name, item in ENTRY["properties"].items()}
    docs = [(cls.__doc__ or "").strip().partition("\n")[0] for cls in types]
    base["type"] = {
        "description": "the layer type",
        "type": "string",
        "anyOf": [
            {"enum": [cls.__name__ for cls in types], "markdownEnumDescriptions": docs},
            _EXPRESSION,
        ],
    }
    shared: Schema = {name: True for name in base if name not in BLOCK_KEYS}
    branches: list[Schema] = [
        {
            "if": {"required": ["block"]},
            "then": {"properties": dict.fromkeys(base, True) | {"type": False},
                     "additionalProperties": False},
            "else": {"required": ["type"]},
        }
    ]  # fmt: skip
    branches += [
        {
            "if": {"properties": {"type": {"const": cls.__name__}}, "required": ["type"]},
            "then": {
                "properties": shared | {key: _open(item) for key, item in cls.schemas().items()},
                "required": cls.needs(),
                "additionalProperties": False,
            },
        }
        for cls in types
    ]
    entries: Schema = {"type": "array", "items": {"$ref": "#/definitions/entry"}}
    block = {**_BLOCK, "properties": {**_BLOCK["properties"], "layers": entries}}
    blocks: Schema = {"type": "object", "additionalProperties": block}
    properties = SPEC["properties"] | {"layers": entries, "blocks": blocks}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **SPEC,
        "properties": properties,
        "definitions": {
            "entry": {**ENTRY, "properties": base, "allOf": branches},
            "filler": _open(FILLER, named=False),
        },
    }


_EXPRESSION: Schema = {"type": "string", "pattern": r"\$"}


def _open(schema: Schema, named: bool = True) -> Schema:
    """Return a schema that takes an expression wherever it takes a value."""
    from .layer import FILLER

    about = {"description": schema["description"]} if "description" in schema else {}
    if named and {key: item for key, item in schema.items() if key != "description"} == FILLER:
        return about | {"allOf": [{"$ref": "#/definitions/filler"}]}
    found = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _open(found[key])
    if "properties" in found:
        found["properties"] = {name: _open(item) for name, item in found["properties"].items()}
    if "enum" in found or "const" in found:
        found.pop("description", None)
        return about | {"anyOf": [found, _EXPRESSION]}
    kinds = found.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and "string" not in kinds:
        found |= _EXPRESSION | {"type": [*kinds, "string"]}
    return found


def found_types() -> Iterator[type[Layer]]:
    """Yield every layer type there is, plugins' too."""
    for stem in layer_types:
        module = layer_types.find(stem)
        if module is not None:
            yield from layer_classes(module)


def layer_classes(module: Any) -> Iterator[type[Layer]]:
    """Yield the layer types a module defines."""
    from .layer import Layer

    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue
        if issubclass(value, Layer) and not value.__name__.startswith("_"):
            yield value


_types: dict[str, type[Layer] | None] = {}


def find_type(name: str) -> type[Layer] | None:
    """Return the layer type of a name, spelt exactly; None where there is none."""
    if name not in _types:
        module = layer_types.find(name)
        classes = layer_classes(module) if module else ()
        _types[name] = next((cls for cls in classes if cls.__name__ == name), None)
    return _types[name]


def nearest_type(name: str) -> str:
    """Return the layer type a misspelt name is nearest to; empty where none is near."""
    return nearest(name, [cls.__name__ for cls in found_types()])


def unknown_type_hint(name: str) -> str:
    """Return what to do about a layer type that there is not."""
    near = nearest_type(name)
    return f"did you mean `{near}`?" if near else "`netspec explain` lists the types there are"
