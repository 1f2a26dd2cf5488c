"""Keys change while a simulated market trades: every order has its end, and no key trades that may not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import sim
from core.errors import FactViolated, InputError
from core.identity.registrar import Registrar
from core.identity.registry import Maker
from core.maker import MarketMaker, Outcome
from sim.replay import replay_all
from sim.results.result import RunResult
from sim.simulation import Simulation
from sim.whatif.whatif import WhatIf

SCENARIO = Path(__file__).parents[2] / "scenarios" / "key_rotation.toml"


@pytest.fixture(scope="module")
def makers() -> dict[str, MarketMaker]:
    """Filled with the market makers of the run, by name."""
    return {}


@pytest.fixture(scope="module")
def result(makers: dict[str, MarketMaker]) -> RunResult:
    """The scenario, run once."""
    with pytest.MonkeyPatch.context() as patch:
        run = Simulation.run

        def kept(self: Simulation, watch: Any) -> bool:
            for name, node in self.nodes.items():
                maker = node.kernel.components.get("maker")
                if isinstance(maker, MarketMaker):
                    makers[name] = maker
            return run(self, watch)

        patch.setattr(Simulation, "run", kept)
        return sim.run(SCENARIO)


def facts(result: RunResult, kind: str, node: str = "venue") -> list[dict[str, Any]]:
    """The facts of one kind that a node has stated, in order."""
    notes = result.notes
    return [json.loads(detail) for detail in notes[(notes.kind == kind) & (notes.node == node)].detail]


def test_every_order_that_was_sent_has_its_end_but_those_of_who_was_revoked(
    result: RunResult, makers: dict[str, MarketMaker]
) -> None:
    for name in ("MM1", "MM2", "MM3"):
        counts = makers[name].state.counts
        ends = sum(counts[it] for it in (Outcome.FILLED, Outcome.REJECTED, Outcome.CANCELLED, Outcome.EXPIRED))
        assert counts[Outcome.SENT] == ends > 100, name
        assert counts[Outcome.REJECTED] == 0, name
    assert makers["MM4"].state.open, "who was revoked hears no more"


def test_who_changes_over_in_the_overlap_is_left_alone_and_who_does_not_is_logged_out(result: RunResult) -> None:
    complaints = {name: facts(result, "PeerComplained", name) for name in ("MM1", "MM2", "MM3", "MM4")}
    texts = {name: dict.fromkeys(it["text"] for it in said) for name, said in complaints.items()}
    assert [*texts["MM1"]] == ["MM1 is suspended"]
    assert [*texts["MM2"]] == ["This key was revoked", "Logon refused"]
    assert [*texts["MM3"]] == ["RawData is not a signature"]
    assert [*texts["MM4"]] == ["MM4 is revoked", "Logon refused"]


def test_each_refusal_has_its_reason(result: RunResult) -> None:
    reasons = Counter((it["comp_id"], it["reason"]) for it in facts(result, "LogonDenied"))
    assert set(reasons) == {("", "malformed_signature"), ("MM2", "revoked_key"), ("MM4", "revoked")}
    assert set(Counter(it["reason"] for it in facts(result, "OrderRefused"))) == {
        "quantity_not_permitted",
        "rate_exceeded",
    }


def test_it_is_the_same_every_time(result: RunResult) -> None:
    assert sim.run(SCENARIO).digest == result.digest != sim.run(SCENARIO, seed=2).digest


def test_a_registrar_that_accepts_revoked_keys_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Maker, "accepts", lambda *_: True)
    with pytest.raises(FactViolated, match="only accepted keys"):
        sim.run(SCENARIO)


def test_a_registrar_that_logs_nobody_out_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registrar, "_part", lambda *_: None)
    with pytest.raises(FactViolated, match=r"only accepted keys: .* (still logged on|may not trade)"):
        sim.run(SCENARIO)


def test_permissions_that_change_bind_what_arrives_from_then_on(tmp_path: Path) -> None:
    only_cancels = "{at='2s', do='permit', market_maker='MM4', permissions={msg_types=['F']}}"
    anything = "{at='3s', do='permit', market_maker='MM4', permissions={}}"
    result = sim.run(SCENARIO, out=tmp_path, overrides=[f"identity.step=[{only_cancels}, {anything}]"])
    opened = int(result.notes.time.iloc[0].value)
    notes = result.notes[result.notes.node == "venue"]

    def seconds(kind: str, owner: str, reason: str = "") -> list[float]:
        """When that was stated of somebody, in seconds from the opening."""
        said = notes[
            (notes.kind == kind) & notes.detail.str.contains(f'"owner":"{owner}"') & (notes.reason.fillna("") == reason)
        ]
        return [(int(time.value) - opened) / 10**9 for time in said.time]

    refused = seconds("OrderRefused", "MM4", "msg_type_not_permitted")
    assert len(refused) > 5
    assert all(2 <= at < 3 for at in refused)
    taken = seconds("OrderSequenced", "MM4")
    assert any(at < 2 for at in taken)
    assert any(at > 3 for at in taken)
    assert not any(2 <= at < 3 for at in taken)
    assert any(2 <= at < 3 for at in seconds("OrderSequenced", "MM1"))
    assert result.dir is not None
    assert {found.node for found in replay_all(result.dir)} >= {"venue", "MM4"}
    assert WhatIf(result.dir, ["auction.rule=first_price"]).baseline().digest


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("identity.step=[{at='1s', do='suspend', market_maker='MM9'}]", 'there is no market maker "MM9"'),
        ("identity.step=[{at='1s', do='stage', market_maker='MM1'}]", "`stage` needs the name of a key"),
        ("identity.step=[{at='1s', do='suspend', market_maker='MM1', key='x'}]", "`suspend` takes no key"),
        ("identity.step=[{at='1h', do='suspend', market_maker='MM1'}]", "1h is after the end of the run, 15s"),
        ("market_maker.MM4.key.permissions.symbols=['X']", 'there is no pair "X"'),
        ("identity.step=[{at='1s', do='permit', market_maker='MM1'}]", "`permit` needs a table of them; {} is no"),
        ("identity.step=[{at='1s', do='suspend', market_maker='MM1', permissions={}}]", "`suspend` takes none"),
        (
            "identity.step=[{at='1s', do='permit', market_maker='MM1', permissions={symbols=['X']}}]",
            'identity.step\\[0\\].permissions.symbols\\[0\\]: there is no pair "X"',
        ),
        ("identity.receive_window=0s", "must be above zero"),
    ],
)
def test_a_step_that_nobody_could_take_is_a_fault_of_the_scenario(override: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        sim.run(SCENARIO, overrides=[override])


def test_what_was_recorded_runs_again_and_so_it_does_with_somebody_replaced(tmp_path: Path) -> None:
    recorded = sim.run(SCENARIO, out=tmp_path)
    assert recorded.dir is not None
    whatif = WhatIf(recorded.dir, replaced=["MM1=intents"])
    baseline = whatif.baseline()
    assert baseline.digest
    comparison = whatif.compare(baseline)
    assert comparison.deliveries > 1_000


def test_the_replay_of_every_node_ends_at_its_digest(tmp_path: Path) -> None:
    recorded = sim.run(SCENARIO, out=tmp_path)
    assert recorded.dir is not None
    assert {found.node for found in replay_all(recorded.dir)} >= {"venue", "MM1", "MM2", "MM3", "MM4"}
