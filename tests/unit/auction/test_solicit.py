"""From a sealed batch to an open auction: reservations, cancels, carried-over orders, validity."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.auction import solicit
from core.auction.facts import BatchCreated, OrderAdded, OrderReopened
from core.kernel.record import CancelTimer, Note, SetTimer
from core.market.ledger import Transferred
from core.market.orders import CancelRefused, OrderCancelled, OrderExpired, OrderFailed
from core.solver.protocol import BatchOpened, Offer
from tests.helpers.auction import BID_WINDOW, LIFETIME, PAIR, Rig, bid, cancel, noted, order, reported, told


def test_the_start_brings_every_balance_in_from_the_world() -> None:
    bench = Rig()
    assert sum(fact.amount for fact in bench.facts(Transferred) if fact.token == "ETH") == 2 * 1000 + 3 * 100
    assert {fact.src for fact in bench.facts(Transferred)} == {"world"}
    assert bench.balance("bond:s1", "USDC") == 25


def test_a_batch_reserves_inputs_and_is_offered_to_every_solver() -> None:
    bench = Rig()
    sell, buy = order(), order("O-2", "buy", owner="MM2")
    effects = bench.batch(1, sell, buy)
    assert effects[0] == Note(Transferred("ETH", Decimal(2), "user:MM1", "order:O-1", "reserve"))
    assert noted(effects, OrderAdded) == [OrderAdded(1, sell), OrderAdded(1, buy)]
    assert noted(effects, BatchCreated) == [BatchCreated(1, ("O-1", "O-2"), BID_WINDOW)]
    assert SetTimer("bids:1", BID_WINDOW) in effects
    offers = (
        Offer("O-1", "ETHUSDC", "sell", "ETH", "USDC", PAIR.lot, Decimal(2), Decimal("4000.00"), True),
        Offer("O-2", "ETHUSDC", "buy", "USDC", "ETH", PAIR.lot, Decimal("4000.00"), Decimal(2), True),
    )
    assert told(effects, BatchOpened) == [("", BatchOpened(1, 0, BID_WINDOW, offers))]
    assert bench.balance("order:O-2", "USDC") == 4000


def test_an_order_that_its_owner_cannot_fund_fails_and_the_others_go_on() -> None:
    bench = Rig()
    effects = bench.batch(1, order("O-1", quantity="1000.001"), order("O-2", owner="nobody"), order("O-3"))
    assert reported(effects) == [OrderFailed("O-1", "unfunded"), OrderFailed("O-2", "unfunded")]
    assert noted(effects, BatchCreated)[0].order_ids == ("O-3",)


def test_reserved_funds_cannot_back_a_second_order() -> None:
    effects = Rig().batch(1, order("O-1", quantity="600"), order("O-2", quantity="600"))
    assert reported(effects) == [OrderFailed("O-2", "unfunded")]


def test_a_cancel_in_the_batch_of_its_order_takes_it_out_and_returns_the_input() -> None:
    bench = Rig()
    effects = bench.batch(1, order(), cancel())
    assert reported(effects) == [OrderCancelled("O-1", "cancel-O-1")]
    assert not noted(effects, BatchCreated)
    assert bench.balance("user:MM1", "ETH") == 1000
    assert bench.auction.state.orders == {}


def test_a_cancel_before_its_order_in_the_batch_is_for_nothing() -> None:
    effects = Rig().batch(1, cancel(), order())
    assert reported(effects) == [CancelRefused("O-1", "cancel-O-1", "unknown_order")]
    assert noted(effects, BatchCreated)


def test_a_cancel_of_somebody_elses_order_is_for_nothing() -> None:
    assert reported(Rig().batch(1, order(), cancel(owner="MM2"))) == [
        CancelRefused("O-1", "cancel-O-1", "unknown_order")
    ]


def test_an_order_in_auction_or_promised_can_no_longer_be_cancelled() -> None:
    bench = Rig()
    bench.batch(1, order())
    bench.place("s1", bid("b1", "2000"))
    assert reported(bench.batch(2, cancel())) == [CancelRefused("O-1", "cancel-O-1", "too_late")]
    bench.advance(BID_WINDOW)
    assert reported(bench.batch(3, cancel())) == [CancelRefused("O-1", "cancel-O-1", "too_late")]


def test_an_order_without_bids_waits_for_the_next_batch_and_is_offered_again() -> None:
    bench = Rig()
    bench.batch(1, order())
    bench.advance(BID_WINDOW)
    assert bench.facts(OrderReopened) == [OrderReopened("O-1", "no_bid")]
    assert bench.timers == {"order:O-1": LIFETIME}
    effects = bench.batch(2, order("O-2"))
    assert noted(effects, BatchCreated)[0].order_ids == ("O-1", "O-2")
    assert CancelTimer("order:O-1") in effects


def test_a_waiting_order_can_be_cancelled() -> None:
    bench = Rig()
    bench.batch(1, order())
    bench.advance(BID_WINDOW)
    assert reported(bench.batch(2, cancel())) == [OrderCancelled("O-1", "cancel-O-1")]
    assert bench.timers == {}


def test_a_waiting_order_expires_at_its_validity_even_if_no_batch_comes() -> None:
    bench = Rig()
    bench.batch(1, order())
    bench.advance(LIFETIME - 1)
    assert not bench.facts(OrderExpired)
    bench.advance(LIFETIME)
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "validity")]
    assert bench.balance("user:MM1", "ETH") == 1000


def test_a_batch_at_the_instant_of_its_validity_finds_an_order_expired() -> None:
    bench = Rig()
    effects = bench.batch(1, order(valid_until=0))
    assert reported(effects) == [OrderExpired("O-1", "validity")]
    assert not noted(effects, BatchCreated)


def test_an_order_whose_validity_ends_during_the_auction_is_not_awarded() -> None:
    bench = Rig()
    bench.batch(1, order(valid_until=BID_WINDOW))
    bench.place("s1", bid("b1", "2000"))
    bench.advance(BID_WINDOW)
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "validity")]


def test_an_immediate_order_takes_part_in_one_auction_only() -> None:
    bench = Rig()
    bench.batch(1, order(immediate=True))
    bench.advance(BID_WINDOW)
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "no_bid")]


def test_a_batch_of_cancels_only_opens_no_auction() -> None:
    bench = Rig()
    bench.batch(1, cancel())
    assert bench.auction.state.books == {}
    assert bench.timers == {}


def test_what_does_not_fit_in_one_announcement_waits_with_its_validity_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solicit, "ORDERS_PER_AUCTION_MAX", 2)
    bench = Rig()
    bench.batch(1, order("O-1"), order("O-2"), order("O-3"))
    assert bench.facts(BatchCreated)[0].order_ids == ("O-1", "O-2")
    assert bench.timers["order:O-3"] == LIFETIME
    bench.batch(2)
    assert bench.facts(BatchCreated)[1].order_ids == ("O-3",)


def test_orders_that_nobody_wants_cannot_keep_others_out_of_the_auctions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solicit, "ORDERS_PER_AUCTION_MAX", 2)
    bench = Rig()
    bench.batch(1, order("O-1"), order("O-2"), order("O-3"))
    for height in (2, 3):
        bench.advance((height - 1) * BID_WINDOW)
        bench.batch(height)
    taken = [fact.order_ids for fact in bench.facts(BatchCreated)]
    assert taken == [("O-1", "O-2"), ("O-3", "O-1"), ("O-2", "O-3")]


def test_who_has_many_open_orders_gets_no_larger_share_of_an_auction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solicit, "ORDERS_PER_AUCTION_MAX", 3)
    bench = Rig()
    many = [order(f"O-{n}") for n in range(1, 6)]
    bench.batch(1, *many, order("O-8", owner="MM2"))
    for height in (2, 3):
        bench.advance((height - 1) * BID_WINDOW)
        bench.batch(height)
    taken = [fact.order_ids for fact in bench.facts(BatchCreated)]
    assert taken == [("O-1", "O-2", "O-8"), ("O-3", "O-4", "O-8"), ("O-5", "O-1", "O-8")]


def test_after_stop_open_orders_expire_and_new_ones_too() -> None:
    bench = Rig()
    bench.batch(1, order())
    bench.advance(BID_WINDOW)
    assert reported(bench.stop()) == [OrderExpired("O-1", "stopped")]
    effects = bench.batch(2, order("O-2"), order("O-3"), cancel("O-3"))
    assert reported(effects) == [OrderCancelled("O-3", "cancel-O-3"), OrderExpired("O-2", "stopped")]
    assert bench.balance("user:MM1", "ETH") == 1000
    assert bench.timers == {}


def test_after_stop_a_running_auction_still_ends_in_a_fill_or_an_expiry() -> None:
    bench = Rig()
    bench.batch(1, order("O-1"), order("O-2"))
    bench.stop()
    bench.place("s1", bid("b1", "2000"))
    bench.advance(BID_WINDOW)
    assert bench.facts(OrderExpired) == [OrderExpired("O-2", "no_bid")]
    bench.deposit("s1", "C-1", "4000")
    bench.advance(LIFETIME)
    assert bench.auction.state.orders == {}
    assert bench.balance("user:MM1", "USDC") == 1_004_000
