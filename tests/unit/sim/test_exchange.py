"""The simulated exchange keeps the contract, and breaks it only where it is told to."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from msgspec import structs

from core.execution.facts import ExchangeLost, ExchangeReached
from core.execution.records import AssetHeld, AssetOrderEnded, BalancesReported, BalancesWanted
from core.execution.settings import ExecutionSettings
from core.kernel.rng import stream
from core.market.exchange import Balance, Instrument, PlaceExchangeOrder, RateLimit, TimeInForce
from core.market.matching import Market
from core.market.prices import PriceType
from core.units import EXACT, MILLISECOND, SECOND, is_number
from sim.exchange_desk import OrderDesk
from sim.exchange_models import ExchangeModel, Faults, Outage, Script, ScriptedFill, Transfer
from sim.latency import Constant, Uniform
from tests.helpers.effort import calls_of
from tests.helpers.exchange import AX, AZ, Bench, market, order, still

D = Decimal
GTC = ExecutionSettings(time_in_force=TimeInForce.GTC)


def model(**changes: Any) -> ExchangeModel:
    """Asks of 20 at 100 and 30 at 110, and everything as it should be."""
    changes.setdefault("markets", (still(AX, (100, 20), (110, 30)),))
    return ExchangeModel(**changes)


def test_an_order_takes_what_the_book_has_at_its_limit_and_the_rest_expires() -> None:
    bench = Bench(model())
    bench.place(SECOND, "B-1", order("O-1", "buy", "105", "25"))
    bench.run(2 * SECOND)
    bench.audit()
    (fill,) = bench.fills("O-1")
    assert (fill.price, fill.quantity, fill.fee) == (D(100), D(20), D(2))
    ended = bench.end("O-1")
    assert (ended.reason, ended.cancelled_quantity) == ("expired", D(5))
    assert bench.desk.state.ended_at["O-1"] == SECOND + 2 * MILLISECOND


def test_the_books_that_are_published_are_those_that_match() -> None:
    bench = Bench(ExchangeModel(markets=(market(AX, 100), market(AZ, 300)), latency=Uniform(0, 50 * MILLISECOND)))
    for n in range(20):
        bench.place(n * SECOND + 1, f"B-{n}", order(f"O-{n}", "buy", "101", "2"))
    bench.run(25 * SECOND + 500 * MILLISECOND)
    bench.audit()
    for symbol, there in bench.exchange.markets.items():
        here = bench.desk.state.books.book(symbol)
        assert here is not None
        assert here == there.book
        assert bench.desk.state.books.price(25 * SECOND, symbol, PriceType.LAST_TRADE) is not None


def test_books_are_mended_after_an_outage_and_after_lost_messages() -> None:
    outages = (Outage(5 * SECOND, 10 * SECOND),)
    faults = Faults(lost_messages=200, lost_replies=300, lost_requests=100)
    bench = Bench(ExchangeModel(markets=(market(AX, 100),), faults=faults, outages=outages), seed=3)
    fresh = 0
    for second in range(1, 61):
        bench.run(second * SECOND + SECOND // 2)
        here, there = bench.desk.state.books, bench.exchange.markets[AX.symbol]
        if here.is_fresh(int(bench.env.now), AX.symbol):
            book = here.book(AX.symbol)
            assert book is not None
            assert not book.is_crossed
            fresh += book == there.book
    assert fresh > 10


def test_an_outage_interrupts_market_data_and_then_also_a_quiet_book_is_asked_for() -> None:
    outage = Outage(5 * SECOND, 10 * SECOND)
    bench = Bench(model(outages=(outage,)))
    books = bench.desk.state.books
    fresh = []
    for at in (SECOND, outage.at + MILLISECOND, outage.at + outage.span, outage.at + outage.span + SECOND):
        bench.run(at + 1)
        fresh.append(books.is_fresh(at, AX.symbol))
        if not fresh[-1] and at == outage.at + MILLISECOND:
            bench.exchange.markets[AX.symbol].submit("o", "buy", D(101), D(20), TimeInForce.IOC)
    assert fresh == [True, False, False, True]
    assert books.price(int(bench.env.now), AX.symbol, PriceType.BEST_ASK) == 110
    assert books.feeds[AX.symbol].requests == 3, "at the start twice, for it opens after that, and once since"


def test_a_script_trades_first_fills_before_second_ones_and_numbers_them_by_order() -> None:
    """The exchange of the reference's end-to-end scenario."""
    first = ScriptedFill(D("0.6"), D("0.995"))
    script = tuple((first, ScriptedFill(D(share), D("0.998"))) for share in ("0.3", "0.1", "0.4"))
    free = Instrument("AXUSDC", "AX", "USDC"), Instrument("AZUSDC", "AZ", "USDC")
    bench = Bench(model(markets=tuple(still(each, (100, 20)) for each in free), script=script))
    bench.place(SECOND, "B-1", order("O-01", "buy", "101", "20"), order("O-02", "buy", "303", "1.62838284", "AZUSDC"))
    bench.place(2 * SECOND, "B-2", order("O-03", "buy", "101", "9.51089109"))
    bench.run(3 * SECOND)
    bench.audit()
    told = [(fill.order_id, fill.trade_id, fill.price, fill.quantity, fill.fee) for fill in bench.desk.state.fills]
    assert told[:4] == [
        ("O-01", "L-01", D("100.495"), D(12), D("1.20594")),
        ("O-02", "L-03", D("301.485"), D("0.977029704"), D("0.294559800310440")),
        ("O-01", "L-02", D("100.798"), D(6), D("0.604788")),
        ("O-02", "L-04", D("302.394"), D("0.162838284"), D("0.049241320051896")),
    ]
    assert [(each[1], each[3]) for each in told[4:]] == [("L-05", D("5.706534654")), ("L-06", D("3.804356436"))]
    ends = {name: (bench.end(name).reason, bench.end(name).cancelled_quantity) for name in ("O-01", "O-02", "O-03")}
    assert ends == {
        "O-01": ("expired", D(2)),
        "O-02": ("expired", D("0.488514852")),
        "O-03": ("filled", D(0)),
    }


