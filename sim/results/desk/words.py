"""Facts of an index desk in words, for the life of an order. One template per type; one without is spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

_WORDS: Final = {
    "IndexOrderAccepted": "accepted: {side} {symbol}, for {amount}",
    "IndexOrderRejected": "rejected ({reason}) {text}",
    "IndexOrderAmended": "amended: it is for {amount} now",
    "IndexOrderNetted": "{amount} of it meets the opposite wish {against} of its owner, and neither is traded",
    "IndexRequestRefused": "request to {request} it refused ({reason})",
    "IndexOrderMoved": "is {state} ({step})",
    "IndexOrderDeferred": "waits for a later batch ({reason}) {asset}",
    "IndexOrderFill": "report: filled {filled_quantity}, spent {collateral_spent}, {collateral_remaining} remaining; "
    "rate {fill_rate}, {status}",
    "IndexBatchOpened": "batch {batch_id} opens with {orders} orders and {asset_orders} exchange orders; "
    "it can cost {volley} at most ({planner})",
    "OrderEngaged": "engaged in {batch_id} for {quantity} at up to {price}: {collateral} set aside, "
    "{carried} of it carried",
    "AssetOrderPlanned": "{batch_id} wants {demand} {symbol}: {stock} at hand, {crossed} from its other side, "
    "{quantity} from the exchange at {price} or better",
    "AssetOrderPlaced": "exchange order {order_id} goes out: {quantity} at {price}",
    "ExchangeOrderSent": "{order_id} is sent to the exchange: {side} {quantity} {symbol} at {price} ({time_in_force})",
    "ExchangeOrderAccepted": "the exchange has {order_id}",
    "ExchangeOrderDeferred": "the exchange has no room for {order_id}, which is first in line again ({code})",
    "ExchangeOrderDoubted": "what became of {order_id} is not known, and is asked: {why}",
    "ExchangeOrderUntold": "the exchange does not say what became of {order_id}, asked {queries} times: {why}",
    "PlacementRepeated": "{order_id} is asked for once more, which changes nothing",
    "AssetOrderFilled": "{order_id} trades {quantity} {symbol} at {price}, fee {fee} ({trade_id})",
    "AssetOrderEnded": "{order_id} has ended ({reason}); {cancelled_quantity} did not trade",
    "LotAssigned": "gets {quantity} {symbol} of lot {lot_id}, bought at {price}, fee {fee}",
    "LotClosed": "{quantity} {symbol} of lot {lot_id} sold at {closing_price}: profit {profit}",
    "StockLeft": "{batch_id} leaves {symbol}: {carried} carried to the next batch, {house} to the house",
    "IndexBatchCompleted": "batch {batch_id} is complete: {fill} of its volley traded, worth {value}, fees {fee}",
    "CollateralMoved": "{amount} {what}: {was} {source} -> {state} {destination}",
    "TransferStarted": "{transfer_id} sets out with {amount} from {source} to {target} by {hops}",
    "TransferStepped": "{transfer_id} {what} at {held_at}: {amount}, and {fee} in fees {reason}",
    "HopStepped": "hop {hop} from {source} to {destination}: {what} {amount}, fee {fee} {reason}",
    "BridgeStepped": "bridge {hop}: {what}, {confirmations} confirmations",
    "MintInvoice": "invoice: {filled_quantity} {symbol} minted for {amount_paid}: routing {management_fee}, "
    "assets {assets_value}, exchange fees {exchange_fee}; {execution_price} each",
    "RedemptionInvoice": "invoice: {burned_quantity} {symbol} burned for {amount_paid}, {amount_credited} of it "
    "credited: proceeds {proceeds}, exchange fees {exchange_fee}, payout {payout_fee}; {execution_price} each",
    "IndexOrderEnded": "{outcome} ({reason}): {filled_quantity} filled, {refund} given back",
    "ChainCallDone": "the chain has done {key}: event {index} of block {height} ({block_hash})",
    "CommissionUnpriced": "{trade_id} of {asset_order_id} cost {commission} {asset}, whose worth nobody knows",
    "ChainCallRetried": "the chain is asked again for {key} (attempt {attempt}): {reason}",
}
_NUMBER: Final = "0123456789"


def in_words(kind: str, fact: Mapping[str, Any]) -> str:
    """The fact as a sentence."""
    template = _WORDS.get(kind)
    if template is None:
        return " ".join([kind, *(f"{name}={value}" for name, value in fact.items() if name != "type")])
    return template.format_map(_Readable(fact)).strip()


class _Readable(dict[str, Any]):
    """The fields of a fact as people read them; one that is left out of the record has its default."""

    def __init__(self, fact: Mapping[str, Any]) -> None:
        super().__init__({name: _readable(value) for name, value in fact.items()})
        self["orders"] = len(fact.get("order_ids", ()))

    def __missing__(self, name: str) -> str:
        return ""


def _readable(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str) and value[:1] in _NUMBER and value[:1]:
        return _amount(value)
    return value


def _amount(text: str) -> str:
    try:
        return in_digits(Decimal(text))
    except ArithmeticError:
        return text


def in_digits(amount: Decimal) -> str:
    """An amount to 8 decimals, without zeros at its end."""
    return f"{round(amount, 8).normalize():f}"
