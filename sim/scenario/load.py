"""Loads a scenario file, checks it, and brings it into the one canonical form that is recorded and hashed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from core.errors import InputError
from core.faults import Fault, KeyPath, shown, translate
from sim.scenario.checks import check
from sim.scenario.custom import decode_custom, encode_custom
from sim.scenario.desk import DeskScenario
from sim.scenario.desk_checks import check_desk
from sim.scenario.files import absent, file_digest, path_of
from sim.scenario.kinds import AnyScenario, schema_of
from sim.scenario.layers import Document, Layer, read_layers
from sim.scenario.models import Recorded
from sim.scenario.overrides import override_layers
from sim.scenario.schema import Scenario


class Loaded(msgspec.Struct, frozen=True):
    """A scenario that can run. Two with the same `hash` mean the same, whatever their files look like."""

    name: str
    """Its own name, or else that of its file."""
    folder: Path
    """Where the paths of its recorded files start."""
    scenario: AnyScenario
    text: str
    """The whole scenario as canonical JSON, with defaults filled in and recorded files named by digest too."""

    @property
    def venue(self) -> Scenario:
        """The scenario, which has to be of a venue. Raises InputError if it is of an index desk."""
        if isinstance(self.scenario, DeskScenario):
            raise InputError(f"{self.name} is a scenario of an index desk", "give one of a venue")
        return self.scenario

    @property
    def hash(self) -> str:
        """BLAKE2b of `text`, in hex."""
        return blake2b(self.text.encode(), digest_size=32).hexdigest()


def load(source: Path | str, *, seed: int | None = None, overrides: Sequence[str] = ()) -> Loaded:
    """Load a scenario file with `path=value` overrides. Raises InputError for whatever cannot be used."""
    path = path_of("scenario", source)
    document, scenario = read(path, seed=seed, overrides=overrides)
    if isinstance(scenario, Scenario):
        scenario = _resolved(document, scenario, path.parent)
    else:
        scenario = _desk_resolved(document, scenario, path.parent)
    return Loaded(scenario.run.name or path.stem, path.parent, scenario, canonical(scenario))


def read(path: Path, *, seed: int | None = None, overrides: Sequence[str] = ()) -> tuple[Document, AnyScenario]:
    """A scenario checked in itself, without a look at the recorded files that it names."""
    layers = read_layers(path)
    layers += override_layers(overrides, Document(layers).data)
    if seed is not None:
        layers.append(Layer(f"--seed {shown(seed)}", {"run": {"seed": seed}}))
    document = Document(layers)
    schema = schema_of(document.data)
    try:
        scenario: AnyScenario = msgspec.convert(document.data, schema, dec_hook=decode_custom)
    except msgspec.ValidationError as error:
        raise document.error(translate(error, schema, document.data, (), decode_custom)) from None
    if isinstance(scenario, DeskScenario):
        check_desk(scenario, document.error)
    else:
        check(scenario, document.error)
    return document, scenario


def canonical(scenario: AnyScenario) -> str:
    """The scenario as JSON with sorted keys and one spelling for each value; msgspec can decode it as a Scenario."""
    plain = msgspec.to_builtins(scenario, builtin_types=(Decimal,), enc_hook=encode_custom)
    return json.dumps(_one_spelling(plain), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _one_spelling(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    if isinstance(value, dict):
        return {key: _one_spelling(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_one_spelling(item) for item in value]
    return value


def _resolved(document: Document, scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with every parameter of its strategies, and the digests of its recorded files."""
    replace = msgspec.structs.replace
    pairs, makers, solvers = list(scenario.pairs), list(scenario.makers), list(scenario.solvers)
    for index, pair in enumerate(pairs):
        digest = _digest(document, folder, pair.price, ("pair", index, "price"))
        pairs[index] = replace(pair, price=replace(pair.price, digest=digest))
    for index, maker in enumerate(makers):
        digest = _digest(document, folder, maker.arrivals, ("market_maker", index, "arrivals"))
        makers[index] = replace(maker, arrivals=replace(maker.arrivals, digest=digest))
    for index, solver in enumerate(solvers):
        params = msgspec.structs.asdict(solver.strategy_params())
        solvers[index] = replace(solver, params=params)
    return replace(scenario, pairs=tuple(pairs), makers=tuple(makers), solvers=tuple(solvers))


def _desk_resolved(document: Document, scenario: DeskScenario, folder: Path) -> DeskScenario:
    """The scenario with the digests of its recorded files."""
    replace = msgspec.structs.replace
    assets = list(scenario.assets)
    for index, asset in enumerate(assets):
        if asset.flow is not None:
            digest = _digest(document, folder, asset.flow.price, ("asset", index, "flow", "price"))
            assets[index] = replace(asset, flow=replace(asset.flow, price=replace(asset.flow.price, digest=digest)))
    return replace(scenario, assets=tuple(assets))


def _digest(document: Document, folder: Path, recorded: Recorded, path: KeyPath) -> str | None:
    if recorded.replay is None:
        return None
    file = folder / recorded.replay
    try:
        digest = file_digest(file)
    except (FileNotFoundError, ValueError):
        error = absent(file)
        raise document.error(Fault((*path, "replay"), error.message, error.hint)) from None
    except OSError as error:
        raise document.error(Fault((*path, "replay"), f"{file} cannot be read: {error.strerror}")) from None
    if recorded.digest not in (None, digest):
        problem = f"{file} is not the file that the scenario was written for: its digest is {digest}"
        raise document.error(Fault((*path, "digest"), problem))
    return digest