def test_an_order_that_stands_trades_with_whoever_comes() -> None:
    bench = Bench(ExchangeModel(markets=(market(AX, 100, takers_per_mille=1000),), maker_bps=D(1)), settings=GTC)
    bench.place(SECOND, "B-1", order("O-1", "buy", "99.95", "1"))
    bench.run(60 * SECOND)
    assert bench.end("O-1").reason == "filled"
    bench.audit()
    assert {fill.fee / (fill.price * fill.quantity) for fill in bench.fills("O-1")} == {D("0.0001")}


def test_two_orders_of_the_account_that_meet_are_a_trade_of_each() -> None:
    bench = Bench(model(taker_bps=D(10), maker_bps=D(1)), settings=GTC)
    bench.place(SECOND, "B-1", order("O-1", "buy", "99.5", "4"))
    bench.place(2 * SECOND, "B-2", order("O-2", "sell", "95", "4"))
    bench.run(3 * SECOND)
    bench.audit()
    (bought,), (sold,) = bench.fills("O-1"), bench.fills("O-2")
    assert (bought.trade_id, bought.price, bought.quantity) == (sold.trade_id, sold.price, sold.quantity)
    assert [bought.fee, sold.fee] == [D("0.0398"), D("0.398")]
    assert bench.exchange.account.balances == {"AX": D(0), "USDC": D("-0.4378")}


def test_an_order_that_stands_can_be_cancelled() -> None:
    bench = Bench(model(), settings=GTC)
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "25"))
    bench.cancel(2 * SECOND, "B-1")
    bench.run(3 * SECOND)
    bench.audit()
    assert (bench.end("O-1").reason, bench.end("O-1").cancelled_quantity) == ("cancelled", D(5))


def test_the_account_has_what_it_bought_and_paid_for_it() -> None:
    bench = Bench(model(balances={"USDC": D(5000)}))
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "12"))
    bench.place(2 * SECOND, "B-2", order("O-2", "sell", "90", "2"))
    bench.tell(3 * SECOND, BalancesWanted())
    bench.run(4 * SECOND)
    held = D(5000) - 1200 - D("1.2") + 2 * 99 - D("0.198")
    told = [each for each in bench.desk.state.told if isinstance(each, BalancesReported)]
    assert [each.assets[0] for each in told] == [
        AssetHeld("AX", (AX.symbol,), D(quantity), True) for quantity in (0, 10)
    ]
    assert bench.exchange.account.holdings().balances == (Balance("USDC", held), Balance("AX", D(10)))


def test_what_standing_orders_may_take_is_locked() -> None:
    bench = Bench(model(balances={"AX": D(5)}), settings=GTC)
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "25"), order("O-2", "sell", "120", "3"))
    bench.run(2 * SECOND)
    ax, usdc = bench.exchange.account.holdings().balances
    assert ax == Balance("AX", D(22), D(3))
    assert (usdc.locked, usdc.free + usdc.locked) == (D(500), bench.exchange.account.balances["USDC"])


def test_somebody_else_may_move_what_the_account_holds() -> None:
    moved = (Transfer(SECOND, "AX", D(-2)), Transfer(2 * SECOND, "AX", D("0.5")))
    bench = Bench(model(balances={"AX": D(5)}, transfers=moved))
    bench.run(3 * SECOND)
    assert bench.exchange.account.balances == {"AX": D("3.5")}


