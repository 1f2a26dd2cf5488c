from __future__ import annotations

import json
from decimal import Decimal
from inspect import getmembers, isclass
from pathlib import Path

import pytest

import core.auction.facts
import core.market.orders
import core.sequencer.facts
from core.auction.facts import BidRejected, DepositReturned
from core.errors import InputError
from core.kernel.record import Record
from core.market.ledger import WORLD
from core.market.orders import (
    CancelOrder,
    OrderCancelled,
    OrderFilled,
    OrderReplaced,
    ReplaceOrder,
    ReplaceRefused,
)
from core.sequencer.facts import (
    CancelRequestRefused,
    CancelSequenced,
    ReplaceRequestRefused,
    ReplaceSequenced,
)
from core.solver.facts import AwardDecided
from sim.results.explain import as_rows, as_text, explain
from sim.results.result import RunResult, load
from sim.results.words import _WORDS
from tests.unit.results.markets import small_market
from tests.unit.results.stories import Deal, Story, manifest


def texts(result: RunResult, order: str) -> list[str]:
    return [line.text for line in explain(result, order).happenings]


def test_a_commitment_is_a_name_of_its_order(small: RunResult) -> None:
    assert texts(small, "C-3") == texts(small, "O-1")


def test_the_story_of_a_reassigned_order_has_every_decision_in_order(small: RunResult) -> None:
    told = texts(small, "O-1")
    for part in (
        "accepted as message 1: sell 2 ETH-USD at 2000 or better",
        "block 1 sealed with 4 messages (window)",
        "2 ETH moves from user:MM1 to order:O-1 (reserve)",
        "auction 1 opens with 4 orders; bids until +680.000 ms",
        "s1 bids 4002 USD for at most 2 ETH, at a price of 2001 (s1-1) and replaces it later",
        "s2 bids 4008 USD for at most 2 ETH, at a price of 2004 (s2-1) and wins, but does not pay",
        "s1 bids 4006 USD for at most 2 ETH, at a price of 2003 (s1-3) and takes over when s2 does not pay",
        "s3 bids 4007 USD for at most 2 ETH, at a price of 2003.5 (s3-1) and is passed over later",
        "s2 is first of 3 under first_price (s2-1)",
        "C-1 awarded to s2 (attempt 1): owes 4008 USD for 2 ETH until +880.000 ms",
        "C-1 defaulted: s2 did not pay; 100 of its bond is gone",
        "bid s3-1 of s3 at a price of 2003.5 does not count (unfunded)",
        "reassigned from s2 to s1 (attempt 2)",
        "s1 pays 4006 USD into escrow for C-3",
        "4006 USD moves from escrow:C-3 to user:MM1 (settle)",
        "filled 2 at 2003 by s1; 0 left",
    ):
        assert part in told, part
        told = told[told.index(part) + 1 :] if "awarded to s2" not in part else told


def test_a_bid_that_takes_over_and_is_not_paid_either_says_so() -> None:
    story = Story()
    sold = story.order("MM1", "x", "sell", "3", "100")
    for attempt, (solver, rate) in enumerate((("s1", "104"), ("s2", "103"), ("s3", "102")), 1):
        deal = Deal(f"C-{attempt}", 1, sold, solver, f"{solver}-b", Decimal(3), 3 * Decimal(rate))
        story.bid(1, deal.bid_id, sold, rate)
        story.award(deal, attempt)
        if solver != "s3":
            story.move("USD", Decimal(1), WORLD, f"bond:{solver}", "funding")
            story.default(deal, "1")
    told = texts(RunResult.of(manifest(), story.notes), "x")
    fates = [text.partition("-b) and ")[2] for text in told if " bids " in text]
    assert fates == [
        "wins, but does not pay",
        "takes over when s1 does not pay, and does not pay either",
        "takes over when s2 does not pay",
    ]


def test_a_refused_withdrawal_is_told_as_one() -> None:
    story = Story()
    story.order("MM1", "x", "sell", "3", "100")
    story.say("auction", BidRejected(1, "s1", "", "O-1", "late", None, None))
    assert texts(RunResult.of(manifest(), story.notes), "x")[-1] == "s1 cannot withdraw its bid (late)"


def test_other_orders_are_not_in_the_story(small: RunResult) -> None:
    story = explain(small, "O-1")
    assert not any("O-2" in line.text or "O-3" in line.text for line in story.happenings)
    assert [line.since for line in story.happenings] == sorted(line.since for line in story.happenings)


def test_an_order_is_found_by_its_clordid_its_owner_and_its_id(small: RunResult) -> None:
    assert explain(small, "a-2") == explain(small, "MM1/a-2") == explain(small, "O-3")
    assert texts(small, "O-3")[-1] == "cancelled on request a-4"


def test_a_refused_order_is_found_by_its_clordid(small: RunResult) -> None:
    assert texts(small, "b-2") == ["refused (price_off_tick): price 2010.003 is not on tick 0.01"]
    assert "refused (price_off_tick)" in as_text(explain(small, "b-2"))


def test_an_unknown_order_names_its_neighbours(small: RunResult) -> None:
    with pytest.raises(InputError, match=r"session `a-22` in this run \(did you mean .*a-2"):
        explain(small, "a-22")
    with pytest.raises(InputError) as caught:
        explain(small, "zzz")
    assert caught.value.message == "no order, commitment or session `zzz` in this run"
    assert caught.value.hint.startswith("there are orders O-1 to O-")


