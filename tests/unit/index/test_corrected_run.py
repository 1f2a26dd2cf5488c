"""The same scenario with the defects mended. The first batch is derived by hand; the rest is pinned.

Limits are 101 and 303. A unit of the index is 800 / 96.666667 = 8.275862 AX and 200 / 296.923077 = 0.673575 AZ, so its
limit price is 835.862069 + 204.093264 = 1039.955333. Of 3450.94925175 there are 3447.50175 to use without the fee
factor, and 3000 with the cap of an order. Liquidity to the limits is 20 AX and 50 AZ: AX allows 20 / 8.27586 = 2.41666
units, which are worth 2513.2253886. The batch's cap is 2000, so it is what binds, and everything is scaled to it:

    units         2000 / 1039.955333 = 1.9231595205
    contributions 15.9158029285 AX, 1.2953924232 AZ     fractions 1 and 1
    AX in money   15.9158029285 * 101 = 1607.4960958, up to a step of 0.2: 1607.6    1607.6 / 101 = 15.9168316832
    AZ in money   1.2953924232 * 303  =  392.5039042, up to a step of 0.2:  392.6     392.6 / 303 =  1.2957095710

The exchange fills 90 % of AX and 70 % of AZ (as ever, the first and the second order). So AZ decides:

    AZ  60 % of 1.2957095710 at 301.485, then 10 % at 302.394; AX 60 % at 100.495, 30 % at 100.798
    0.7 * 1.2957095710 / 0.6735751295 = 1.3465412541 units, of which AX takes 11.1437896887 of the 14.3251485149 bought
    3.1813588255 AX are left, all of it wanted by what is still engaged: carried, none for the house; of AZ, what is
    finer than a token can be
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.index.planning import Mode
from core.index.stock import house_quantities
from core.units import EXACT
from tests.unit.index.scripted import LIMITS, ORDERED, ROUTING_FEE, Scripted

D = Decimal
WITHIN = D("0.6e-8")

TOLD = """
1 1.15397030 1265.33950237 2255.67799763
1 1.15417822 1265.55538661 2255.46211339
1 1.34654125 1465.40390307 2055.61359693
2 2.50071947 2661.85543520 859.16206480
2 3.26970077 3460.37504123 60.64245877
3 3.26972607 3460.40132360 60.61617640
3 3.27017162 3460.86308741 60.15441259
3 3.30475578 3496.68502365 24.33247635
3 3.30486164 3496.79494273 24.22255727
3 3.32795508 3520.78702600 0.23047400
"""
SENT = [
    {"AX": D("15.91683168"), "AZ": D("1.29570957")},
    {"AX": D("12.73465347"), "AZ": D("1.29570957")},
    {"AX": D("0.48316832"), "AZ": D("0.03894389")},
]


@pytest.fixture(scope="module")
def run() -> Scripted:
    return Scripted(Mode.CORRECTED)


def near(figure: Decimal, printed: Decimal, within: Decimal = WITHIN) -> None:
    """A figure is what was printed."""
    assert abs(figure - printed) <= within, (figure, printed)


def test_the_cap_scales_exchange_orders_too(run: Scripted) -> None:
    ax, az = run.batches[0].opened.placements
    near(ax.quantity, D("1607.6") / 101, D("1e-25"))
    near(az.quantity, D("392.6") / 303, D("1e-25"))
    (one,) = run.batches[0].plan.engagements
    near(one.quantity, D("1.9231595205"), D("0.6e-10"))
    near(one.parts[0].contribution, D("15.9158029285"), D("0.6e-10"))
    near(one.parts[1].contribution, D("1.2953924232"), D("0.6e-10"))
    near(one.collateral, D(2002), D("1e-14"))


def test_no_batch_locks_or_costs_more_than_its_cap_and_padding(run: Scripted) -> None:
    padding = 2 * LIMITS.asset_volley_step_size
    for batch in run.batches:
        assert batch.plan.engagements[0].collateral <= LIMITS.max_volley_size * LIMITS.fee_factor
        assert batch.plan.volley <= LIMITS.max_volley_size + padding


def test_fractions_sum_to_one(run: Scripted) -> None:
    assert all(part.fraction == 1 for batch in run.batches for part in batch.plan.engagements[0].parts)


def test_the_first_batch_ends_as_worked_out_by_hand(run: Scripted) -> None:
    near(run.told[2].filled, D("1.3465412541"), D("0.6e-10"))
    left, rounded_off = run.batches[0].completed.leftovers
    assert (left.asset, left.house) == ("AX", D(0))
    near(left.carried, D("3.1813588255"), D("0.6e-10"))
    assert (rounded_off.asset, rounded_off.house) == ("AZ", D(0))
    assert rounded_off.carried < D("1e-17")


def test_what_was_carried_is_used_and_the_shortfall_bought_in_the_same_batch(run: Scripted) -> None:
    second = run.batches[1].plan.assets[0]
    near(second.stock, D("3.1813588255"), D("0.6e-10"))
    near(second.demand, D("15.9158029285"), D("0.6e-10"))
    # (15.9158029285 - 3.1813588255) * 101 = 1286.1788544, up to a step of 0.2: 1286.2
    near(second.quantity, D("1286.2") / 101, D("1e-25"))


def test_every_message_to_the_owner(run: Scripted) -> None:
    printed = [line.split() for line in TOLD.strip().splitlines()]
    assert [told.batch for told in run.told] == [int(row[0]) for row in printed]
    for told, row in zip(run.told, printed, strict=True):
        for figure, shown in zip(told[1:4], row[1:], strict=True):
            near(figure, D(shown))


def test_everything_that_is_sent_to_the_exchange(run: Scripted) -> None:
    sent = [{one.asset: one.quantity for one in batch.opened.placements} for batch in run.batches]
    assert [list(one) for one in sent] == [list(one) for one in SENT]
    for batch, printed in zip(sent, SENT, strict=True):
        for asset, quantity in batch.items():
            near(quantity, printed[asset])


def test_three_batches_do_what_took_the_reference_seven_and_leave_less(run: Scripted) -> None:
    reference = Scripted(Mode.REFERENCE)
    assert (len(run.batches), len(reference.batches)) == (3, 7)
    assert run.full
    spent = run.spent - ROUTING_FEE
    near(spent / run.filled, D("1036.888628"), D("0.6e-6"))
    assert EXACT.add(run.spent, run.told[-1].remaining) == ORDERED
    house = house_quantities(run.stock)
    left = {lot.asset: lot.remaining for lots in reference.stock.carried.values() for lot in lots}
    assert house.get("AX", D(0)) < left["AX"]
    assert house.get("AZ", D(0)) < left["AZ"]


def test_every_rule_holds_after_every_plan_and_every_trade(run: Scripted) -> None:
    assert run.broken == []
    assert Scripted(Mode.CORRECTED, "AZ").broken == []


def test_an_exchange_fee_beyond_what_was_reserved_never_costs_more_than_was_locked() -> None:
    dear = Scripted(Mode.CORRECTED, exchange_fee=D("0.01"))
    assert dear.broken == []
    assert all(batch.completed.carried[0][1] >= 0 for batch in dear.batches)
    assert dear.spent <= ORDERED
