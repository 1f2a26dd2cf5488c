from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.auction.facts import BidRejected, CommitmentCreated
from core.market.orders import OrderFailed
from sim.results.rows import TABLES
from sim.results.tables import build_tables
from tests.unit.results.markets import large_market, small_market
from tests.unit.results.stories import BEGAN, Deal, Story

MS = 1_000_000


def rows(name: str, story: Story | None = None) -> list[dict[str, Any]]:
    """A table of the small market, or of a story, as plain rows with times in ns."""
    notes = small_market() if story is None else story.notes
    found: list[dict[str, Any]] = build_tables(notes)[name].to_pylist()
    return [{key: getattr(value, "value", value) for key, value in row.items()} for row in found]


def order(order_id: str) -> dict[str, Any]:
    return next(row for row in rows("orders") if row["order_id"] == order_id)


def test_every_order_has_its_final_status_and_reason() -> None:
    found = [(row["order_id"], row["cl_ord_id"], row["status"], row["reason"]) for row in rows("orders")]
    assert found == [
        ("O-1", "a-1", "filled", None),
        ("O-2", "b-1", "expired", "no_bid"),
        (None, "b-2", "refused", "price_off_tick"),
        ("O-3", "a-2", "cancelled", None),
        ("O-4", "a-3", "open", None),
        ("O-5", "b-3", "open", None),
    ]


def test_a_sell_that_was_reassigned_counts_bids_attempts_and_surplus_in_quote() -> None:
    row = order("O-1")
    assert (row["bids"], row["attempts"], row["height"], row["global_seq"]) == (4, 2, 1, 1)
    assert (row["filled_quantity"], row["average_price"]) == (2, 2003)
    assert row["surplus_quote"] == (2003 - 2000) * 2
    assert row["surplus_bps"] == pytest.approx(15)
    assert row["created_time"] == BEGAN + 20 * MS
    assert row["time_to_end_ns"] == row["ended_time"] - row["created_time"] == 1180 * MS


def test_a_buy_that_traded_in_part_saves_quote_on_the_traded_part_alone() -> None:
    row = order("O-2")
    assert (row["quote_token"], row["sell_token"], row["buy_token"]) == ("USD", "USD", "ETH")
    assert (row["filled_quantity"], row["average_price"]) == (6, 2008)
    assert row["surplus_quote"] == (2010 - 2008) * 6
    assert row["surplus_bps"] == pytest.approx(10_000 * 2 / 2010)


def test_a_refused_order_has_the_terms_that_its_owner_wrote_and_none_that_follow() -> None:
    row = next(row for row in rows("orders") if row["status"] == "refused")
    assert (row["owner"], row["symbol"], row["side"], row["quantity"]) == ("MM2", "ETH-USD", "buy", 3)
    assert row["limit_price"] == Decimal("2010.003")
    assert {row[name] for name in ("sell_token", "input_amount", "min_output", "height", "global_seq")} == {None}
    assert (row["filled_quantity"], row["surplus_quote"], row["time_to_end_ns"]) == (0, 0, 0)


def test_two_fills_give_the_average_price_weighted_by_quantity() -> None:
    story = Story()
    for account, token in (("user:MM1", "ETH"), ("solver:s1", "USD")):
        story.move(token, Decimal(100_000), "world", account, "funding")
    sold = story.order("MM1", "a", "sell", "4", "100")
    story.seal(1, 0, [sold])
    for height, given_, taken, leaves in ((1, 1, 104, "3"), (2, 3, 300, "0")):
        deal = Deal(f"C-{height}", height, sold, "s1", f"s1-{height}", Decimal(given_), Decimal(taken))
        story.bid(height, f"s1-{height}", sold, "104")
        story.award(deal)
        story.deposit(deal)
        story.settle(deal, leaves)
    (row,) = rows("orders", story)
    assert (row["status"], row["average_price"], row["surplus_quote"]) == ("filled", 101, 4)


def test_an_order_that_fails_to_enter_an_auction_says_why_and_has_no_height() -> None:
    story = Story()
    story.order("MM1", "a", "sell", "1", "100")
    story.say("auction", OrderFailed("O-1", "unfunded"))
    (row,) = rows("orders", story)
    assert (row["status"], row["reason"], row["height"]) == ("failed", "unfunded", None)


def test_every_bid_has_its_fate() -> None:
    found = {row["bid_id"]: (row["status"], row["reason"], row["won"]) for row in rows("bids")}
    assert found == {
        "s1-1": ("replaced", None, False),
        "s1-2": ("received", None, True),
        "s1-3": ("received", None, True),
        "s2-1": ("received", None, True),
        "s2-2": ("rejected", "unfunded", False),
        "s2-3": ("withdrawn", None, False),
        "s3-1": ("passed_over", "unfunded", False),
    }


def test_margins_are_output_per_input_over_the_limit_for_both_sides() -> None:
    margins = {row["bid_id"]: row["margin_bps"] for row in rows("bids")}
    assert margins["s2-1"] == pytest.approx(20)
    assert margins["s1-2"] == pytest.approx(10_000 * (0.000498 * 2010 - 1))
    assert margins["s2-2"] == pytest.approx(10_000 * (0.0005 * 2010 - 1))


def test_a_bid_that_does_not_count_keeps_its_terms_whatever_it_was_for() -> None:
    story = Story()
    story.order("MM1", "a", "sell", "1", "100")
    for order_id, amount in (("O-1", Decimal("0.5")), ("O-9", Decimal("1e50"))):
        story.say("auction", BidRejected(1, "s1", f"s1-{order_id}", order_id, "invalid", amount, Decimal(99)))
    known, unknown = rows("bids", story)
    assert (known["max_input"], known["conversion_rate"], known["min_output"]) == (Decimal("0.5"), 99, None)
    assert known["margin_bps"] == pytest.approx(-100)
    assert (unknown["max_input"], unknown["conversion_rate"], unknown["margin_bps"]) == (None, 99, None)


