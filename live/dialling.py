"""Configurations of those who dial a venue, from what a command line says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from core.checks import problems
from core.config import MakerConfig, SolverConfig, decode_custom
from core.errors import InputError
from core.faults import did_you_mean, dotted, translate
from core.solver.problem import Params
from core.solver.strategies.registry import STRATEGIES
from live.credentials import Secret, proof_of
from live.venue_file import Address, parse_address

SOLVER_PORT: Final = 8080
FIX_PORT: Final = 9876

Config = TypeVar("Config", MakerConfig, SolverConfig)


def solver_config(
    name: str,
    connect: str,
    others: tuple[str | None, str | None] = (None, None),
    *,
    env: str | None,
    file: str | None,
    strategy: str,
    params: Sequence[str],
) -> tuple[SolverConfig, str]:
    """A solver's configuration, which holds the proof of its token, and the token. Raises InputError.

    `connect` is the venue's door for orders, and `others` are those for bids and claims: without them, the next two
    ports.
    """
    if (env is None) == (file is None):
        raise InputError("where is the token?", "give --token-env NAME or --token-file PATH, one of them")
    token = Secret(env=env, file=file).read(Path())
    orders = _address("--connect", connect, SOLVER_PORT)
    fields = {
        "id": name,
        "token": proof_of(token),
        "address": str(orders),
        "bids_address": str(_address("--bids", others[0] or str(orders.next(1)), SOLVER_PORT + 1)),
        "claims_address": str(_address("--claims", others[1] or str(orders.next(2)), SOLVER_PORT + 2)),
        "params": _params(strategy, params),
    }
    return _made(SolverConfig, fields), token


def maker_config(name: str, connect: str, venue_comp_id: str) -> MakerConfig:
    """A market maker's configuration. Raises InputError."""
    return _made(
        MakerConfig,
        {"id": name, "venue_comp_id": venue_comp_id, "address": str(_address("--connect", connect, FIX_PORT))},
    )


def _params(strategy: str, texts: Sequence[str]) -> Params:
    if strategy not in STRATEGIES:
        raise InputError(f'--strategy: there is no strategy "{strategy}"', did_you_mean(strategy, STRATEGIES))
    kind: Any = STRATEGIES[strategy].params
    known = [info.encode_name for info in msgspec.structs.fields(kind)]
    values: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or key not in known:
            raise InputError(
                f"--set {text}: expected NAME=VALUE with a parameter of {strategy}", did_you_mean(key, known)
            )
        values[key] = value
    try:
        params: Params = msgspec.convert({"type": kind.__struct_config__.tag, **values}, kind, strict=False)
    except msgspec.ValidationError as error:
        fault = translate(error, kind, values, (), decode_custom)
        raise InputError(f"--set {dotted(fault.path)}: {fault.problem}", fault.hint) from None
    return params


def _address(option: str, text: str, port: int) -> Address:
    """`text` with a port. Raises InputError."""
    try:
        return parse_address(text if ":" in text.rpartition("]")[2] else f"{text}:{port}")
    except ValueError as error:
        raise InputError(f"{option}: {error}") from None


def _made(kind: type[Config], fields: dict[str, Any]) -> Config:
    try:
        config = msgspec.convert(msgspec.to_builtins(fields), kind, dec_hook=decode_custom)
    except msgspec.ValidationError as error:
        hint = "a name has at most 32 letters, digits, dots, dashes or underscores"
        raise InputError(f"--id or --venue: {error}", hint) from None
    for fault in problems(config):
        raise InputError(f"{dotted(fault.path)}: {fault.problem}", fault.hint)
    return config
