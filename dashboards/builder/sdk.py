"""Sets options of the Foundation SDK's builders from YAML.

An option's name is the name of a builder's method, so the vocabulary is the SDK's own;
what is not a method, or is of another type, is refused.
"""

import json
import typing
from collections.abc import Mapping
from enum import Enum
from types import ModuleType
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, heatmap
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from agent.suggestions import suggest
from dashboards.builder.errors import BuildError

Tree = dict[str, Any]
_SCALARS: dict[Any, tuple[type, ...]] = {
    bool: (bool,),
    float: (int, float),
    int: (int,),
    str: (str,),
}
_MODULES: tuple[ModuleType, ...] = (common, dashboard, heatmap)


def as_tree(built: object) -> Any:
    """Turn what a builder has built into plain JSON."""
    return json.loads(JSONEncoder().encode(built))


def apply_options(builder: Any, options: Mapping[str, Any]) -> None:
    """Call the method of each option.

    Args:
        builder: One of the SDK's.
        options: By the method's name; mappings for options that have options.

    Raises:
        BuildError: There is no such option, or its value is of another type.
    """
    for name, value in options.items():
        method = getattr(builder, str(name), None)
        if method is None or name.startswith("_") or name == "build":
            raise BuildError(_unknown(builder, name))
        hints = typing.get_type_hints(method)
        hints.pop("return", None)
        if len(hints) != 1:
            message = f"{name} takes more than one value"
            raise BuildError(message)
        (hint,) = hints.values()
        method(_convert(name, value, hint))


def _unknown(builder: Any, name: str) -> str:
    known = [one for one in dir(builder) if not one.startswith("_")]
    return f"unknown option {name!r}{suggest(str(name), known)}"


def _convert(name: str, value: Any, hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _convert_enum(name, value, hint)
    if origin is Builder:
        return _build(name, value, inner[0])
    if origin is list and isinstance(value, list):
        return [_convert(name, one, inner[0]) for one in value]
    if origin is typing.Literal and value in inner:
        return value
    # In Python a truth value is a number too; in a definition it is a mistake.
    if isinstance(value, _SCALARS.get(hint, ())) and (hint is bool) == (
        type(value) is bool
    ):
        return value
    message = f"{name} cannot be {value!r}"
    raise BuildError(message)


def _convert_enum(name: str, value: Any, hint: type[Enum]) -> Enum:
    try:
        return hint(value)
    except ValueError:
        known = ", ".join(str(one.value) for one in hint)
        message = f"{name} cannot be {value!r}, but one of {known}"
        raise BuildError(message) from None


def _build(name: str, value: Any, model: Any) -> Any:
    if not isinstance(value, Mapping):
        message = f"{name} has options of its own"
        raise BuildError(message)
    for module in _MODULES:
        found = getattr(module, model.__name__, None)
        if found is not None:
            inner = found()
            apply_options(inner, value)
            return inner
    message = f"{name} cannot be set from a definition"
    raise BuildError(message)