def test_a_refused_withdrawal_is_no_bid_and_a_repeated_bid_id_is_a_row_of_its_own() -> None:
    story = Story()
    sold = story.order("MM1", "a", "sell", "1", "100")
    story.bid(1, "s1-x", sold, "101")
    withdrawal = BidRejected(1, "s1", "", "O-1", "late", None, None)
    story.say("auction", withdrawal, BidRejected(1, "s1", "s1-x", "O-1", "duplicate_bid_id", Decimal(1), Decimal(102)))
    assert [(row["bid_id"], row["status"]) for row in rows("bids", story)] == [
        ("s1-x", "received"),
        ("s1-x", "rejected"),
    ]


def test_the_same_bid_id_in_another_batch_is_another_bid() -> None:
    story = Story()
    sold = story.order("MM1", "a", "sell", "1", "100")
    for height in (1, 2):
        story.bid(height, "s1-x", sold, "101")
    story.say("auction", CommitmentCreated("C-1", 2, "O-1", "s1", "s1-x", Decimal(1), Decimal(101), 0, 1))
    assert [row["won"] for row in rows("bids", story)] == [False, True]


def test_commitments_tell_their_lives() -> None:
    found = {row["commitment_id"]: row for row in rows("commitments")}
    assert [(key, row["status"], row["attempt"]) for key, row in found.items()] == [
        ("C-1", "defaulted", 1),
        ("C-2", "settled", 1),
        ("C-3", "settled", 2),
    ]
    assert (found["C-1"]["penalty"], found["C-1"]["deposited_time"], found["C-1"]["output_amount"]) == (100, None, None)
    rescue = found["C-3"]
    times = [rescue[name] - BEGAN for name in ("awarded_time", "deposited_time", "deadline", "ended_time")]
    assert times == [950 * MS, 980 * MS, 1150 * MS, 1200 * MS]
    assert (rescue["output_amount"], rescue["penalty"]) == (4006, None)


def test_blocks_carry_their_hashes_and_the_size_of_their_auction() -> None:
    first, second = rows("blocks")
    assert second["previous_hash"] == first["hash"] == f"{1:064x}"
    assert (first["messages"], first["auctioned"], first["trigger"], first["lateness_ns"]) == (4, 4, "window", MS)
    assert (second["messages"], second["auctioned"]) == (0, 2)


def test_fills_carry_their_share_of_the_surplus() -> None:
    found = {row["order_id"]: row for row in rows("fills")}
    assert (found["O-1"]["surplus_quote"], found["O-1"]["commitment_id"]) == (6, "C-3")
    assert (found["O-2"]["surplus_quote"], found["O-2"]["leaves_quantity"]) == (12, 4)


def test_notes_name_what_they_are_about_wherever_the_fact_hides_it() -> None:
    found = {(row["kind"], row["order_id"], row["commitment_id"], row["height"]) for row in rows("notes")}
    assert ("OrderSequenced", "O-1", None, None) in found
    assert ("OrderAdded", "O-1", None, 1) in found
    assert ("CancelSequenced", "O-3", None, None) in found
    assert ("BlockSealed", None, None, 2) in found
    assert ("Transferred", None, "C-2", None) in found
    assert ("Transferred", "O-2", None, None) in found


def test_a_fact_that_nothing_here_knows_is_in_the_notes_with_what_fits_the_columns() -> None:
    row = next(row for row in rows("notes") if row["kind"] == "Hello")
    assert (row["node"], row["component"], row["order_id"], row["height"]) == ("MM1", "maker", "O-1", None)
    assert row["detail"] == '{"type":"Hello","order_id":"O-1","height":"tall"}'


def test_a_run_without_facts_has_every_table_with_its_schema() -> None:
    empty, full = build_tables([]), build_tables(small_market())
    assert list(empty) == list(TABLES)
    assert all(empty[name].num_rows == 0 for name in TABLES)
    assert all(empty[name].schema.equals(full[name].schema, check_metadata=True) for name in TABLES)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(0, 80))
def test_tables_agree_with_each_other(seed: int, size: int) -> None:
    tables = {name: table.to_pylist() for name, table in build_tables(large_market(size, seed)).items()}
    orders, fills, bids, commitments = (tables[name] for name in ("orders", "fills", "bids", "commitments"))
    assert len(orders) == size
    for row in orders:
        own = [fill for fill in fills if fill["order_id"] == row["order_id"]]
        assert row["filled_quantity"] == sum(fill["quantity"] for fill in own)
        assert row["surplus_quote"] == sum(fill["surplus_quote"] for fill in own)
        assert row["attempts"] == sum(c["order_id"] == row["order_id"] for c in commitments)
        assert row["status"] != "open"
        assert (row["status"] == "filled") == (row["filled_quantity"] == row["quantity"])
    assert sum(bid["won"] for bid in bids) == len(commitments)
    assert sum(row["bids"] for row in orders) == sum(bid["status"] != "rejected" for bid in bids)
    held: dict[str, Decimal] = {}
    for move in tables["escrow"]:
        held[move["src"]] = held.get(move["src"], Decimal(0)) - move["amount"]
        held[move["dst"]] = held.get(move["dst"], Decimal(0)) + move["amount"]
    assert all(amount == 0 for account, amount in held.items() if account.startswith(("order:", "escrow:")))
