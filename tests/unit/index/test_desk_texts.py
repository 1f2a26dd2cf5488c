"""Names from outside that cannot be kept, because UTF-8 cannot write them or they have no end, get no further than the
door: whoever gives one is told, and the desk can be written down and taken up again at any time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.index.chain import ChainDeclined
from core.index.facts import ChainCallDeclined, WeightsRefused
from core.index.records import (
    AmendIndexOrder,
    CancelIndexOrder,
    CancelQuoteRequest,
    CuratorWeightsSet,
    DelistAsset,
    IndexOrderAccepted,
    IndexOrderRejected,
    IndexQuoteRejected,
    IndexRequestRefused,
    IndexTokensDeposited,
    NewIndexOrder,
    NewQuoteRequest,
    TokensRefused,
)
from core.kernel.codec import encode
from core.kernel.record import Record, Reply
from tests.helpers.index_desk import ALICE, DeskRig, ready_rig

D = Decimal
GOOD = (("user", ALICE), ("client", "C-1"), ("symbol", "IX"))
BAD = ["\ud800", "C-\udfff", "x" * 257]


@pytest.fixture
def rig() -> DeskRig:
    """A desk that is written down and taken up again before every event, and whose effects are written down."""
    one = ready_rig()
    one.restarts, check = True, one.after

    def write() -> None:
        check()
        encode(one.effects[-1])
        one.desk.snapshot()

    one.after = write
    return one


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["user", "client", "symbol"])
def test_orders_and_quotes_by_such_names_are_rejected(rig: DeskRig, bad: str, field: str) -> None:
    user, client_id, symbol = (bad if field == name else good for name, good in GOOD)
    rig.tell(NewIndexOrder(user, client_id, symbol, "buy", D(100)))
    rig.tell(NewQuoteRequest(user, client_id, symbol, "buy", D(100)))
    rig.run(30)
    reason = "invalid_symbol" if field == "symbol" else "invalid_id"
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == [reason]
    assert [fact.reason for fact in rig.facts(IndexQuoteRejected)] == [reason]
    assert rig.facts(IndexOrderAccepted) == []


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("names", [("bad", "C-1"), (ALICE, "bad")])
def test_nothing_is_known_by_such_names(rig: DeskRig, bad: str, names: tuple[str, str]) -> None:
    rig.order("C-1", "100")
    user, client_id = (name.replace("bad", bad) for name in names)
    rig.tell(AmendIndexOrder(user, client_id, D(50)))
    rig.tell(CancelIndexOrder(user, client_id))
    rig.tell(CancelQuoteRequest(user, client_id))
    assert [fact.reason for fact in rig.facts(IndexRequestRefused)] == ["unknown_order"] * 2
    assert [fact.reason for fact in rig.facts(IndexQuoteRejected)] == ["unknown_quote"]


@pytest.mark.parametrize("bad", BAD)
def test_weights_and_delistings_of_what_is_called_so_are_refused(rig: DeskRig, bad: str) -> None:
    said: list[Record] = [
        CuratorWeightsSet(bad, (("AX", D(1)),)),
        CuratorWeightsSet("IX", ((bad, D(1)),)),
        DelistAsset(bad, rig.now + 10**12),
    ]
    known = len(rig.facts(WeightsRefused))
    for each in said:
        rig.tell(each)
    assert [fact.reason for fact in rig.facts(WeightsRefused)][known:] == ["malformed"] * 3


@pytest.mark.parametrize("bad", BAD)
def test_tokens_of_whom_or_what_is_called_so_are_refused_and_nothing_is_asked_of_the_chain(
    rig: DeskRig, bad: str
) -> None:
    rig.tell(IndexTokensDeposited(bad, "IX", 0, D(1)), "chain")
    rig.tell(IndexTokensDeposited(ALICE, bad, 1, D(1)), "chain")
    assert [fact.reason for fact in rig.facts(TokensRefused)] == ["invalid_id"] * 2
    assert rig.desk.state.chain.calls == {}


@pytest.mark.parametrize("bad", BAD)
def test_what_the_chain_gives_as_a_reason_is_stated_as_far_as_it_can_be(rig: DeskRig, bad: str) -> None:
    rig.order("C-1", "900")
    rig.chain_refuses = 10**6
    rig.run(30)
    (key,) = (key for key in rig.desk.state.chain.calls if key.startswith("mint:"))
    rig.deliver(Reply(f"chain:1:{key}", ChainDeclined(bad)))
    [fact] = rig.facts(ChainCallDeclined)
    assert fact.key == key
