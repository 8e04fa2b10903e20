"""Dagster's Helm chart as far as it can be had here: its schema and its own values.

dagster_chart.md says where the two come from. What the schema says of Kubernetes is an address of
definitions; the models of Kubernetes' own client take their place.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # stubs apart
from kubernetes import client  # type: ignore[import-untyped]  # it has no types
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from bounty_ops_tests.deployment.examples import SCHEMAS

Tree = dict[str, Any]

SCHEMA: Final[Tree] = json.loads((SCHEMAS / "dagster_chart.schema.json").read_text("utf-8"))
VALUES: Final[Tree] = json.loads((SCHEMAS / "dagster_chart.values.json").read_text("utf-8"))
_PLAIN: Final[dict[str, Tree]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "datetime": {"type": "string"},
    "object": {},  # Kubernetes' own word for "a number or a text", among others
}
_DEFINITIONS: Final = re.compile(r'"(https://[^"]+/_definitions\.json)#/definitions/([\w.]+)')


def merged(below: Any, above: Any) -> Any:  # noqa: ANN401 - values are anything
    """Values over the chart's: maps are merged, all else is replaced, and null takes it away."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    both = {**below, **{name: merged(below.get(name), each) for name, each in above.items()}}
    return {name: each for name, each in both.items() if each is not None or name not in above}


def refused(values: Tree) -> list[str]:
    """What the chart's schema has against a release with these values."""
    return _errors(SCHEMA, merged(VALUES, values))


def unknown(values: Tree) -> list[str]:
    """The same of the values alone, where nothing is missing, and no name is one too many."""
    schema = _closed(SCHEMA)
    schema["properties"] |= {name: {} for name in VALUES if name not in schema["properties"]}
    return _errors(schema, values)


def _errors(schema: Tree, values: Tree) -> list[str]:
    validator = Draft202012Validator(schema, registry=_kubernetes())
    return [f"{each.json_path}: {each.message}" for each in validator.iter_errors(values)]


def _closed(part: Any) -> Any:  # noqa: ANN401 - a schema is a tree of anything
    """Refuse what no property names, wherever properties are named; ask for none of them."""
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {name: _closed(each) for name, each in part.items() if name != "required"}
    open_ = found.get("additionalProperties", True) is True
    if open_ and ("$ref" in found or found.get("properties")) and found.get("type") == "object":
        found.pop("additionalProperties", None)
        found["unevaluatedProperties"] = False
    return found


@cache
def _kubernetes() -> Registry[Any]:
    """Kubernetes' definitions at the address that the chart's schema gives, as far as it does."""
    found = set(_DEFINITIONS.findall(json.dumps(SCHEMA)))
    [address] = {address for address, _ in found}
    known: dict[str, Tree] = {}
    for _, name in found:
        known[name] = _described(getattr(client, f"V1{name.rpartition('.')[2]}"), known)
    resource = Resource.from_contents({"definitions": known}, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(address, resource).crawl()
    return registry


def _described(model: type[Any], known: dict[str, Tree]) -> Tree:
    """A model of the client as a schema; those that it consists of go into `known`, closed."""
    properties = {
        model.attribute_map[name]: _typed(kind, known) for name, kind in model.openapi_types.items()
    }
    return {"type": "object", "properties": properties, "required": _required(model)}


def _typed(kind: str, known: dict[str, Tree]) -> Tree:
    if found := re.fullmatch(r"list\[(.+)\]", kind):
        return {"type": "array", "items": _typed(found[1], known)}
    if found := re.fullmatch(r"dict[(\[]str, (.+)[)\]]", kind):
        return {"type": "object", "additionalProperties": _typed(found[1], known)}
    if kind in _PLAIN:
        return deepcopy(_PLAIN[kind])
    if kind not in known:
        known[kind] = {}  # it may consist of itself
        known[kind] |= _described(getattr(client, kind), known) | {"additionalProperties": False}
    return {"$ref": f"#/definitions/{kind}"}


def _required(model: type[Any]) -> list[str]:
    """What the client does not let be None."""
    checks = client.Configuration()
    checks.client_side_validation = False
    blank = model(local_vars_configuration=checks)
    checks.client_side_validation = True
    found = []
    for attribute, name in model.attribute_map.items():
        try:
            setattr(blank, attribute, None)
        except ValueError:
            found.append(name)
    return found
