"""From a filled order to tokens: payment, the chain, the invoice; and for a sell cash, burn, the pay-out report.

A buy pays what its lots cost. In reference mode it pays all that was routed, as the reference system does. Tokens are
minted only when the payment is certain, and asked for under one key, so they are never minted twice. A sell's cash is
on its way before its tokens are burned: they are in custody, where nobody else can have them.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Final

from core.collateral.records import (
    COLLATERAL,
    CollateralRefusal,
    CollateralRefused,
    CollateralSpent,
    PaidOut,
    PayOut,
    SpendCollateral,
)
from core.index.base import DeskBase
from core.index.chain import BurnIndex, MintIndex, RecordInvoice
from core.index.inventory import Assignment, assign, find
from core.index.order import AssignedLot, IndexOrder
from core.index.planning import Mode
from core.index.reasons import EndReason
from core.index.records import MintInvoice, Outcome, RedemptionInvoice
from core.index.rounding import cut, raised
from core.index.settling import settle
from core.index.states import IndexOrderState, IndexOrderStep
from core.index.stock import Lot, add_house
from core.kernel.codec import encode
from core.units import EXACT, Nanos

PAYOUT: Final = "payout:"


def mint_ready(desk: DeskBase, now: Nanos) -> None:
    """Begin to mint, or to pay out, everything that it is time for."""
    for order_id in list(desk.state.orders.mintable):
        order = desk.state.orders.live[order_id]
        desk.move(now, order, IndexOrderStep.MINTING)
        if order.side == "buy":
            amount = _charge(desk, order)
            desk.send(COLLATERAL, SpendCollateral(order.order_id, order.user, order.payment_id, amount))
        else:
            pay_out(desk, now, order)


def pay_out(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Send a sell's cash to its user; too little to be sent is burned for nothing."""
    cash = cut(max(order.proceeds, Decimal(0)), desk.settings.collateral_decimals)
    if cash > 0:
        desk.send(COLLATERAL, PayOut(order.order_id, order.user, order.symbol, cash))
    else:
        _burn(desk, now, order)


def on_spent(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralSpent) -> None:
    """The payment is certain: have the tokens minted."""
    order.charged = said.amount
    order.seq_num = said.seq_nums[-1] if said.seq_nums else 0
    order.position = said.position
    _assign_lots(desk, now, order)
    desk.ask_chain(
        now,
        MintIndex(
            key=f"mint:{order.order_id}",
            symbol=order.symbol,
            user=order.user,
            quantity=order.filled,
            seq_num=order.seq_num,
            payment_id=order.payment_id,
            amount_paid=order.charged,
            execution_price=order.slices_cost / order.filled,
        ),
    )


def on_spend_refused(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRefused) -> None:
    """There is no payment, so there are no tokens, and the house keeps what was bought for them."""
    order.ends_as, order.end_reason = Outcome.REJECTED, f"{EndReason.UNPAYABLE}: {said.reason}"
    desk.state.indexes.give_up(order)
    for lot in order.lots.values():
        add_house(desk.state.stock, _stock_lot(order, lot))
    desk.move(now, order, IndexOrderStep.REFUSED)
    settle(desk, now, order)


def on_pay_out_refused(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRefused) -> None:
    """The cash is owed whatever keeps it here: it is sent again later. One that is on its way already arrives."""
    if said.reason != CollateralRefusal.DUPLICATE:
        desk.wake(PAYOUT + order.order_id, now + desk.settings.collateral_retry_ns)


def on_paid_out(desk: DeskBase, now: Nanos, order: IndexOrder, said: PaidOut) -> None:
    """A sell's cash has reached its user, or is his collateral: burn what it was for."""
    order.paid_out, order.payout_fee, order.credited = EXACT.add(said.amount, said.credited), said.fee, said.credited
    _burn(desk, now, order)


def on_minted(desk: DeskBase, now: Nanos, request: MintIndex) -> None:
    """The tokens exist: tell what they cost, and give back the rest."""
    order = desk.state.orders.live[request.key.partition(":")[2]]
    order.minted = request.quantity
    desk.state.indexes.mint(order.symbol, request.quantity, request.execution_price)
    invoice = mint_invoice(order, now)
    desk.note(invoice)
    desk.ask_chain(now, _kept(order, encode(invoice)))
    desk.move(now, order, IndexOrderStep.SETTLED)
    settle(desk, now, order)


