"""Layers, overrides and the canonical text: what a scenario means does not depend on how it is laid out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from core.errors import InputError
from sim.scenario.custom import decode_custom
from sim.scenario.load import Loaded, canonical, load
from sim.scenario.schema import Scenario
from tests.helpers.scenarios import MINIMAL, changed

FULL = tomllib.loads(
    changed(
        ("[run]\n", '[run]\nseed = 7\nstart = "2025-06-01T12:00:00.25Z"\n'),
        ('{ constant = "2000" }', '{ gbm = { start = "2000", volatility_bps = 3 } }'),
        ('{ poisson = "20ms" }\n', '{ fixed = "20ms" }\nlatency = "3ms"\nsymbols = ["BTCUSDC", "ETHUSDC"]\n'),
    )
    + """
[[token]]
id = "BTC"
decimals = 8
[[pair]]
symbol = "BTCUSDC"
base = "BTC"
quote = "USDC"
tick = "0.1"
lot = "0.01"
quantity_max = "100"
price = { constant = "40000" }
[[solver]]
id = "s0"
strategy = "unreliable"
capital = { USDC = "1" }
bond = "100"
compute = { exponential = { floor = "1ms", mean = "2ms" } }
[network]
latency = { uniform = ["1ms", "2ms"] }
[sequencer]
batch_window = "250ms"
batch_messages = 100
"""
)
OVERRIDES = [
    "run.seed=8",
    "solver.s0.strategy=cost_plus",
    "solver.s0.params.margin_bps=9",
    "solver.s1.latency=20ms",
    "pair.ETHUSDC.price.gbm.volatility_bps=5",
    'pair.BTCUSDC.price.gbm={start="41000"}',
    "pair.BTCUSDC.price.gbm.tick=1s",
    "market_maker.MM1.arrivals.poisson=10ms",
]


def write(path: Path, data: dict[str, Any]) -> None:
    path.write_text("\n".join(f"{key} = {_inline(value)}" for key, value in data.items()))


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def full(tmp_path: Path) -> Path:
    path = tmp_path / "full.toml"
    write(path, FULL)
    return path


def from_canonical(text: str) -> Scenario:
    return msgspec.json.decode(text, type=Scenario, dec_hook=decode_custom)


def loaded(folder: Path, text: str) -> Loaded:
    path = folder / "scenario.toml"
    path.write_text(text)
    return load(path)


# --- extends -------------------------------------------------------------------------------------


def test_a_variant_changes_only_what_it_names(full: Path, tmp_path: Path) -> None:
    base = load(full).venue
    variant = loaded(tmp_path, 'extends = "full.toml"\n[[solver]]\nid = "s1"\nlatency = "9ms"\n[run]\nduration = "2s"')
    plain = json.loads(canonical(base))
    plain["run"]["duration"] = "2s"
    plain["solver"][1]["latency"] = {"constant": "9ms"}
    assert json.loads(variant.text) == plain


def test_a_variant_can_add_an_entry(full: Path, tmp_path: Path) -> None:
    text = 'extends = "full.toml"\n[[solver]]\nid = "s2"\nbond = "100"\ncapital = { ETH = "1" }\n'
    assert [solver.id for solver in loaded(tmp_path, text).venue.solvers] == ["s0", "s1", "s2"]


def test_a_variant_of_nothing_means_the_same(full: Path, tmp_path: Path) -> None:
    (tmp_path / "middle.toml").write_text('extends = "full.toml"\n')
    variant = loaded(tmp_path, 'extends = "middle.toml"\n')
    assert variant.hash == load(full).hash
    assert variant.name == "scenario"


def test_another_model_replaces_the_old_one_and_the_same_model_is_merged(full: Path, tmp_path: Path) -> None:
    other = loaded(tmp_path, 'extends = "full.toml"\n[[pair]]\nsymbol = "ETHUSDC"\nprice = { constant = "3" }\n')
    assert other.venue.pairs[1].price.gbm is None
    same = loaded(tmp_path, 'extends = "full.toml"\n[[pair]]\nsymbol = "ETHUSDC"\nprice.gbm.volatility_bps = 9\n')
    gbm = same.venue.pairs[1].price.gbm
    assert gbm is not None
    assert (gbm.start, gbm.volatility_bps) == (Decimal(2000), 9)


def test_an_empty_table_empties_what_is_below_it(full: Path, tmp_path: Path) -> None:
    symbol, poor = '[[market_maker]]\nid = "MM1"\n', "balance = {}\n"
    with pytest.raises(InputError, match='"MM1": balance: nothing to trade with'):
        loaded(tmp_path, f'extends = "full.toml"\n{symbol}{poor}')


def test_another_strategy_drops_the_parameters_of_the_old_one(full: Path, tmp_path: Path) -> None:
    variant = loaded(tmp_path, 'extends = "full.toml"\n[[solver]]\nid = "s1"\nstrategy = "random"\n')
    assert variant.venue.solvers[1].params == {"bid_per_mille": 700, "spread_bps": 50}
    same = loaded(tmp_path, 'extends = "full.toml"\n[[solver]]\nid = "s1"\nstrategy = "cost_plus"\n')
    assert same.venue.solvers[1].params == {"cost_bps": 3, "noise_bps": 4, "margin_bps": 3}


# --- overrides -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("run.seed=3", "run.seed", 3),
        ("run.name=three", "run.name", "three"),
        ('run.name="3"', "run.name", "3"),
        ("run.description=", "run.description", ""),
        ("run.description=a = b", "run.description", "a = b"),
        ("solver.s1.bond=100.5", "solver.1.bond", "100.5"),
        ("solver.s1.bond=1000", "solver.1.bond", "1000"),
        ("solver.s1.latency={uniform=['1ms','2ms']}", "solver.1.latency", {"uniform": ["1ms", "2ms"]}),
        ("network.latency=5ms", "network.latency", {"constant": "5ms"}),
        ("solver.s1.strategy=random", "solver.1.params", {"bid_per_mille": 700, "spread_bps": 50}),
        ("pair.BTCUSDC.price.gbm.start=5", "pair.0.price.gbm.start", "5"),
        ("auction.grace=1ms", "auction.grace", "1ms"),
    ],
)
def test_an_override_sets_one_value(full: Path, text: str, path: str, value: Any) -> None:
    found: Any = json.loads(load(full, overrides=[text]).text)
    for step in path.split("."):
        found = found[int(step) if step.isdigit() else step]
    assert found == value


def test_an_id_with_dots_can_be_named(full: Path, tmp_path: Path) -> None:
    text = 'extends = "full.toml"\n[[solver]]\nid = "s1.far"\nbond = "100"\ncapital = { ETH = "1" }\n'
    loaded(tmp_path, text)
    scenario = load(tmp_path / "scenario.toml", overrides=["solver.s1.far.bond=200", "solver.s1.bond=300"]).venue
    assert {solver.id: str(solver.bond) for solver in scenario.solvers} == {"s0": "100", "s1": "300", "s1.far": "200"}


def test_the_last_override_of_a_path_counts(full: Path) -> None:
    assert load(full, overrides=["run.seed=3", "run.seed=4"]).venue.run.seed == 4


def test_a_seed_is_an_override(full: Path) -> None:
    assert load(full, seed=9).hash == load(full, overrides=["run.seed=9"]).hash != load(full).hash


# --- one meaning, one text -----------------------------------------------------------------------


@given(st.permutations(OVERRIDES))
@settings(max_examples=30, deadline=None)
def test_the_order_of_overrides_means_nothing(order: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "full.toml")
        write(path, FULL)
        assert load(path, overrides=order).text == load(path, overrides=OVERRIDES).text


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_the_layout_of_files_means_nothing(data: st.DataObject) -> None:
    """Keys and entries in any order, spread over a file and the one that it extends, some of them overridden."""
    base: dict[str, Any] = {}
    child: dict[str, Any] = {}
    for section, key, value in data.draw(st.permutations(list(_cells(FULL)))):
        where = data.draw(st.sampled_from(["base", "child", "both", "overridden"]))
        if where != "child":
            _put(base, section, key, "something else" if where == "overridden" else value)
        if where != "base":
            _put(child, section, key, value)
    with TemporaryDirectory() as folder:
        write(Path(folder, "full.toml"), FULL)
        write(Path(folder, "base.toml"), base)
        write(Path(folder, "child.toml"), {"extends": "base.toml", **child})
        split, whole = load(Path(folder, "child.toml")), load(Path(folder, "full.toml"))
    assert split.text == whole.text
    assert split.hash == whole.hash


def _cells(data: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str, Any]]:
    """(section and entry id, key, value) for everything but what decides about a neighbour."""
    for section, value in data.items():
        for entry in value if isinstance(value, list) else [value]:
            name = entry.get("id", entry.get("symbol", ""))
            for key, cell in entry.items():
                if key not in {"id", "symbol", "strategy"}:
                    yield (section, name), key, cell
            if "strategy" in entry:
                yield (section, name), "strategy", entry["strategy"]


def _put(layer: dict[str, Any], section: tuple[str, str], key: str, value: Any) -> None:
    name, entry_id = section
    if not entry_id:
        layer.setdefault(name, {})[key] = value
        return
    id_key = "symbol" if name == "pair" else "id"
    entries = layer.setdefault(name, [])
    entry = next((entry for entry in entries if entry[id_key] == entry_id), None)
    if entry is None:
        entry = {id_key: entry_id}
        entries.append(entry)
    entry[key] = value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"1s"', '"1000ms"'),
        ('bond = "1000"', 'bond = "1000.00"'),
        ('bond = "1000"', 'bond = "1e3"'),
        ('bond = "1000"', "bond = 1000"),
        ("[run]\n", "# a comment\n[run]\nseed = 1\n"),
        ("{ margin_bps = 3 }", "{ margin_bps = 3, cost_bps = 3 }"),
        ('{ poisson = "20ms" }', '{ poisson = "0.02s" }\nlimit_offset_bps.max = 20'),
        ("[run]\n", '[run]\nstart = "2024-01-01T00:00:00+00:00"\n'),
    ],
)
def test_other_words_for_the_same_give_the_same_hash(tmp_path: Path, old: str, new: str) -> None:
    assert loaded(tmp_path, changed((old, new))).hash == loaded(tmp_path, MINIMAL).hash


def test_another_meaning_gives_another_hash(tmp_path: Path) -> None:
    texts = {
        loaded(tmp_path, changed((old, new))).text
        for old, new in [
            ('"1s"', '"2s"'),
            ('bond = "1000"', 'bond = "1000.01"'),
            ("margin_bps = 3", "margin_bps = 4"),
            ("[run]", "[run]"),
        ]
    }
    assert len(texts) == 4


def test_the_canonical_text_is_the_whole_scenario(full: Path) -> None:
    it = load(full)
    assert from_canonical(it.text) == it.scenario
    assert canonical(from_canonical(it.text)) == it.text


# --- from Python ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"overrides": "run.seed=3"}, "overrides: expected a list of texts, got 'run.seed=3'"),
        ({"overrides": [5]}, "overrides: expected a list of texts, got [5]"),
        ({"overrides": 5}, "overrides: expected a list of texts, got 5"),
        ({"overrides": {"run.seed": 3}}, "overrides: expected a list of texts, got {'run.seed': 3}"),
        ({"overrides": ["run.name=\ud800"]}, "overrides: expected a list of texts, got ['run.name=\\ud800']"),
        ({"seed": "3"}, '--seed "3": run.seed: expected a whole number, got "3"'),
        ({"seed": 10**5000}, "run.seed: expected a whole number of at most 62 bits, got a whole number of 16610 bits"),
        ({"source": 5}, "scenario: expected a path, got 5"),
        ({"source": b"full.toml"}, "scenario: expected a path, got b'full.toml'"),
        ({"source": "full\0.toml"}, "scenario: expected a path, got 'full\\x00.toml'"),
        ({"source": "\ud800.toml"}, "scenario: expected a path, got '\\ud800.toml'"),
        ({"out": 5}, "out: expected a path, got 5"),
    ],
)
def test_what_is_of_no_use_from_python_is_refused_in_words(arguments: Any, problem: str, full: Path) -> None:
    with pytest.raises(InputError) as refused:
        sim.run(**{"source": full, **arguments})
    assert problem in refused.value.message
    assert len(refused.value.message) < 250


def test_a_result_is_loaded_from_a_path_only() -> None:
    with pytest.raises(InputError, match="directory: expected a path, got 5"):
        sim.load(5)  # type: ignore[arg-type]


# --- recorded files ------------------------------------------------------------------------------

PRICES = changed(('{ constant = "2000" }', '{ replay = "prices.csv" }'))


def test_a_recorded_file_is_found_from_the_scenario_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent/base.toml").write_text(PRICES)
    (tmp_path / "parent/prices.csv").write_text("time,price\n0,1\n")
    variant = loaded(tmp_path, 'extends = "parent/base.toml"\n')
    assert variant.venue.pairs[0].price.replay == "parent/prices.csv"
    assert (variant.folder / "parent/prices.csv").is_file()


def test_a_scenario_means_its_recorded_files_too(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("time,price\n0,1\n")
    first = loaded(tmp_path, PRICES)
    (tmp_path / "prices.csv").write_text("time,price\n0,2\n")
    assert loaded(tmp_path, PRICES).hash != first.hash


def test_a_digest_holds_a_scenario_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("time,price\n0,1\n")
    digest = loaded(tmp_path, PRICES).venue.pairs[0].price.digest
    pinned = PRICES.replace('"prices.csv"', f'"prices.csv", digest = "{digest}"')
    assert loaded(tmp_path, pinned).hash == loaded(tmp_path, PRICES).hash
    (tmp_path / "prices.csv").write_text("time,price\n0,2\n")
    with pytest.raises(InputError, match=r"price\.digest: .*prices\.csv is not the file that the scenario was written"):
        loaded(tmp_path, pinned)


# --- what core gets ------------------------------------------------------------------------------


def test_a_scenario_produces_the_configuration_of_every_node(full: Path) -> None:
    scenario = load(full).venue
    venue, makers, solvers = scenario.node_configs()
    assert [pair.symbol for pair in venue.pairs] == ["BTCUSDC", "ETHUSDC"]
    assert venue.tokens().keys() == {"BTC", "ETH", "USDC"}
    assert [(member.id, member.balance["ETH"]) for member in venue.members] == [("MM1", Decimal(100))]
    assert [maker.address for maker in makers] == ["venue/fix"]
    assert [maker.venue_comp_id for maker in makers] == [venue.fix.comp_id]
    assert [solver.address for solver in solvers] == ["venue/solvers"] * 2
    assert [account.token for account in venue.solvers] == [solver.token for solver in solvers]
    assert len({solver.token for solver in solvers}) == 2


# --- whatever is in a file -----------------------------------------------------------------------

VALUES = st.recursive(
    st.sampled_from(["", "s1", "ETH", "ETHUSDC", "1ms", "5", "-1", "nan", "cost_plus", "gone.csv", ".", "\0\n"])
    | st.integers(-(2**70), 2**70)
    | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "symbol", "replay", "constant", "uniform", "min", "strategy"]), inner)
    ),
    max_leaves=4,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_scenario_with_anything_in_it_loads_or_is_refused_in_one_line(data: st.DataObject) -> None:
    changed_data = json.loads(json.dumps(FULL))
    for _ in range(data.draw(st.integers(1, 2))):
        _replace_somewhere(changed_data, data)
    with TemporaryDirectory() as folder:
        write(Path(folder, "any.toml"), changed_data)
        refused = ""
        try:
            it = load(Path(folder, "any.toml"))
            it.venue.node_configs()
            assert from_canonical(it.text) == it.scenario
        except InputError as error:
            refused = f"{error.message}{error.hint}"
        assert len(refused.splitlines()) <= 1
        assert not refused or refused.startswith(str(Path(folder, "any.toml")))


def _replace_somewhere(place: Any, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    if isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 3)):
        _replace_somewhere(place[key], data)
    else:
        place[key] = data.draw(VALUES)


@pytest.mark.parametrize("turn", [1, -1])
def test_a_model_chosen_by_an_override_keeps_what_other_overrides_say_of_it(tmp_path: Path, turn: int) -> None:
    (tmp_path / "trades.csv").write_text("time,price,quantity,side\n1700000000,2000,1,buy\n")
    file = tmp_path / "market.toml"
    file.write_text(MINIMAL)
    overrides = ["market_maker.MM1.arrivals.replay=trades.csv", "market_maker.MM1.arrivals.limit=2"][::turn]
    arrivals = load(file, overrides=overrides).venue.makers[0].arrivals
    assert (arrivals.replay, arrivals.limit) == ("trades.csv", 2)
