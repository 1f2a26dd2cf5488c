"""Index scenarios: what does not fit together is refused in one line that says where and what would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sim
from core.collateral.settings import CollateralSettings
from core.errors import InputError
from core.execution.settings import ExecutionSettings
from core.index.planning import Mode
from core.index.settings import DeskSettings
from sim.scenario.desk import CollateralSection, DeskScenario, ExecutionSection
from sim.scenario.load import Loaded, load
from sim.scenario.mirrored import key_of, mirror, settings_of

SBE = Path(sim.__file__).parents[1] / "scenarios" / "index_sbe.toml"


def loaded(*overrides: str) -> Loaded:
    return load(SBE, overrides=overrides)


def scenario(*overrides: str) -> DeskScenario:
    found = loaded(*overrides).scenario
    assert isinstance(found, DeskScenario)
    return found


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = SBE.read_text()
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_scenario_with_a_desk_is_read_as_one() -> None:
    config = scenario().node_config()
    assert config.desk.limits.mode is Mode.REFERENCE
    assert config.desk.client_order_wait_ns == 10_000_000_000
    assert [index.symbol for index in config.desk.indexes] == ["IX"]
    assert config.collateral.destinations == {"IX": ("T3:D3:C3",)}
    assert [hop.name for hop in config.collateral.hops] == ["back", "first", "second"]


def test_an_override_reaches_what_it_names() -> None:
    config = scenario("desk.limits.max_levels=7", "hop.first.fee_rate=0.02", "desk.tick=250ms").node_config()
    assert config.desk.limits.max_levels == 7
    assert config.desk.tick_ns == 250_000_000
    assert str(next(hop.fee_rate for hop in config.collateral.hops if hop.name == "first")) == "0.02"


def test_two_layouts_of_one_scenario_are_one() -> None:
    assert loaded("desk.tick=100ms").hash == loaded().hash != loaded("desk.tick=200ms").hash


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("desk.tik=1s", r"desk: unknown key `tik` \(did you mean `tick`\?\)"),
        ("desk.limits.mode=fast", "desk.limits.mode: expected .*corrected.*reference"),
        ("desk.tick=-1s", "desk.tick: .*negative"),
        ("desk.limits.price_threshold=0.5x", "desk.limits.price_threshold: expected an amount"),
        ("index.IX.weights={AX='1', AY='1'}", r'index "IX": weights: there is no asset "AY"'),
        ("index.IX.weights={AX='0'}", 'index "IX": weights.AX: must be above zero'),
        ("index.IX.quantities={AX='1'}", 'index "IX": it needs either'),
        ("index.IX.destinations=['T3:D3:C4']", r'index "IX": destinations: .*T3:D3:C4.*T3:D3:C3'),
        ("index.IX.destinations=[]", 'index "IX": destinations: name at least one'),
        ("chain.1.deposit=T1:D1:C2", r'chain "1": deposit: .*did you mean `T1:D1:C1`'),
        ('user.alice.chain="2"', r'user "alice": chain: .*"2"'),
        ("user.alice.address=0xABC", 'user "alice": address'),
        ("user.alice.arrivals={poisson='1s', fixed='1s'}", 'user "alice": arrivals: expected exactly one'),
        ("user.alice.amount={min='9', max='3'}", 'user "alice": amount: `min` 9 is above `max` 3'),
        ("asset.AX.book={bids=[['90','1']], asks=[['80','1']]}", 'asset "AX": book: crossed'),
        (
            "asset.AX.book={bids=[['90','1'],['95','1']], asks=[['100','1']]}",
            'asset "AX": book.bids: expected the best',
        ),
        ("asset.AX.book={}", 'asset "AX": nobody trades it'),
        ("hop.first.fee_rate=2", "fee_rate"),
        ("hop.first.destination=T1:D1:C1", "T1:D1:C1"),
        ("run.duration=40d", "run.duration: expected a duration of at most 31d"),
        ("desk.tick=1ns", "desk.tick"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place(override: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        loaded(override)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('order = "C-01"\n', "", "step.*order: `buy` needs `order`"),
        ('do = "deposit"', 'do = "depsit"', "step.*do: expected"),
        ('at = "4s"', 'at = "4h"', "after the end of the run"),
        ('user = "alice"\namount', 'user = "bob"\namount', r'"bob" \(did you mean|"bob"'),
        ('[[chain]]\nid = "1"', '[[chain]]\nid = "one"', "chain"),
        ("[desk.books]", "[desk.book]", "did you mean `books`"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load(changed(tmp_path, old, new))


def test_mirrored_tables_have_the_defaults_of_the_settings() -> None:
    assert settings_of(ExecutionSection(), ExecutionSettings) == ExecutionSettings()
    given: dict[str, Any] = {"chains": {}, "destinations": {}, "hops": ()}
    wanted = CollateralSettings(token="USDC", **given)
    assert settings_of(CollateralSection(token="USDC"), CollateralSettings, **given) == wanted
    section = mirror(DeskSettings, "Section", without=("indexes", "assets"))
    assert settings_of(section(), DeskSettings) == DeskSettings()


def test_keys_lose_the_unit_that_their_values_have() -> None:
    assert [key_of(name) for name in ("tick_ns", "retry_ns_max", "max_levels")] == ["tick", "retry_max", "max_levels"]
