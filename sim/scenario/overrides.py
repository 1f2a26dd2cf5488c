"""`--set path=value`: one value over what the files say, as a last layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from core.errors import InputError
from core.faults import brief, did_you_mean, one_line, shown
from sim.scenario.errors import IDS
from sim.scenario.files import is_text, parse_toml
from sim.scenario.layers import Layer, check_layer
from sim.scenario.models import MODELS

_CHOICES: Final = frozenset(["strategy", *(model for models in MODELS.values() for model in models)])
_KEYS_MAX: Final = 16


def override_layers(texts: Sequence[str], data: dict[str, Any]) -> list[Layer]:
    """The layers that overrides `path=value` make over a scenario's `data`. Their order means nothing, but
    that the last one for a path counts.

    An entry of an array is named by its id: `solver.s2.latency=20ms`. A value is TOML where it can be read as
    TOML and is not a float, and otherwise plain text.
    """
    values: dict[tuple[str, ...], Layer] = {}
    for text in _listed(texts):
        path, equals, value = text.partition("=")
        keys, source = path.strip().split("."), one_line(f"--set {brief(text)}")
        if not equals or not all(keys):
            raise InputError(f"{source}: expected PATH=VALUE", "as in --set solver.s2.latency=20ms")
        if len(keys) > _KEYS_MAX:
            raise InputError(f"{source}: a path of {len(keys)} keys; no scenario is that deep")
        layer = Layer(source, _nested(source, keys, _parsed(value.strip()), data))
        check_layer(*layer)
        values[tuple(keys)] = layer
    # A new strategy drops parameters, and a new model what is beside and below it: what replaces most goes first.
    return [values[keys] for keys in sorted(values, key=lambda keys: (keys[-1] not in _CHOICES, len(keys), keys))]


def _listed(texts: object) -> Sequence[str]:
    if isinstance(texts, str) or not isinstance(texts, Sequence) or not all(map(is_text, texts)):
        raise InputError(f"overrides: expected a list of texts, got {brief(repr(texts))}", 'as in ["run.seed=3"]')
    return texts


def _parsed(text: str) -> Any:
    """The value that a text on the command line means."""
    try:
        table = parse_toml(f"value = {text}")
    except ValueError:
        return text
    value = table["value"]
    return value if len(table) == 1 and isinstance(value, str | int | list | dict) else text


def _nested(source: str, keys: list[str], value: Any, data: dict[str, Any]) -> dict[str, Any]:
    array = keys[0]
    if array not in IDS:
        return _table(keys, value)
    names = [entry[IDS[array]] for entry in data.get(array, [])]
    rest = ".".join(keys[1:])
    name = max((name for name in names if f"{rest}.".startswith(f"{name}.")), key=len, default="")  # ids may have dots
    inner = rest.removeprefix(name).removeprefix(".").split(".")
    if not name and rest:
        raise InputError(f"{source}: there is no {array} {shown(keys[1])}", did_you_mean(keys[1], names))
    if inner in ([""], [IDS[array]]):
        raise InputError(f"{source}: expected a key to set, as in {array}.ID.KEY, other than `{IDS[array]}`")
    return {array: [{IDS[array]: name, **_table(inner, value)}]}


def _table(keys: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    table: dict[str, Any] = value
    return table
