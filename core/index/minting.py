"""From a filled order to tokens: payment, the chain, the invoice; and for a sell cash, burn, pay-out, the invoice.

A buy pays what its lots cost. In reference mode it pays all that was routed, as the reference system does. Tokens are
minted only when the payment is certain, and asked for under one key, so they are never minted twice. Lots are written
down as their owner's when his tokens are there, or gone.

The cash of a sell is first held for its order, which can be refused, and then the tokens go back. Once it is held, the
tokens are burned, however often the chain has to be asked; once they are, it is paid out, or credited where it cannot
be sent. So nobody has cash for tokens that still exist, and no tokens are burned for cash that is not there. What
becomes of either when the chain declines is in `core.index.declining`.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

from msgspec import structs

from core.collateral.records import (
    COLLATERAL,
    CollateralRefusal,
    CollateralRefused,
    CollateralSpent,
    HoldProceeds,
    PaidOut,
    PayOut,
    ProceedsHeld,
    SpendCollateral,
)
from core.index.base import DeskBase
from core.index.chain import BurnIndex, MintIndex, RecordInvoice
from core.index.forgoing import forgo, leave_cash
from core.index.inventory import assign, find
from core.index.inventory_lots import Assignment
from core.index.invoices import MintInvoice, RedemptionInvoice
from core.index.order import IndexOrder
from core.index.planning import Mode
from core.index.reasons import EndReason
from core.index.records import Outcome
from core.index.returning import return_unsold
from core.index.rounding import cut, raised
from core.index.settling import finish, settle
from core.index.states import IndexOrderStep
from core.kernel.codec import encode
from core.units import EXACT, Nanos


def mint_ready(desk: DeskBase, now: Nanos) -> None:
    """Begin to mint, or to burn, everything that it is time for."""
    for order_id in list(desk.state.orders.mintable):
        order = desk.state.orders.live[order_id]
        desk.move(now, order, IndexOrderStep.MINTING)
        if order.side == "buy":
            _pay(desk, now, order)
        else:
            _hold(desk, now, order)


def _pay(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Take what a buy costs. Dust that costs nothing is not minted: the order ends as one that got nothing."""
    amount = _charge(desk, order)
    if amount > 0:
        desk.send(COLLATERAL, SpendCollateral(order.order_id, order.user, order.payment_id, amount))
        return
    if order.ends_as is None:
        order.ends_as, order.end_reason = Outcome.REJECTED, EndReason.FEES
    elif order.ends_as is Outcome.MINTED:
        order.ends_as = Outcome.CANCELLED
    end_unminted(desk, now, order)


def _hold(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Have a sell's cash held for it; tokens that brought too little to be sent are burned for nothing."""
    cash = cut(max(order.proceeds, Decimal(0)), desk.settings.collateral_decimals)
    if cash > 0:
        desk.send(COLLATERAL, HoldProceeds(order.order_id, order.user, order.symbol, cash))
    else:
        _burn(desk, now, order)


def on_spent(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralSpent) -> None:
    """The payment is certain: have the tokens minted."""
    order.charged = said.amount
    order.seq_num = said.seq_nums[-1] if said.seq_nums else 0
    order.position = said.position
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
    """There is no payment, and never will be."""
    order.ends_as, order.end_reason = Outcome.REJECTED, f"{EndReason.UNPAYABLE}: {said.reason}"
    end_unminted(desk, now, order)


def end_unminted(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """No tokens are minted or burned, and nothing of its money is with others: let it end."""
    forgo(desk, now, order)
    desk.move(now, order, IndexOrderStep.REFUSED)
    settle(desk, now, order)


def on_hold_refused(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRefused) -> None:
    """Cash that is refused once always is, because of settings: its owner has his tokens back, and may sell them again
    when those are mended."""
    if said.reason != CollateralRefusal.DUPLICATE:
        on_spend_refused(desk, now, order, said)


def on_held(desk: DeskBase, now: Nanos, order: IndexOrder, said: ProceedsHeld) -> None:
    """A sell's cash is there, and is its order's: burn what it is for."""
    order.held = said.amount
    _burn(desk, now, order)


def on_paid_out(desk: DeskBase, now: Nanos, order: IndexOrder, said: PaidOut) -> None:
    """A sell's cash has reached its user, or is his collateral, or has been waited for long enough: tell what his
    tokens brought."""
    order.paid_out, order.payout_fee, order.credited = EXACT.add(said.amount, said.credited), said.fee, said.credited
    order.under_way = said.under_way
    _redeem(desk, now, order)


def on_pay_out_refused(desk: DeskBase, now: Nanos, order: IndexOrder, said: CollateralRefused) -> None:
    """Cash that is on its way already arrives. Any other stays where it is, which is with the collateral."""
    if said.reason != CollateralRefusal.DUPLICATE:
        order.paid_out = order.credited = order.held
        _redeem(desk, now, order)


def on_minted(desk: DeskBase, now: Nanos, request: MintIndex) -> None:
    """The tokens exist: tell what they cost, and give back the rest."""
    order = desk.state.orders.live[request.key.partition(":")[2]]
    order.minted = request.quantity
    desk.state.indexes.mint(order.symbol, request.quantity, request.execution_price)
    _assign_lots(desk, now, order)
    invoice = mint_invoice(order, now)
    desk.note(invoice)
    desk.ask_chain(now, _kept(order, encode(invoice)))
    desk.move(now, order, IndexOrderStep.SETTLED)
    settle(desk, now, order)


def on_burned(desk: DeskBase, now: Nanos, request: BurnIndex) -> None:
    """The tokens are gone: pay out what they brought, and give back those that were not sold."""
    order = desk.state.orders.live[request.key.partition(":")[2]]
    order.minted = request.quantity
    desk.state.indexes.mint(order.symbol, request.quantity.copy_negate(), request.execution_price)
    leave_cash(desk, desk.state.indexes.live[order.symbol])
    desk.state.custody.burn(order.order_id, request.quantity)
    _assign_lots(desk, now, order)
    desk.move(now, order, IndexOrderStep.SETTLED)
    return_unsold(desk, now, order)
    if order.held > 0:
        desk.send(COLLATERAL, PayOut(order.order_id, order.user))
    else:
        _redeem(desk, now, order)


def _redeem(desk: DeskBase, now: Nanos, order: IndexOrder) -> None:
    """Tell what a sell's tokens brought, which is its end."""
    invoice = redemption_invoice(order, now)
    desk.note(invoice)
    desk.ask_chain(now, _kept(order, encode(invoice)))
    finish(desk, now, order)


def mint_invoice(order: IndexOrder, now: Nanos) -> MintInvoice:
    """What a user is told of what was minted for him."""
    assert order.position is not None
    total = order.whole
    tradable = total - order.fees
    invoice = MintInvoice(
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
        fill_rate=(order.spent - order.fees) / tradable if tradable else Decimal(1),
        execution_price=order.slices_cost / order.filled,
        lots=order.invoice_lots(),
        position=order.position,
        at=now,
    )
    return structs.replace(invoice, house_paid=order.house_paid) if order.house_paid else invoice


def redemption_invoice(order: IndexOrder, now: Nanos) -> RedemptionInvoice:
    """What a user is told of what was burned for him."""
    invoice = RedemptionInvoice(
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
        lots=order.invoice_lots(),
    )
    return structs.replace(invoice, amount_under_way=order.under_way) if order.under_way else invoice


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
            amount_paid=order.held,
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
        quantity = min(held.quantity, lot.original - lot.assigned)
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