def on_burned(desk: DeskBase, now: Nanos, request: BurnIndex) -> None:
    """The tokens are gone: tell what they brought, and give back those that were not sold."""
    order = desk.state.orders.live[request.key.partition(":")[2]]
    order.minted = request.quantity
    desk.state.indexes.mint(order.symbol, -request.quantity, request.execution_price)
    desk.state.custody.burn(order.order_id, request.quantity)
    invoice = redemption_invoice(order, now)
    desk.note(invoice)
    desk.ask_chain(now, _kept(order, encode(invoice)))
    desk.move(now, order, IndexOrderStep.SETTLED)
    settle(desk, now, order)


def mint_invoice(order: IndexOrder, now: Nanos) -> MintInvoice:
    """What a user is told of what was minted for him."""
    assert order.position is not None
    total = order.whole
    return MintInvoice(
        order_id=order.order_id,
        user=order.user,
        client_order_id=order.client_order_id,
        payment_id=order.payment_id,
        seq_num=order.seq_num,
        symbol=order.symbol,
        filled_quantity=order.filled,
        total_amount=total,
        amount_paid=EXACT.add(order.charged, order.fees),
        amount_remaining=EXACT.subtract(total, order.spent),
        management_fee=order.fees,
        assets_value=order.assets_value,
        exchange_fee=order.exchange_fee,
        fill_rate=(order.spent - order.fees) / (total - order.fees),
        execution_price=order.slices_cost / order.filled,
        lots=order.invoice_lots(),
        position=order.position,
        at=now,
    )


def redemption_invoice(order: IndexOrder, now: Nanos) -> RedemptionInvoice:
    """What a user is told of what was burned for him."""
    return RedemptionInvoice(
        order_id=order.order_id,
        user=order.user,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        total_quantity=order.whole,
        burned_quantity=order.filled,
        quantity_remaining=EXACT.subtract(order.whole, order.filled),
        assets_value=order.assets_value,
        proceeds=order.proceeds,
        exchange_fee=order.exchange_fee,
        payout_fee=order.payout_fee,
        amount_paid=order.paid_out,
        amount_credited=order.credited,
        execution_price=order.proceeds / order.filled,
        at=now,
    )


def is_minting(order: IndexOrder | None) -> bool:
    """Whether an order is being paid for, so that news of its payment mean something."""
    return order is not None and order.state is IndexOrderState.MINTING


def _charge(desk: DeskBase, order: IndexOrder) -> Decimal:
    if desk.settings.limits.mode is Mode.REFERENCE:
        return order.preauthorised
    cost = raised(order.spent - order.fees, desk.settings.collateral_decimals)
    return min(cost, order.preauthorised)


def _burn(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    desk.ask_chain(
        now,
        BurnIndex(
            key=f"burn:{order.order_id}",
            symbol=order.symbol,
            user=order.user,
            quantity=order.filled,
            amount_paid=order.paid_out,
            execution_price=order.proceeds / order.filled,
        ),
    )


def _kept(order: IndexOrder, invoice: bytes) -> RecordInvoice:
    key = f"invoice:{order.order_id}"
    return RecordInvoice(key, order.symbol, order.user, order.order_id, sha256(invoice).digest())


def _assign_lots(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Write into the inventory whose lots these are. Those of crossings are in no inventory."""
    for held in order.lots.values():
        lot = find(desk.state.inventory, held.asset, order.side, held.lot_id)
        if lot is None:
            continue
        quantity = min(held.quantity, lot.original - lot.assigned())
        assignment = Assignment(
            order_id=order.order_id,
            user=order.user,
            seq_num=order.seq_num,
            side=order.side,
            quantity=quantity,
            fee=held.fee,
            at=now,
        )
        assign(desk.state.inventory, held.asset, held.lot_id, assignment)


def _stock_lot(order: IndexOrder, lot: AssignedLot) -> Lot:
    return Lot(
        lot_id=lot.lot_id,
        asset=lot.asset,
        side=order.side,
        price=lot.price,
        original=lot.original_quantity,
        remaining=lot.quantity,
        fee=lot.original_fee,
        batch_id="",
        created_at=lot.created_at,
    )