def test_without_credit_an_order_that_the_account_cannot_pay_is_refused() -> None:
    bench = Bench(model(credit=False, balances={"USDC": D("1201.2"), "AX": D(1)}), settings=GTC)
    bench.place(SECOND, "B-1", order("O-1", "buy", "99", "5"), order("O-2", "buy", "100", "7.1"))
    bench.place(2 * SECOND, "B-2", order("O-3", "sell", "110", "1"), order("O-4", "sell", "110", "0.1"))
    bench.cancel(3 * SECOND, "B-1")
    bench.cancel(3 * SECOND, "B-2")
    bench.place(4 * SECOND, "B-3", order("O-5", "buy", "100", "12"))
    bench.run(5 * SECOND)
    bench.audit()
    reasons = [bench.end(f"O-{n}").reason for n in range(1, 6)]
    assert reasons == ["cancelled", "refused:-2010", "cancelled", "refused:-2010", "filled"]
    assert bench.exchange.account.balances == {"USDC": D(0), "AX": D(13)}


@pytest.mark.parametrize("script", [(), ((ScriptedFill(D("0.5"), D(1)), ScriptedFill(D("0.5"), D(1))),)])
@pytest.mark.parametrize("quantity", ["123.3333322209876543210987654322", "123.3333322209876543210987654378"])
def test_all_that_the_account_has_can_be_sold_to_the_last_digit(quantity: str, script: Script) -> None:
    free = Instrument("AXUSDC", "AX", "USDC")
    account = {"AX": D(quantity), "USDC": D(0)}
    bench = Bench(model(markets=(still(free, (100, 200)),), balances=account, credit=False, script=script))
    bench.place(SECOND, "B-1", order("O-1", "sell", "90", quantity))
    bench.run(2 * SECOND)
    assert bench.end("O-1").reason == "filled"
    assert reduce(EXACT.add, [fill.quantity for fill in bench.fills("O-1")]) == D(quantity)
    assert bench.exchange.account.balances["AX"] == 0


def test_what_others_have_brought_to_the_account_can_be_spent() -> None:
    bench = Bench(model(credit=False), brought=lambda now: D(501) if now > 2 * SECOND else D(0))
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "5"))
    bench.place(3 * SECOND, "B-2", order("O-2", "buy", "100", "5"))
    bench.place(4 * SECOND, "B-3", order("O-3", "buy", "100", "1"))
    bench.run(5 * SECOND)
    bench.audit()
    assert [bench.end(f"O-{n}").reason for n in range(1, 4)] == ["refused:-2010", "filled", "refused:-2010"]


def test_commissions_are_taken_in_what_the_exchange_likes() -> None:
    bnb = Instrument("BNBUSDC", "BNB", "USDC")
    markets = (still(AX, (100, 20)), still(bnb, (500, 20)))
    in_base = Bench(model(markets=markets, commission="base"))
    in_token = Bench(model(markets=markets, commission="BNB"))
    for bench in (in_base, in_token):
        bench.place(SECOND, "B-1", order("O-1", "buy", "100", "10"))
        bench.run(2 * SECOND)
    (trade,) = in_base.exchange.account.find("O-1").trades  # type: ignore[union-attr]
    assert (trade.commission, trade.commission_asset) == (D("0.01"), "AX")
    assert in_base.exchange.account.balances == {"AX": D("9.99"), "USDC": D(-1000)}
    (trade,) = in_token.exchange.account.find("O-1").trades  # type: ignore[union-attr]
    top = in_token.exchange.markets["BNBUSDC"].book.bids.top() or in_token.exchange.markets["BNBUSDC"].book.asks.top()
    assert top is not None
    assert (trade.commission, trade.commission_asset) == (1 / top[0], "BNB")
    (fill,) = in_token.fills("O-1")
    assert (fill.commission, fill.commission_asset) == (trade.commission, "BNB")


def test_the_commission_of_the_finest_trade_is_still_a_number() -> None:
    bnb = Instrument("BNBUSDC", "BNB", "USDC")
    fine = Instrument("AXUSDC", "AX", "USDC")
    bench = Bench(model(markets=(still(fine, (100, 20)), still(bnb, (500, 20))), commission="BNB"))
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "4.505798161234567890123456789E-23"))
    bench.run(2 * SECOND)
    (fill,) = bench.fills("O-1")
    assert fill.quantity == D("4.505798161234567890123456789E-23")
    assert fill.commission > 0
    assert is_number(fill.commission)


def test_an_order_without_a_scripted_trade_expires() -> None:
    bench = Bench(model(script=((), (ScriptedFill(D(1), D(1)),))))
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "12"), order("O-2", "buy", "100", "12"))
    bench.run(2 * SECOND)
    bench.audit()
    assert [bench.end(f"O-{n}").reason for n in (1, 2)] == ["expired", "filled"]