def test_a_clordid_of_two_owners_asks_which() -> None:
    story = Story()
    for owner in ("MM1", "MM2"):
        story.order(owner, "x", "sell", "1", "100")
    result = RunResult.of(manifest(), story.notes)
    with pytest.raises(InputError, match=r"`x` is an order of 2 owners \(say MM1/x or MM2/x\)"):
        explain(result, "x")
    assert explain(result, "MM2/x").order["order_id"] == "O-2"


def test_requests_that_name_only_the_clordid_are_in_the_story() -> None:
    story = Story()
    story.order("MM1", "x", "sell", "1", "100")
    story.say("sequencer", CancelRequestRefused("MM1", "y", "x", "too_late", "in an auction"))
    story.say("sequencer", CancelRequestRefused("MM2", "y", "x", "unknown_order", "no such order"))
    assert texts(RunResult.of(manifest(), story.notes), "x")[1:] == [
        "cancel request y refused (too_late): in an auction"
    ]


def test_a_directory_tells_the_same_story(small: RunResult, written: Path) -> None:
    assert explain(load(written), "O-2") == explain(small, "O-2")


def test_text_is_aligned_under_a_headline(small: RunResult) -> None:
    head, _, *lines = as_text(explain(small, "O-1")).splitlines()
    assert head.startswith(
        "O-1 (ClOrdID a-1 of MM1): filled after 1,180.000 ms; 2 of 2 traded at 2,003 on average, 15.00"
    )
    assert {line.index(" ms  ") for line in lines} == {14}
    assert lines[-1] == "    +1,180.000 ms  venue/auction    filled 2 at 2003 by s1; 0 left"


def test_text_has_no_control_characters_of_a_peer() -> None:
    story = Story()
    story.order("MM1", "x\x1b[2J\n", "sell", "1", "100")
    assert "ClOrdID x?[2J? of MM1" in as_text(explain(RunResult.of(manifest(), story.notes), "O-1"))


def test_rows_are_plain_json_with_the_whole_fact(small: RunResult) -> None:
    rows = json.loads(json.dumps(as_rows(explain(small, "O-1"))))
    created = next(row for row in rows if row["kind"] == "CommitmentCreated")
    assert (created["node"], created["component"], created["since"]) == ("venue", "auction", 680_000_000)
    assert created["fact"]["min_output"] == "4008"


def test_long_prices_and_decisions_are_readable() -> None:
    story = Story()
    sold = story.order("MM1", "x", "sell", "3", "100")
    terms = ("O-1", "F-1", "C-1", "s1", 1, Decimal(3), Decimal(1000) / 3, Decimal(3), Decimal(1000), Decimal(0))
    story.bid(1, "s1-b", sold, "333")
    story.award(Deal("C-1", 1, sold, "s1", "s1-b", Decimal(3), Decimal(1000)))
    story.say("solver", AwardDecided("s1", "C-1", pays=False), node="s1")
    story.say("auction", OrderFilled(*terms))
    told = texts(RunResult.of(manifest(), story.notes), "x")
    assert told[-2:] == ["s1 decides whether to pay for C-1: no", "filled 3 at 333.3333333 by s1; 0 left"]


def test_a_fact_without_words_is_spelled_out(small: RunResult) -> None:
    assert "Hello order_id=O-1 height=tall" in texts(small, "O-1")


REPLACING = {"ReplaceSequenced", "ReplaceRequestRefused", "OrderReplaced", "ReplaceRefused"}


def test_an_order_that_is_replaced_and_left_behind_has_its_story() -> None:
    story = Story()
    story.order("MM1", "x", "sell", "3", "100")
    wanted = ReplaceOrder("O-1", "MM1", "y", Decimal(2), Decimal(110))
    story.say("sequencer", ReplaceSequenced(2, wanted))
    terms = (Decimal(2), Decimal(110), Decimal(2), Decimal(2), Decimal(220))
    story.say("auction", OrderReplaced("O-1", "y", *terms))
    story.say("sequencer", ReplaceRequestRefused("MM1", "z", "x", "too_late", "it goes by another name"))
    story.say("auction", ReplaceRefused("O-1", "z", "unfunded"))
    story.say("sequencer", CancelSequenced(3, CancelOrder("O-1", "MM1", "", standing=True)))
    story.say("auction", OrderCancelled("O-1", ""))
    result = RunResult.of(manifest(), story.notes)
    told = explain(result, "x")
    assert {line.kind for line in told.happenings} >= REPLACING
    assert [line.text for line in told.happenings][1:] == [
        "request y for 2 at 110 takes its place as message 2",
        "replaced on request y: 2 at 110, 2 left",
        "request z to replace it refused (too_late): it goes by another name",
        "request z to replace it comes to nothing (unfunded)",
        "its owner's session was lost: the venue's cancel takes its place as message 3",
        "cancelled, as its owner's session was lost",
    ]
    assert (told.order["quantity"], told.order["limit_price"]) == (Decimal(2), Decimal(110))


def test_every_fact_about_an_order_has_words_that_fit_its_fields() -> None:
    facts = [
        fact
        for module in (core.auction.facts, core.sequencer.facts, core.market.orders)
        for name, fact in getmembers(module, isclass)
        if issubclass(fact, Record) and fact.__module__ == module.__name__ and name in _WORDS
    ]
    assert len(facts) >= 22
    told = {line.kind for order in ("O-1", "O-2", "O-3", "b-2") for line in explain(_all_kinds(), order).happenings}
    assert (
        told >= {fact.__name__ for fact in facts} - {"OrderFailed", "CancelRequestRefused", "CancelRefused"} - REPLACING
    )


def _all_kinds() -> RunResult:
    story = Story()
    story.notes = small_market()
    story.say("auction", DepositReturned("C-1", "s2", story.ledger.balance("a", "b"), "late"))
    return RunResult.of(manifest(), story.notes)
