"""Facts of an index desk in words, for the life of an order. One template per type; one without is spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, Final

_WORDS: Final = {
    "IndexOrderAccepted": "accepted: {side} {symbol}, for {amount}",
    "IndexOrderRejected": "rejected ({reason}) {text}",
    "IndexOrderAmended": "amended: it is for {amount} now",
    "IndexOrderNetted": "{amount} of it meets the opposite wish {against} of its owner, and neither is traded",
    "IndexRequestRefused": "request to {request} it refused ({reason})",
    "IndexOrderMoved": "is {state} ({step})",
    "IndexOrderDeferred": "waits ({reason}) {asset}",
    "IndexOrderFill": "report: filled {filled_quantity}, spent {collateral_spent}, {collateral_remaining} remaining; "
    "rate {fill_rate}, {status}",
    "IndexBatchOpened": "batch {batch_id} opens with {orders} and {exchange_orders}; "
    "these are for {volley} at their limits ({planner})",
    "OrderEngaged": "engaged in {batch_id} for {quantity} at up to {price}: {collateral} set aside, "
    "{carried} of it carried",
    "AssetOrderPlanned": "{batch_id} wants {demand} {symbol}: {stock} at hand, {crossed} from users who sell, "
    "{quantity} from the exchange at {price} or better",
    "OrdersCrossed": "in {batch_id} users sell {quantity} {symbol} to users, at {price} and without a fee "
    "(lot {lot_id})",
    "HouseTraded": "in {batch_id} the house takes over {quantity} {symbol} at {price}, too little for the exchange "
    "(lot {lot_id})",
    "CrossingAwaited": "is ready, and waits for an order of the other side that is on its way",
    "AssetOrderPlaced": "exchange order {order_id} goes out: {quantity} at {price}",
    "ExchangeOrderSent": "{order_id} is sent to the exchange: {side} {quantity} {symbol} at {price} ({time_in_force})",
    "ExchangeOrderAccepted": "the exchange has {order_id}",
    "ExchangeOrderDeferred": "the exchange has no room for {order_id}, which is first in line again ({code})",
    "ExchangeOrderDoubted": "what became of {order_id} is not known, and is asked: {why}",
    "ExchangeOrderUntold": "the exchange does not say what became of {order_id}, asked {queries} times: {why}",
    "PlacementRepeated": "{order_id} is asked for once more, which changes nothing",
    "AssetOrderFilled": "{order_id} trades {quantity} {symbol} at {price}, fee {fee} ({trade_id})",
    "AssetOrderEnded": "{order_id} has ended ({reason}); {cancelled_quantity} did not trade",
    "LotAssigned": "gets {quantity} {symbol} of lot {lot_id} ({side} at {price}), fee {fee}",
    "CashForgone": "leaves {amount} of the cash of {symbol} to the house",
    "CashSettled": "settles {amount} of the cash of {symbol} with the house",
    "CashLeft": "{symbol}, of which there are no tokens any more, leaves its cash of {amount} to the house",
    "LotForgone": "leaves {quantity} {symbol} of lot {lot_id} to the house",
    "LotClosed": "{quantity} {symbol} of lot {lot_id} ({side}) closed at {closing_price}: profit {profit}",
    "StockLeft": "{batch_id} leaves {symbol} that was bought: {carried} carried to the next batch, {house} to the "
    "house",
    "StockReleased": "{quantity} {symbol} that was bought and carried is the house's: no order wants it any more",
    "IndexBatchCompleted": "batch {batch_id} is complete: its exchange orders have traded {fill} of what they were "
    "for, worth {value}, fees {fee}",
    "CollateralNotRouted": "no way for {amount} from {source} to {target}: {why}",
    "CollateralShort": "its collateral is {amount} short of it, which is tolerated: so much of it is not traded",
    "CollateralMoved": "{amount} {what}: {before} -> {after}",
    "TransferStarted": "{transfer_id} sets out with {amount} from {source} to {target} {way}",
    "TransferStepped": "{transfer_id} {what} at {held_at}: {amount}, and {fee} in fees {reason}",
    "HopStepped": "hop {hop} from {source} to {destination}: {what} {amount}, fee {fee} {reason}",
    "BridgeStepped": "bridge {hop}: {what}, {confirmations} confirmations",
    "HopDisputed": "to be looked at, of {transfer_id}: {hop} {what}",
    "WithdrawalEnded": "withdrawal {seq_num} of {user} is over: {paid} paid, which cost {fee}; {refused} refused, "
    "{under_way} under way {reason}",
    "MintInvoice": "invoice: {filled_quantity} {symbol} minted for {amount_paid}: routing {management_fee}, "
    "assets {assets_value}, exchange fees {exchange_fee}; {execution_price} each",
    "RedemptionInvoice": "invoice: {burned_quantity} {symbol} burned for {amount_paid}, {amount_credited} of it "
    "credited, {amount_under_way} under way: proceeds {proceeds}, exchange fees {exchange_fee}, payout {payout_fee}; "
    "{execution_price} each",
    "IndexOrderEnded": "{outcome} ({reason}): {filled_quantity} filled, {refund} given back, which cost {refund_fee}; "
    "{credited} is credited, {under_way} under way; {routing_fee} was kept on the way",
    "PayoutArrived": "what was under way for {user} is no more: {amount} arrived, {fee} in fees, {credited} credited",
    "MintIndex": "{quantity} {symbol} minted for {user}, who paid {amount_paid} ({payment_id}); {execution_price} each",
    "BurnIndex": "{quantity} {symbol} of {user} burned for {amount_paid}; {execution_price} each",
    "ReturnIndex": "{quantity} {symbol} out of custody, back to {user}",
    "TokensHeld": "{amount} {symbol} of {user} came into custody; {free} are free",
    "TokensReturned": "{amount} {symbol} go back to {user} out of custody",
    "TokensKept": "{amount} {symbol} of {user} stay in custody as his, for the chain does not give them back: {reason}",
    "TokensRefused": "{amount} {symbol} of {user} are no tokens that could be sold ({reason})",
    "DepositIndex": "{quantity} {symbol} of {user} into custody, deposit number {seq_num}",
    "SetSolverWeights": "{symbol} is made of {quantities} from now on, worth {price} (version {version})",
    "RecordInvoice": "invoice of {order_id} of {user}, for {symbol}: SHA-256 {digest}",
    "ChainCallDone": "the chain has done {key}: event {index} of block {height} ({block_hash})",
    "HouseTaskSet": "the house has to {side} {quantity} {asset} {whose} ({priority})",
    "HouseTaskDone": "nothing is left of it that could be traded",
    "HouseTaskBlocked": "the exchange refuses what the house has to {side}: {quantity} {asset}, worth {value} "
    "({reason})",
    "HouseTaskUnblocked": "what the house has to trade of {asset} is refused no more, or there is nothing left of it",
    "CommissionUnpriced": "{trade_id} of {asset_order_id} cost {commission} {asset}, whose worth nobody knows",
    "InventoryReconciled": "{assets} assets were compared with the exchange's balances: {differing} differ",
    "InventoryDiffered": "the exchange holds {at_venue} {asset}, and {owned} are owned",
    "InventoryAgreed": "the exchange holds {at_venue} {asset} again, as owned",
    "ChainCallDeclined": "the chain will never do {key}: {reason}",
    "ExecutionUnexpected": "to be looked at: the exchange tells of {quantity} {symbol} at {price} for {client_id} "
    "{trade_id}: {why}",
    "ChainDisputed": "to be looked at: what the chain says of {key} is not its last word: {what}",
    "OrderRepaid": "the house has paid {amount} back for tokens that are not minted, and keeps what was bought",
    "ProceedsReclaimed": "{amount} that was held for tokens that are not burned is their index's",
    "ChainCallRetried": "the chain is asked again for {key} (attempt {attempt}): {reason}",
}
_OF_SELLS: Final = {
    "OrderEngaged": "engaged in {batch_id} to sell {quantity} at {price} or better",
    "IndexOrderFill": "report: {filled_quantity} sold for {proceeds}, {collateral_remaining} remaining; "
    "rate {fill_rate}, {status}",
    "AssetOrderPlanned": "{batch_id} has {demand} {symbol} to sell: {stock} are sold already, {crossed} to users who "
    "buy, {quantity} to the exchange at {price} or better",
    "LotAssigned": "sells {quantity} {symbol} at {price} as a part of lot {lot_id}, fee {fee}",
    "StockLeft": "{batch_id} leaves {symbol} that was sold: {carried} carried to the next batch, {house} to the house",
    "StockReleased": "{quantity} {symbol} that was sold and carried is the house's: no order wants it any more",
    "LotForgone": "leaves {quantity} {symbol} that was sold as lot {lot_id} to the house",
}
"""What is said of a sell in other words."""
_LEAST_SAID: Final = Decimal("1E-8")
_SHORT: Final = Context(prec=3)
_NUMBER: Final = "0123456789"
_OFTEN_NOTHING: Final = ("refund_fee", "credited", "under_way", "amount_under_way", "routing_fee")


def in_words(kind: str, fact: Mapping[str, Any]) -> str:
    """The fact as a sentence."""
    template = _OF_SELLS.get(kind) if fact.get("side") == "sell" else None
    template = template or _WORDS.get(kind)
    if template is None:
        return " ".join([kind, *(f"{name}={value}" for name, value in fact.items() if name != "type")])
    return template.format_map(_Readable(fact)).strip()


class _Readable(dict[str, Any]):
    """The fields of a fact as people read them; one that is left out of the record has its default."""

    def __init__(self, fact: Mapping[str, Any]) -> None:
        super().__init__({name: _readable(value) for name, value in fact.items()})
        self["orders"] = _counted(len(fact.get("order_ids", ())), "order")
        self["exchange_orders"] = _counted(fact.get("asset_orders", 0), "exchange order")
        self["whose"] = f"for {self['symbol']}" if self.get("symbol") else "for itself"
        self["way"] = f"by {self['hops']}" if self.get("hops") else "without a hop"
        self["before"] = f"{self['was']} {self['source']}" if self.get("was") else "from outside"
        self["after"] = f"{self.get('state', '')} {self.get('destination', '')}".strip() or "to outside"
        for name in _OFTEN_NOTHING:
            self.setdefault(name, "0")

    def __missing__(self, name: str) -> str:
        return ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _readable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(" ".join(map(str, map(_readable, each))) if _is_pair(each) else str(each) for each in value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str) and value[:1] in _NUMBER and value[:1]:
        return _amount(value)
    return value


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _amount(text: str) -> str:
    try:
        return in_digits(Decimal(text))
    except ArithmeticError:
        return text


def in_digits(amount: Decimal) -> str:
    """An amount to 8 decimals, without zeros at its end; one that is less than these can say to 3 digits."""
    if amount and abs(amount) < _LEAST_SAID:
        return str(_SHORT.create_decimal(amount).normalize())
    return f"{round(amount, 8).normalize():f}"