def test_a_scripted_order_can_be_cancelled_between_its_trades() -> None:
    half = ScriptedFill(D("0.5"), D(1))
    bench = Bench(model(script=((half, half),), script_gap_ns=SECOND), settings=GTC)
    bench.place(SECOND, "B-1", order("O-1", "buy", "100", "12"))
    bench.cancel(2 * SECOND + SECOND // 2, "B-1")
    bench.run(10 * SECOND)
    bench.audit()
    assert (bench.end("O-1").reason, bench.end("O-1").cancelled_quantity) == ("cancelled", D(6))


def test_a_scripted_sell_trades_no_lower_than_its_limit() -> None:
    bench = Bench(model(script=((ScriptedFill(D(1), D("0.8")),),)))
    bench.place(SECOND, "B-1", order("O-1", "sell", "100", "12"))
    bench.run(2 * SECOND)
    assert [fill.price for fill in bench.fills("O-1")] == [D(125)]


def test_messages_can_be_overtaken_and_orders_and_books_come_out_the_same() -> None:
    bench = Bench(ExchangeModel(markets=(market(AX, 100),), faults=Faults(reordered_messages=500)))
    for n in range(20):
        bench.place(n * SECOND + 1, f"B-{n}", order(f"O-{n}", "buy", "101", "2"))
    bench.run(60 * SECOND + 500 * MILLISECOND)
    bench.audit()
    assert bench.desk.state.books.is_fresh(60 * SECOND, AX.symbol)
    said = [each for each in bench.desk.state.told if isinstance(each, AssetOrderEnded)]
    assert len(said) == 20


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"faults": Faults(rejects=1000)}, "refused:-2010"), ({"latency": Constant(11 * SECOND)}, "refused:-1021")],
)
def test_an_exchange_refuses_what_it_should(changes: dict[str, Any], reason: str) -> None:
    bench = Bench(model(**changes))
    bench.place(60 * SECOND, "B-1", order("O-1", "buy", "100", "12"))
    bench.run(120 * SECOND)
    bench.audit()
    assert bench.end("O-1").reason == reason


def test_more_orders_than_the_limits_allow_wait() -> None:
    bench = Bench(model(limits=(RateLimit(2, SECOND),)))
    bench.place(SECOND, "B-1", *(order(f"O-{n}", "buy", "100", "1") for n in range(5)))
    bench.run(10 * SECOND)
    bench.audit()
    assert {bench.end(f"O-{n}").reason for n in range(5)} == {"filled"}
    assert [bench.desk.state.ended_at[f"O-{n}"] // SECOND for n in range(5)] == [1, 1, 2, 2, 3]


def refused(ended: int) -> int:
    """What it takes to see whether the account can pay for an order, after so many others."""
    account = model(credit=False, balances={"USDC": D(1_000_000)}, limits=())
    asked = OrderDesk(account, {AX.symbol: Market(AX.symbol)}, stream(1, "exchange"), lambda _: None)
    wanted = PlaceExchangeOrder("A-0", AX.symbol, "buy", D(10), D(1), TimeInForce.IOC, SECOND)
    for number in range(ended):
        asked.accept(structs.replace(wanted, client_id=f"A-{number + 1}"))
    return calls_of(lambda: asked.refusal(0, wanted))


def test_what_orders_lock_is_seen_without_a_look_at_those_that_have_ended() -> None:
    assert refused(200) == refused(5)


def test_an_outage_loses_what_is_under_way_and_is_told() -> None:
    bench = Bench(model(latency=Constant(SECOND), outages=(Outage(11 * SECOND + 1, 20 * SECOND),)))
    bench.place(10 * SECOND, "B-1", order("O-1", "buy", "100", "5"))
    bench.place(15 * SECOND, "B-2", order("O-2", "buy", "100", "5"))
    bench.run(60 * SECOND)
    bench.audit()
    assert [(fact.reason, fact.doubted) for fact in bench.facts(ExchangeLost)] == [("outage", 1)]
    assert len(bench.facts(ExchangeReached)) == 2
    assert bench.end("O-1").reason == "filled", "it had been taken before the outage"
    assert bench.end("O-2").reason == "no_session"


def test_equal_seeds_give_equal_exchanges_and_others_do_not() -> None:
    def told(seed: int) -> list[Any]:
        bench = Bench(ExchangeModel(markets=(market(AX, 100),), latency=Uniform(0, SECOND)), seed)
        bench.place(SECOND, "B-1", order("O-1", "buy", "101", "7"))
        bench.run(20 * SECOND)
        return bench.notes

    assert told(1) == told(1)
    assert told(1) != told(2)
