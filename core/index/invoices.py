"""Invoices: what a user paid for tokens that were minted, or got for tokens that were burned. Answers like others."""

from __future__ import annotations

from decimal import Decimal

from core.collateral.records import CollateralView
from core.kernel.record import Record
from core.units import Nanos


class InvoiceLot(Record, frozen=True):
    """What an order has of one lot, or of one sale: `assigned_fee` is the lot's fee pro rata. Times as in the lot."""

    lot_id: str
    symbol: str
    price: Decimal
    original_quantity: Decimal
    remaining_quantity: Decimal
    original_fee: Decimal
    assigned_quantity: Decimal
    assigned_fee: Decimal
    created_at: Nanos
    assigned_at: Nanos


class MintInvoice(Record, frozen=True):
    """What a user paid for what was minted. `total_amount` is what the order was for in the end: what was netted or
    amended away is no part of it, and is given back besides `amount_remaining`; nor is collateral that did not come.

    management_fee    routing charges
    amount_paid       confirmed by the collateral manager, with the management fee
    amount_remaining  total_amount - spent
    assets_value      sum of price x assigned
    exchange_fee      sum of assigned fees
    fill_rate         (spent - management_fee) / (total_amount - management_fee); 1 where that is 0 / 0
    execution_price   sum of slice costs / filled_quantity
    house_paid        what the lots cost beyond all of the order's collateral: only reference mode lets that happen
    """

    order_id: str
    user: str
    client_order_id: str
    payment_id: str
    seq_num: int
    symbol: str
    filled_quantity: Decimal
    total_amount: Decimal
    amount_paid: Decimal
    amount_remaining: Decimal
    management_fee: Decimal
    assets_value: Decimal
    exchange_fee: Decimal
    fill_rate: Decimal
    execution_price: Decimal
    lots: tuple[InvoiceLot, ...]
    position: CollateralView
    at: Nanos
    house_paid: Decimal = Decimal(0)


class RedemptionInvoice(Record, frozen=True):
    """What a user got for the tokens that were burned. `total_quantity` is what the order was for in the end, without
    what was netted or amended away.

    quantity_remaining  total_quantity - burned_quantity
    assets_value        sum of price x sold, before fees, as in a mint's invoice
    exchange_fee        sum of the sales' fees
    proceeds            assets_value - exchange_fee
    payout_fee          what it cost to bring the money to the user
    amount_paid         proceeds - payout_fee - amount_under_way, in whole units of the collateral
    amount_credited     of amount_paid, what no way home takes, or took in time: it is the user's collateral
    amount_under_way    what was sent, and a hop still had when it had been waited for long enough
    """

    order_id: str
    user: str
    client_order_id: str
    symbol: str
    total_quantity: Decimal
    burned_quantity: Decimal
    quantity_remaining: Decimal
    assets_value: Decimal
    proceeds: Decimal
    exchange_fee: Decimal
    payout_fee: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    execution_price: Decimal
    at: Nanos
    amount_under_way: Decimal = Decimal(0)
    lots: tuple[InvoiceLot, ...] = ()
    """The sales of what its tokens were made of."""
