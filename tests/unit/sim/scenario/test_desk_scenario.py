"""Index scenarios: what does not fit together is refused in one line that says where and what would do."""

from __future__ import annotations

from decimal import Decimal
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
from sim.scenario.desk_bounds import _OF
from sim.scenario.load import Loaded, load
from sim.scenario.mirrored import key_of, mirror, settings_of
from tests.helpers.schema import keys, tables

FLOW = "{price={start='90', volatility_bps=1, tick='%s'}, quantity='1'}"
ADDRESS = 'address = "0xd8da6bf26964af9d7eed9e03e53415d37aa96045"'
DELIST = 'at = "5s"\ndo = "delist"\nasset = "AX"\ndeadline = "1s"'
WEIGHTS = 'at = "5s"\ndo = "weights"\nindex = "IX"'
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


def test_money_has_a_way_home_from_every_destination() -> None:
    with pytest.raises(InputError, match="payout: no hops lead from T3:D3:C3, where IX is paid, to T1:D1:C1"):
        loaded("index.IX.destinations=['T2:D2:C2', 'T3:D3:C3']", "hop.back.source=T2:D2:C2")


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
        ("asset.AX.flow={price={}, quantity='1'}", "flow.price: expected exactly one of start, replay; got none"),
        ("asset.AX.flow={price={start='0'}, quantity='1'}", "flow.price.start: must be above zero"),
        ("asset.AX.flow={price={start='9', speed=2}, quantity='1'}", "flow.price: `speed` goes with `replay` only"),
        (
            "asset.AX.flow={price={replay='x.csv', volatility_bps=1}, quantity='1'}",
            "flow.price: `volatility_bps` goes with `start` only",
        ),
        ("asset.AX.flow={price={replay='x.csv'}, quantity='1'}", 'asset "AX": flow.price.replay: no such file'),
        ("user.alice.address=0xABC", 'user "alice": address'),
        ("user.alice.arrivals={poisson='1s', fixed='1s'}", 'user "alice": arrivals: expected exactly one'),
        ("user.alice.amount={min='9', max='3'}", 'user "alice": amount: `min` 9 is above `max` 3'),
        ("asset.AX.book={bids=[['90','1']], asks=[['80','1']]}", 'asset "AX": book: crossed'),
        (
            "asset.AX.book={bids=[['90','1'],['95','1']], asks=[['100','1']]}",
            'asset "AX": book.bids: expected the best',
        ),
        ("asset.AX.book={}", 'asset "AX": nobody trades it'),
        ("asset.AX.base=AZ", 'asset "AZ": symbol: "AZ" is what AX is called when it is held, too'),
        ("asset.AZ.base=AX", 'asset "AZ": base: "AX" is what AX is called when it is held, too'),
        ("asset.AX.base=C1", 'asset "AX": base: "C1" is the token that collateral is held in'),
        ("hop.first.fee_rate=2", "fee_rate"),
        ("hop.first.destination=T1:D1:C1", "T1:D1:C1"),
        ("run.duration=40d", "run.duration: expected a duration of at most 31d"),
        ("desk.tick=1ns", "desk.tick: expected a duration of at least 1ms, got 1ns"),
        ("desk.tick=0s", "desk.tick: expected a duration of at least 1ms"),
        ("desk.tick=0.1", 'desk.tick: expected a duration such as "250ms"'),
        ("desk.nav_interval=1us", "desk.nav_interval: every 1us is .* times in this run"),
        ("desk.limits=3", "desk.limits: expected a table, got 3"),
        ("desk.max_batch_size=lots", "desk.max_batch_size: expected a whole number"),
        ("desk.max_batch_size=0", "desk.max_batch_size: expected a whole number of at least 1, got 0"),
        ("desk.max_batch_size=99999999999999999999", "desk.max_batch_size: .*at most 62 bits"),
        ("desk.ended_orders_max=-1", "desk.ended_orders_max: expected a whole number of at least 0, got -1"),
        ("desk.target_price=-5", 'desk.target_price: expected an amount such as "100.25", zero or more'),
        ("desk.target_price=0", "desk.target_price: expected an amount above zero, got 0"),
        ("desk.order_amount_max=1e400", "desk.order_amount_max: expected an amount of at most 28 digits"),
        ("desk.limits.index_decimals=999", "desk.limits.index_decimals: expected a whole number from 0 to 18, got 999"),
        ("desk.fill_threshold=1.5", "desk.fill_threshold: expected a share above 0, up to 1, got 1.5"),
        ("desk.mint_threshold=0.99999", "desk.mint_threshold: must not be above `fill_threshold` 0.9999"),
        ("desk.limits.fee_factor=0", "desk.limits.fee_factor: expected a factor from 1 to 2, got 0"),
        ("desk.limits.price_threshold=1", "desk.limits.price_threshold: expected a share from 0 up to 0.5"),
        ("desk.limits.share_step=0", "desk.limits.share_step: expected a share from 1E-12 to 0.01, got 0"),
        ("desk.limits.quantity_tolerance=100", "desk.limits.quantity_tolerance: expected a tolerance from 0 to 1"),
        ("desk.books.snapshot_timeout=0s", "desk.books.snapshot_timeout: expected a duration of at least 1ms"),
        ("execution.reply_timeout=0s", "execution.reply_timeout: expected a duration of at least 1ms"),
        ("execution.refusals_max=0", "execution.refusals_max: expected a whole number of at least 1"),
        ("desk.commission_pairs={BNB='BNBC1'}", 'desk.commission_pairs.BNB: there is no asset "BNBC1"'),
        ("collateral.token=''", "collateral.token: name what collateral is held in"),
        ("collateral.queries=['0s']", r"collateral.queries\[0\]: expected a duration of at least 1ms"),
        ("collateral.retries={boredom=['1s']}", "there is no trouble `boredom`; known: unavailable"),
        ("exchange.faults.rejects=1001", "exchange.faults.rejects: expected a whole number from 0 to 1000"),
        ("exchange.taker_bps=20000", "exchange.taker_bps: expected basis points from 0 to 10000"),
        ("exchange.script=[[['0.7','1'],['0.7','1']]]", r"exchange.script\[0\]: the shares .* here to 1.4"),
        ("exchange.script=[[['0.7','0']]]", r"exchange.script\[0\]: shares and factors must be above zero"),
        ("exchange.script=[[['1','1.2']]]", r"exchange.script\[0\]: .* no trade is beyond the limit"),
        ("exchange.commission=XYZ", 'exchange.commission: there is no asset "XYZ"'),
        ("exchange.limit=[{orders=5,period='0s'}]", r"exchange.limit\[0\].period: expected a duration of at least 1ms"),
        (
            "exchange.outage=[{at='1s',span='10s'},{at='5s',span='1s'}]",
            r"exchange.outage\[1\].at: begins at 5s, before the end of the one before it, 11s",
        ),
        (
            "exchange.outage=[{at='1s',span='0s'}]",
            r"exchange.outage\[0\].span: expected a duration of at least 1ms, got 0s",
        ),
        ("exchange.balance={AY='1'}", 'exchange.balance: there is no asset that the exchange holds "AY"'),
        ("desk.opening_balances={C1='1'}", 'desk.opening_balances: there is no asset that the exchange holds "C1"'),
        ("desk.opening_balances={AX='-1'}", "desk.opening_balances.AX: expected an amount such as"),
        (
            "exchange.transfer=[{at='1s', asset='AY', way='in', quantity='1'}]",
            r'exchange.transfer\[0\].asset: there is no asset that the exchange holds "AY" \(known: AX, AZ',
        ),
        (
            "exchange.transfer=[{at='1s', asset='AX', way='in', quantity='0'}]",
            r"exchange.transfer\[0\].quantity: expected an amount above zero, got 0",
        ),
        (
            "exchange.transfer=[{at='1s', asset='AX', way='up', quantity='1'}]",
            r"exchange.transfer\[0\].way: expected `in` or `out`|way: expected",
        ),
        ("desk.reconcile_retry=0s", "desk.reconcile_retry: expected a duration of at least 1ms"),
        ("desk.reconcile_interval=1us", "desk.reconcile_interval: every 1us is .* times in this run"),
        ("hop.first.poll=0s", 'hop "first": poll: expected a duration of at least 1ms'),
        ("hop.first.capacity=0", 'hop "first": capacity: expected an amount above zero'),
        ("hop.first.faults.lost_per_mille=-1", 'hop "first": faults.lost_per_mille: .*from 0 to 1000, got -1'),
        ("hop.first.destination=T1:D1:C1", 'hop "first": destination: leads from T1:D1:C1 to itself'),
        ("hop.back.source=T2:D2:C2", 'chain "1": payout: no hops lead from T3:D3:C3, where IX is paid, to T1:D1:C1'),
        ("index.IX.sources={'7'='T1:D1:C1'}", 'index "IX": sources: there is no chain "7"'),
        ("index.IX.sources={'1'='T9'}", 'index "IX": sources.1: there is no designation of a hop "T9"'),
        ("index.IX.target_price=0", 'index "IX": target_price: expected an amount above zero'),
        ("asset.AX.book={bids=[['90','1','2']], asks=[['100','1']]}", r'asset "AX": book.bids\[0\]: .* list of 3'),
        ("asset.AX.book={bids=[['-90','1']], asks=[['100','1']]}", r'asset "AX": book.bids\[0\]\[0\]: expected'),
        ("asset.AX.book={bids=[['90','0']], asks=[['100','1']]}", 'asset "AX": book.bids: prices and quant'),
        ("asset.AX.book.last=['0','1']", 'asset "AX": book.last: prices and quantities'),
        (f"asset.AX.flow={FLOW % '0s'}", 'asset "AX": flow.price: `tick` must be above zero'),
        (f"asset.AX.flow={FLOW % '1ns'}", 'asset "AX": flow.price.tick: expected a duration of at least 1ms'),
        (
            f"asset.AX.flow={FLOW % '1s'}".replace("quantity=", "levels=100, step_bps=200, quantity="),
            'asset "AX": flow: its last bid would be 19810 basis points below the price',
        ),
        ("user.alice.address='0xABC'", 'user "alice": address: expected 0x and 40 digits of hex in lower case'),
        ("user.alice.arrivals={fixed='1ns'}", 'user "alice": arrivals.fixed: expected a duration of at least 1ms'),
        ("user.alice.amount={min='0'}", 'user "alice": amount.min: must be above zero'),
        ("user.alice.sell_per_mille=2000", 'user "alice": sell_per_mille: expected a whole number'),
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
        (
            'do = "buy"\nuser = "alice"\norder = "C-01"\nindex = "IX"\namount',
            'do = "amend"\nuser = "alice"\norder = "C-02"\namount',
            r"step.*order: no step of alice gives \"C-02\" \(expected that of a step to buy or sell\)",
        ),
        ('user = "alice"\namount', 'user = "bob"\namount', r'"bob" \(did you mean|"bob"'),
        ('[[chain]]\nid = "1"', '[[chain]]\nid = "one"', 'chain "one": id: expected a chain id of up to 10 digits'),
        ('amount = "3521.0175"', "amount = 3521.0175", r"step\[0\].amount: 3521.0175 is a float"),
        ('amount = "3521.0175"', 'amount = "-1"', r"step\[0\].amount: expected an amount"),
        ('amount = "3521.0175"', 'amount = "0"', r"step\[0\].amount: must be above zero"),
        ('at = "3s"', "at = []", r"step\[1\].at: expected a duration"),
        ('token = "C1"', "", "collateral: `token` is missing"),
        ("[[chain]]", "[[chains]]", "unknown section `chains`.*did you mean `chain`"),
        ('[[user]]\nid = "alice"', f'[[user]]\nid = "bob"\n{ADDRESS}\n[[user]]\nid = "alice"', "is the address of"),
        ('[[hop]]\nname = "second"', '[[hop]]\nname = "first"', 'hop "first": this name is used twice'),
        (
            'name = "first"',
            'name = "first"\namount_min = "9"\namount_max = "3"',
            'hop "first": `amount_min` 9 is above `amount_max` 3',
        ),
        (
            'name = "first"',
            'name = "first"\nbridge = { confirmations = [] }',
            "hop `first`: confirmations must end with one step",
        ),
        (
            'name = "first"',
            'name = "first"\nbridge = { confirmations = [{ blocks = 1 }] }\nrelay = { relayers = [] }',
            'hop "first": relay.relayers: name at least one',
        ),
        (
            'symbol = "AX"',
            'symbol = "AX"\nquantity_min = "5"\nquantity_max = "1"',
            'asset "AX": `quantity_min` 5 is above `quantity_max` 1',
        ),
        ('symbol = "AZ"', 'symbol = "AX"', 'asset "AX": this symbol is used twice'),
        ("[[step]]", f"[[step]]\n{DELIST}\n[[step]]", r"step\[0\].deadline: 1s is not after the step, at 5s"),
        ("[[step]]", f"[[step]]\n{WEIGHTS}\nweights = {{}}\n[[step]]", r"step\[0\].weights: name at least one"),
        ("[[step]]", f"[[step]]\n{WEIGHTS}\nweights = {{AX = '0'}}\n[[step]]", r"step\[0\].weights.AX: must be above"),
        ("[[step]]", '[[solver]]\nid = "s1"\n[[step]]', "unknown section `solver`"),
        ("[desk.books]", "[desk.book]", "did you mean `books`"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load(changed(tmp_path, old, new))


def test_a_book_of_a_million_levels_is_refused_before_it_is_read(tmp_path: Path) -> None:
    levels = ", ".join(f'["{100 + number}", "20"]' for number in range(1_000_000))
    with pytest.raises(InputError, match="larger than 1048576 bytes"):
        load(changed(tmp_path, '["100", "20"]', levels))


def test_a_scenario_without_anything_to_trade_says_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text('[run]\nduration = "1s"\n[desk]\n[collateral]\ntoken = "C1"\n')
    with pytest.raises(InputError, match=r"it needs at least one \[\[asset\]\]"):
        load(path)


def test_zero_is_taken_where_it_means_never_or_none() -> None:
    assert loaded("desk.nav_interval=0s", "exchange.script_gap=0s", "desk.limits.asset_volley_step_size=0").hash


def test_mirrored_tables_have_the_defaults_of_the_settings() -> None:
    assert settings_of(ExecutionSection(), ExecutionSettings) == ExecutionSettings()
    given: dict[str, Any] = {"chains": {}, "destinations": {}, "hops": ()}
    wanted = CollateralSettings(token="USDC", **given)
    assert settings_of(CollateralSection(token="USDC"), CollateralSettings, **given) == wanted
    section = mirror(DeskSettings, "Section", without=("indexes", "assets"))
    assert settings_of(section(), DeskSettings) == DeskSettings()


def test_keys_lose_the_unit_that_their_values_have() -> None:
    assert [key_of(name) for name in ("tick_ns", "retry_ns_max", "max_levels")] == ["tick", "retry_max", "max_levels"]


def test_every_bound_is_of_a_key_that_there_is() -> None:
    known = {f"{path}.{key}" for kind, path in tables(DeskScenario) for key in keys(kind)}
    assert _OF.keys() <= known


def test_a_recorded_price_is_found_beside_the_file_that_names_it_and_hashed(tmp_path: Path) -> None:
    (tmp_path / "ax.csv").write_text("time,price\n0,100\n1,101\n")
    path = changed(tmp_path, 'symbol = "AX"', 'symbol = "AX"\nflow = {price={replay="ax.csv"}, quantity="1"}')
    before = load(path)
    assert isinstance(before.scenario, DeskScenario)
    flow = before.scenario.assets[0].flow
    assert flow is not None
    assert flow.price.replay == "ax.csv"
    assert flow.price.digest is not None
    (tmp_path / "further.toml").write_text('extends = "changed.toml"\n')
    assert load(tmp_path / "further.toml").hash == before.hash
    (tmp_path / "ax.csv").write_text("time,price\n0,100\n1,102\n")
    assert load(path).hash != before.hash


def test_a_walk_over_a_recorded_price_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "ax.csv").write_text("time,price\n0,100\n")
    path = changed(tmp_path, 'symbol = "AX"', 'symbol = "AX"\nflow = {price={replay="ax.csv"}, quantity="1"}')
    found = load(path, overrides=["asset.AX.flow.price.start=90"]).scenario
    assert isinstance(found, DeskScenario)
    flow = found.assets[0].flow
    assert flow is not None
    assert flow.price.start == Decimal(90)
    assert flow.price.replay is None
