"""Refunds, proceeds and withdrawals: money goes home by the reverse route, and whoever waits for it hears of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.collateral.facts import CollateralWithdrawalRepeated, TransferStepped, WithdrawalEnded
from core.collateral.graph import Graph
from core.collateral.hops import FundsRefused, HopTrouble
from core.collateral.records import (
    CollateralRefused,
    CollateralRouted,
    CollateralSpent,
    PaidOut,
    PayOut,
    ProceedsHeld,
)
from core.kernel.record import Message
from core.units import SECOND
from tests.helpers.collateral import ALICE, BOB, SETTINGS, T1, T2, T3, WALLET, Rig, hop, with_settings

COSTLY = with_settings(
    hops=(hop(T1, T2), hop(T2, T3), hop(T3, T2, fee_flat=Decimal(1)), hop(T2, T1), hop(T1, WALLET, fee_flat=Decimal(1)))
)
NONE = Decimal(0)
WAIT = SETTINGS.withdrawal_wait // SECOND


def at_destination(amount: str = "100") -> Rig:
    rig = Rig(COSTLY)
    rig.deposit(amount)
    rig.route(amount)
    rig.serve()
    return rig


def refusals(rig: Rig) -> list[str]:
    return [f"{said.stage}: {said.reason}" for said in rig.told() if isinstance(said, CollateralRefused)]


def ended(rig: Rig) -> list[tuple[int, Decimal, Decimal, Decimal, str]]:
    return [(f.seq_num, f.paid, f.fee, f.refused, f.reason) for f in rig.facts(WithdrawalEnded)]


def test_what_an_order_did_not_use_is_refunded_by_the_reverse_route() -> None:
    rig = at_destination()
    rig.preauthorise("60")
    rig.spend("60", "P-2")
    assert rig.told(rig.refund("P-2", least="40")) == []
    rig.serve()
    assert rig.told()[-1] == PaidOut("O-1", Decimal(38), Decimal(2))
    assert [rig.position().returned, rig.position().spent] == [38, 62]
    assert [call.service for call in rig.calls()][-3:] == ["hop:T3-T2", "hop:T2-T1", "hop:T1-EVM"]


def test_what_is_set_aside_for_another_payment_is_not_refunded() -> None:
    rig = at_destination()
    rig.preauthorise("60")
    rig.refund()
    assert [rig.position().routing, rig.position().preauth] == [40, 60]


@pytest.mark.parametrize(("amount", "least"), [("9", "0"), ("40", "40.01")], ids=["not worth its way", "too little"])
def test_a_refund_that_is_too_little_or_not_worth_its_way_is_its_users_where_it_is(amount: str, least: str) -> None:
    rig = at_destination()
    rig.preauthorise(amount)
    rig.release()
    rig.release("P-9", "O-9")
    assert rig.told(rig.refund("P-2", least=least)) == [PaidOut("O-1", NONE, NONE, credited=Decimal(amount))]
    assert rig.position().ready == 100
    assert rig.calls()[-1].service == "hop:T2-T3"


def test_an_order_that_has_nothing_is_told_so() -> None:
    rig = at_destination()
    assert rig.told(rig.refund("P-7", "O-7")) == [PaidOut("O-7", NONE, NONE)]
    assert rig.position().ready == 100


def test_a_refund_sets_out_before_anybody_else_of_its_user_is_served_with_it() -> None:
    rig = at_destination()
    rig.preauthorise("60")
    rig.route("10", "O-2")
    rig.withdraw("1")
    rig.refund("P-2")
    rig.serve()
    assert [said for said in rig.told() if isinstance(said, PaidOut)] == [PaidOut("O-1", Decimal(98), Decimal(2))]
    assert rig.routed() == [CollateralRouted("O-1", Decimal(100), NONE)]


def test_a_refund_leaves_from_where_its_order_has_its_money() -> None:
    home = (hop(T2, WALLET), hop(T3, WALLET))
    rig = Rig(with_settings(hops=(hop(T1, T2), hop(T1, T3), *home), destinations={"IX": (T3,), "IY": (T2,)}))
    rig.deposit("600")
    rig.route("500", "O-1", symbol="IY")
    rig.route("100", "O-2")
    rig.serve()
    rig.release()
    rig.refund("", "O-2")
    assert rig.calls()[-1].service == "hop:T3-EVM"


def test_what_an_order_has_at_several_places_is_its_users_there() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T2), hop(T1, T3), hop(T3, WALLET)), destinations={"IX": (T3,), "IY": (T2,)}))
    rig.deposit("600")
    for symbol in ("IX", "IY"):
        rig.route("300", symbol=symbol)
        rig.serve()
    assert rig.told(rig.refund()) == [PaidOut("O-1", NONE, NONE, credited=Decimal(600))]


def test_proceeds_of_a_sale_go_to_their_user() -> None:
    rig = Rig(COSTLY)
    rig.pay_out("500")
    assert rig.balance("hop:T3-T2", "routing", side="debit") == 500
    rig.serve()
    assert rig.told() == [ProceedsHeld("O-1", Decimal(500)), PaidOut("O-1", Decimal(498), Decimal(2))]
    assert [rig.balance("", "returned", side="debit"), rig.balance("", "spent", side="debit")] == [498, 2]
    assert rig.position().returned == 0


@pytest.mark.parametrize(
    ("amount", "user", "symbol", "reason"),
    [
        ("0", ALICE, "IX", "invalid_amount"),
        ("-1", ALICE, "IX", "invalid_amount"),
        ("50", ALICE, "IQ", "unknown_symbol"),
        ("50", BOB, "IQ", "unknown_symbol"),
    ],
)
def test_a_payout_that_cannot_be_is_refused_at_once(amount: str, user: str, symbol: str, reason: str) -> None:
    rig = Rig(COSTLY)
    rig.pay_out(amount, "O-1", user, symbol)
    assert refusals(rig) == [f"hold: {reason}"]


def test_proceeds_that_no_way_home_takes_are_their_users_collateral_where_they_are() -> None:
    rig = Rig(COSTLY)
    rig.pay_out("1.5")
    assert rig.told()[1:] == [PaidOut("O-1", Decimal(0), Decimal(0), credited=Decimal("1.5"))]
    assert (rig.balance(T3, "ready"), rig.position().ready) == (Decimal("1.5"), Decimal("1.5"))
    assert rig.collateral.state.payouts == {}


@pytest.mark.parametrize(
    ("amount", "place", "fee"), [("500", T2, "0.1"), ("60", T3, "5"), ("5", T2, None)], ids=["cheaper", "only", "none"]
)
def test_proceeds_go_home_from_the_destination_with_the_best_way_and_lie_at_the_first_if_there_is_none(
    amount: str, place: str, fee: str | None
) -> None:
    home = (
        hop(T2, WALLET, fee_flat=Decimal("0.1"), amount_min=Decimal(100)),
        hop(T3, WALLET, fee_flat=Decimal(5), amount_min=Decimal(50)),
    )
    rig = Rig(with_settings(hops=(hop(T1, T2), hop(T1, T3), *home), destinations={"IX": (T2, T3)}))
    rig.hold(amount)
    assert rig.balance(place, "ready", side="credit" if fee is None else "debit") == Decimal(amount)
    rig.deliver(Message("desk", PayOut("O-1", ALICE)))
    rig.serve()
    credited = Decimal(amount) if fee is None else Decimal(0)
    paid = Decimal(0) if fee is None else Decimal(amount) - Decimal(fee)
    assert rig.told()[-1] == PaidOut("O-1", paid, Decimal(fee or 0), credited=credited)


def test_proceeds_of_a_user_of_an_unknown_chain_are_his_until_he_can_withdraw_them() -> None:
    rig = Rig(COSTLY)
    rig.pay_out("50", "O-1", BOB)
    assert rig.told()[1:] == [PaidOut("O-1", Decimal(0), Decimal(0), credited=Decimal(50))]
    assert rig.position(BOB).ready == 50
    rig.withdraw("50", 0, BOB)
    assert ended(rig) == [(0, Decimal(0), Decimal(0), Decimal(50), "unknown_chain")]
    chains = {**COSTLY.chains, BOB.partition(":")[0]: COSTLY.chains[ALICE.partition(":")[0]]}
    rig.collateral.settings = structs.replace(COSTLY, chains=chains)
    rig.withdraw("50", 0, BOB)
    rig.serve()
    assert ended(rig)[-1] == (0, Decimal(48), Decimal(2), Decimal(0), "")
    assert rig.position(BOB).ready == 0


def test_proceeds_that_were_not_sent_count_for_the_next_order() -> None:
    rig = Rig(COSTLY)
    rig.pay_out("1.5")
    rig.route("1.5", "O-2")
    assert [said.amount for said in rig.routed()] == [Decimal("1.5")]
    rig.preauthorise("1.5", "O-2")
    [spent] = [said for said in rig.told(rig.spend("1.5", "P-2", "O-2")) if isinstance(said, CollateralSpent)]
    assert (spent.amount, spent.seq_nums) == (Decimal("1.5"), ())


def test_proceeds_are_held_for_their_order_alone_until_they_are_paid_out() -> None:
    rig = Rig(COSTLY)
    rig.hold("500")
    rig.hold("1.5", "O-2")
    rig.hold("500")
    assert refusals(rig) == ["hold: duplicate"]
    assert (rig.balance(T3, "ready", side="debit"), rig.balance(T3, "ready")) == (Decimal(500), Decimal("1.5"))
    rig.withdraw("1")
    rig.route("1.5", "O-3")
    assert rig.calls() == []
    assert rig.routed() == []
    rig.deliver(Message("desk", PayOut("O-2", ALICE)))
    assert [said.amount for said in rig.routed()] == [Decimal("1.5")]
    rig.deliver(Message("desk", PayOut("O-1", ALICE)))
    rig.serve()
    assert PaidOut("O-1", Decimal(498), Decimal(2)) in rig.told()


def test_what_is_not_held_is_not_paid_out() -> None:
    rig = Rig(COSTLY)
    rig.hold("500")
    for order_id in ("O-2", "O-1", "O-1"):
        rig.deliver(Message("desk", PayOut(order_id, ALICE)))
    assert refusals(rig) == ["pay_out: not_enough_funds", "pay_out: duplicate"]


def test_proceeds_whose_way_home_is_gone_when_they_are_paid_out_wait_for_it() -> None:
    rig = Rig(COSTLY)
    rig.hold("500")
    graph, rig.collateral.graph = rig.collateral.graph, Graph(COSTLY.hops[:2])
    rig.deliver(Message("desk", PayOut("O-1", ALICE)))
    assert [fact.what for fact in rig.facts(TransferStepped)] == ["held"]
    rig.collateral.graph = graph
    rig.advance(rig.now + SETTINGS.held_retry)
    rig.serve()
    assert rig.told()[-1] == PaidOut("O-1", Decimal(498), Decimal(2))


def test_an_order_is_not_paid_out_twice_at_once() -> None:
    rig = Rig(COSTLY)
    rig.pay_out("500")
    rig.pay_out("500")
    assert refusals(rig) == ["hold: duplicate"]


def test_a_payout_whose_way_is_closed_is_held_and_paid_when_it_opens() -> None:
    rig = Rig(COSTLY)
    rig.pay_out("500")
    rig.reply_at_price()
    rig.reply(FundsRefused(HopTrouble.REJECTED, "closed"))
    held = rig.facts(TransferStepped)[-1]
    assert (held.what, held.held_at) == ("held", T2)
    assert rig.told()[1:] == []
    rig.advance(rig.now + SETTINGS.held_retry)
    rig.serve()
    assert rig.told()[1:] == [PaidOut("O-1", Decimal(498), Decimal(2))]


def test_a_withdrawal_is_served_from_deposits_first_and_then_from_what_is_free_elsewhere() -> None:
    rig = at_destination("300")
    rig.release()
    rig.deposit("200", 1)
    rig.withdraw("450")
    rig.serve()
    assert ended(rig) == [(0, Decimal(447), Decimal(3), Decimal(0), "")]
    assert [rig.position().unconfirmed, rig.position().ready, rig.position().returned] == [0, 50, 447]


def test_a_withdrawal_begins_last_where_no_hop_took_money_home_lately_until_one_has() -> None:
    hops = (hop(T1, T2), hop(T1, T3), hop(T2, WALLET), hop(T3, WALLET))
    rig = Rig(with_settings(hops=hops, destinations={"IX": (T3,), "IY": (T2,)}, payout_wait=SECOND))
    rig.deposit("600")
    for order_id, symbol in (("O-1", "IY"), ("O-2", "IX")):
        rig.route("300", order_id, symbol=symbol)
        rig.serve()
    rig.refund()
    rig.reply(FundsRefused(HopTrouble.REJECTED, "closed"))
    rig.pass_seconds(2)
    rig.release("", "O-2")
    assert rig.collateral.state.left_at == [T2]
    rig.withdraw("50", 0)
    rig.withdraw("270", 1)
    assert [call.service for call in rig.calls()[-3:]] == ["hop:T3-EVM", "hop:T3-EVM", "hop:T2-EVM"]
    rig.serve()
    assert rig.collateral.state.left_at == []
    rig.withdraw("50", 2)
    assert rig.calls()[-1].service == "hop:T2-EVM"


def test_a_withdrawal_sends_last_what_would_come_by_where_money_was_left() -> None:
    hops = (hop(T1, T2), hop(T1, T3), hop(T2, WALLET), hop(T3, WALLET, fee_flat=Decimal(1)))
    rig = Rig(with_settings(hops=hops, destinations={"IX": (T3,), "IY": (T2,)}, payout_wait=SECOND))
    rig.deposit("900")
    for order_id, symbol in (("O-1", "IY"), ("O-2", "IX")):
        rig.route("300", order_id, symbol=symbol)
        rig.serve()
    rig.release("", "O-2")
    rig.refund()
    rig.reply(FundsRefused(HopTrouble.REJECTED, "closed"))
    rig.pass_seconds(2)
    rig.withdraw("400")
    assert [call.service for call in rig.calls()[-2:]] == ["hop:T3-EVM", "hop:T1-T2"]


def test_a_withdrawal_that_is_seen_again_is_not_paid_again_and_has_one_last_word() -> None:
    rig = Rig(COSTLY)
    rig.deposit("300")
    rig.withdraw("100", 5)
    rig.withdraw("100", 5)
    rig.serve()
    rig.withdraw("100", 5)
    assert [(number, paid) for number, paid, *_ in ended(rig)] == [(5, Decimal(99))]
    assert rig.facts(CollateralWithdrawalRepeated) == [CollateralWithdrawalRepeated(ALICE, 5)] * 2
    assert rig.position().unconfirmed == 200


@pytest.mark.parametrize("seq_num", [-1, 2**63])
def test_a_withdrawal_whose_number_cannot_be_kept_is_refused(seq_num: int) -> None:
    rig = Rig(COSTLY)
    rig.deposit("300")
    rig.withdraw("100", seq_num)
    assert ended(rig) == [(-1, Decimal(0), Decimal(0), Decimal(100), "invalid_number")]
    rig.collateral.snapshot()


@pytest.mark.parametrize(
    ("amount", "user", "reason"),
    [("0", ALICE, "invalid_amount"), ("sNaN", ALICE, "invalid_amount"), ("5", BOB, "unknown_chain")],
)
def test_a_withdrawal_that_cannot_be_is_stated(amount: str, user: str, reason: str) -> None:
    rig = Rig(COSTLY)
    rig.withdraw(amount, 0, user)
    refused = Decimal(amount) if Decimal(amount).is_finite() else 0
    assert ended(rig) == [(0, Decimal(0), Decimal(0), refused, reason)]
    assert rig.timers == {}


def test_a_withdrawal_waits_for_money_and_what_does_not_come_is_refused() -> None:
    rig = Rig(COSTLY)
    rig.deposit("100")
    rig.withdraw("250")
    rig.serve()
    rig.deposit("50", 1)
    rig.serve()
    rig.pass_seconds(WAIT)
    assert ended(rig) == [(0, Decimal(148), Decimal(2), Decimal(100), "not_enough_funds")]
    assert rig.collateral.state.waiting == {}


def test_a_withdrawal_that_is_seen_before_its_deposit_is_served_by_it() -> None:
    rig = Rig(COSTLY)
    rig.withdraw("100")
    rig.deposit("100")
    rig.serve()
    assert ended(rig) == [(0, Decimal(99), Decimal(1), Decimal(0), "")]


def test_a_deposit_and_a_withdrawal_at_the_same_time_do_not_touch_each_other() -> None:
    rig = at_destination("300")
    rig.withdraw("100", 0)
    rig.deposit("500", 1)
    assert rig.position().routing == 100
    rig.route("400", "O-2")
    rig.serve()
    assert [rig.position().ready, rig.position().unconfirmed, rig.position().returned] == [700, 0, 99]
    assert ended(rig) == [(0, Decimal(99), Decimal(1), Decimal(0), "")]


def test_a_withdrawal_that_no_way_home_takes_is_refused_for_that_and_not_for_lack_of_money() -> None:
    rig = Rig(with_settings(hops=(hop(T1, T3), hop(T1, WALLET, amount_min=Decimal(500)))))
    rig.deposit("300")
    rig.withdraw("300")
    rig.pass_seconds(WAIT)
    assert ended(rig) == [(0, NONE, NONE, Decimal(300), "no_route")]


def test_what_orders_have_a_claim_on_is_not_withdrawn() -> None:
    rig = at_destination("300")
    rig.withdraw("300")
    rig.pass_seconds(WAIT)
    assert ended(rig) == [(0, Decimal(0), Decimal(0), Decimal(300), "not_enough_funds")]
    assert rig.position().ready == 300


def test_a_withdrawal_that_is_under_way_when_its_wait_is_over_is_ended_when_it_arrives() -> None:
    rig = Rig(COSTLY)
    rig.deposit("100")
    rig.withdraw("150")
    rig.pass_seconds(WAIT)
    assert ended(rig) == []
    rig.serve()
    assert ended(rig) == [(0, Decimal(99), Decimal(1), Decimal(50), "not_enough_funds")]
