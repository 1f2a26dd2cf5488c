"""Two markets that never ran: a small one told by hand, and a large one drawn from a seed."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from core.auction.facts import (
    BidRejected,
    BidSelected,
    BidWithdrawn,
    OrderReassigned,
    OrderReopened,
)
from core.kernel.record import Record
from core.market.ledger import WORLD
from core.market.orders import CancelOrder, Order, OrderCancelled, Side
from core.sequencer.facts import CancelSequenced, OrderRefused
from sim.results.facts import Noted
from tests.unit.results.stories import Deal, Story


class Hello(Record, frozen=True):
    """A fact that no table knows."""

    order_id: str
    height: str


def small_market() -> list[Noted]:
    """A default and reassignment, a partial fill, a cancel, refusals, an order left open: in 2.4 seconds."""
    story = Story()
    for account, token, amount in (
        ("user:MM1", "ETH", "50"),
        ("user:MM2", "USD", "50000"),
        ("solver:s1", "USD", "90000"),
        ("solver:s1", "ETH", "90"),
        ("solver:s2", "USD", "90000"),
        ("bond:s2", "USD", "1000"),
    ):
        story.move(token, Decimal(amount), WORLD, account, "funding")
    story.at(20)
    first = story.order("MM1", "a-1", "sell", "2", "2000")
    story.at(120)
    second = story.order("MM2", "b-1", "buy", "10", "2010")
    story.say("sequencer", _off_tick())
    story.at(300)
    third = story.order("MM1", "a-2", "sell", "1", "2050")
    story.at(400)
    story.order("MM1", "a-3", "sell", "1", "2900")
    story.say("maker", Hello("O-1", "tall"), node="MM1")
    story.at(500)
    story.seal(1, 0, [first, second, third, story.orders["O-4"]])
    _bid_in_small_market(story)
    _fulfil_small_market(story)
    return story.notes


def _off_tick() -> OrderRefused:
    return OrderRefused(
        owner="MM2",
        cl_ord_id="b-2",
        reason="price_off_tick",
        text="price 2010.003 is not on tick 0.01",
        symbol="ETH-USD",
        side="buy",
        quantity=Decimal(3),
        limit_price=Decimal("2010.003"),
    )


def _bid_in_small_market(story: Story) -> None:
    first, second, third = (story.orders[f"O-{n}"] for n in (1, 2, 3))
    story.at(560)
    story.bid(1, "s1-1", first, "2001")
    story.bid(1, "s1-2", second, "0.000498")
    story.at(580)
    story.bid(1, "s2-1", first, "2004")
    story.say("auction", BidRejected(1, "s2", "s2-2", "O-2", "unfunded", Decimal(20100), Decimal("0.0005")))
    story.at(600)
    story.bid(1, "s1-3", first, "2003", replaces="s1-1")
    story.bid(1, "s2-3", third, "2051")
    story.bid(1, "s3-1", first, "2003.5")
    story.at(620)
    story.say("auction", BidWithdrawn(1, "s2", "s2-3", "O-3"))
    story.at(650)
    story.say("sequencer", CancelSequenced(5, CancelOrder("O-3", "MM1", "a-4")))
    story.at(700)
    story.say("auction", BidSelected(1, "O-1", "s2", "s2-1", "first_price", 3))
    story.award(Deal("C-1", 1, first, "s2", "s2-1", Decimal(2), Decimal(4008)))
    story.say("auction", BidSelected(1, "O-2", "s1", "s1-2", "first_price", 1))
    story.award(Deal("C-2", 1, second, "s1", "s1-2", Decimal(12048), Decimal(6)))


def _fulfil_small_market(story: Story) -> None:
    first, second, third = (story.orders[f"O-{n}"] for n in (1, 2, 3))
    failed = Deal("C-1", 1, first, "s2", "s2-1", Decimal(2), Decimal(4008))
    partial = Deal("C-2", 1, second, "s1", "s1-2", Decimal(12048), Decimal(6))
    rescue = Deal("C-3", 1, first, "s1", "s1-3", Decimal(2), Decimal(4006))
    story.at(730)
    story.deposit(partial)
    story.at(950)
    story.settle(partial, leaves="4")
    story.say("auction", OrderReopened("O-2", "part_filled"))
    story.default(failed, "100")
    story.say("auction", BidRejected(1, "s3", "s3-1", "O-1", "unfunded", Decimal(2), Decimal("2003.5")))
    story.award(rescue, attempt=2)
    story.say("auction", OrderReassigned("O-1", "s2", "s1", 2))
    story.at(980)
    story.deposit(rescue)
    story.at(1000)
    story.release(third)
    story.say("auction", OrderCancelled("O-3", "a-4"))
    story.seal(2, 500, [], carried=[second, story.orders["O-4"]])
    story.at(1200)
    story.settle(rescue)
    story.at(1250)
    story.expire(second, "no_bid")
    story.at(2400)
    story.order("MM2", "b-3", "buy", "1", "1990")


def large_market(orders: int, seed: int = 1) -> list[Noted]:
    """Orders at random over 30 s, three bids each, some defaults, some that nobody wants, FIX traffic."""
    story, random = Story(), Random(seed)
    for owner in ("MM1", "MM2", "MM3"):
        story.move("ETH", Decimal(10**6), WORLD, f"user:{owner}", "funding")
        story.move("USD", Decimal(10**9), WORLD, f"user:{owner}", "funding")
    for solver in ("s1", "s2", "s3", "s4"):
        story.move("ETH", Decimal(10**6), WORLD, f"solver:{solver}", "funding")
        story.move("USD", Decimal(10**9), WORLD, f"solver:{solver}", "funding")
        story.move("USD", Decimal(10**6), WORLD, f"bond:{solver}", "funding")
    arrivals = sorted(random.uniform(0, 30_000) for _ in range(orders))
    position = 0
    for height in range(1, 61):
        batch = []
        while position < orders and arrivals[position] < 500 * height:
            story.at(arrivals[position])
            position += 1
            batch.append(_random_order(story, random, position))
        story.at(500 * height)
        story.seal(height, 500 * (height - 1), batch)
        _auction(story, random, height, batch)
    return story.notes


def _random_order(story: Story, random: Random, n: int) -> Order:
    side: Side = "buy" if random.random() < 0.5 else "sell"
    limit = 2000 + random.gauss(4, 3) * (1 if side == "buy" else -1)
    return story.order(
        f"MM{random.randint(1, 3)}", f"c-{n}", side, f"{random.expovariate(1) + 0.01:.2f}", f"{limit:.2f}"
    )


def _auction(story: Story, random: Random, height: int, batch: list[Order]) -> None:
    bids: dict[str, list[tuple[Decimal, str, str]]] = {order.order_id: [] for order in batch}
    start = 500 * height
    for solver, speed in (("s1", 20), ("s2", 45), ("s3", 70), ("s4", 150)):
        story.at(start + speed)
        for order in batch:
            if random.random() < 0.75:
                bids[order.order_id] += _random_bid(story, random, height, f"{solver}-{order.order_id}", order)
    story.at(start + 200)
    deals = []
    for order in batch:
        if bids[order.order_id]:
            rate, solver, bid_id = max(bids[order.order_id])
            story.say("auction", BidSelected(height, order.order_id, solver, bid_id, "first_price", 2))
            deals.append(Deal(f"C-{order.order_id}", height, order, solver, bid_id, *_terms(order, rate)))
            story.award(deals[-1])
        else:
            story.expire(order, "no_bid")
    story.at(start + 230)
    paid = [deal for deal in deals if deal.solver != "s4" or random.random() < 0.7]
    for deal in paid:
        story.deposit(deal)
    story.at(start + 450)
    for deal in deals:
        if deal in paid:
            story.settle(deal)
        else:
            story.default(deal, "10")
            story.expire(deal.order, "defaults")


def _random_bid(story: Story, random: Random, height: int, bid_id: str, order: Order) -> list[tuple[Decimal, str, str]]:
    solver = bid_id.partition("-")[0]
    price = Decimal(f"{2000 + random.gauss(1, 2) * (1 if order.side == 'buy' else -1):.2f}")
    if (price > order.limit_price) if order.side == "buy" else (price < order.limit_price):
        terms = (order.input_amount, price if order.side == "sell" else 1 / price)
        story.say("auction", BidRejected(height, solver, bid_id, order.order_id, "below_limit", *terms))
        return []
    rate = price if order.side == "sell" else 1 / price
    story.bid(height, bid_id, order, rate)
    return [(rate, solver, bid_id)]


def _terms(order: Order, rate: Decimal) -> tuple[Decimal, Decimal]:
    if order.side == "sell":
        return order.input_amount, (order.input_amount * rate).quantize(Decimal("0.01"))
    return (order.quantity / rate).quantize(Decimal("0.01")), order.quantity
