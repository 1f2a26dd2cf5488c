"""What each market maker may do besides what the venue's rules say: its permissions, as the registry knows them.

They come with every logon that was proven. Whoever logs on without a key has none, and is bound by the rules alone.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, get_args

import msgspec
from msgspec.structs import replace

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, OrderStatusRequest
from core.fix.records import FromPeer
from core.identity.checking import Signed
from core.identity.orders import order_message
from core.identity.records import MakerAdmitted, Permissions, PermissionsChanged
from core.market.limiter import Window
from core.sequencer.reasons import Reason, Refusal
from core.units import SECOND, Nanos

Incoming: TypeAlias = NewOrderSingle | OrderCancelRequest | OrderCancelReplaceRequest | OrderStatusRequest
MSG_TYPES: Final[tuple[str, ...]] = tuple(message.MSG_TYPE for message in get_args(Incoming))
"""The application messages that the sequencer takes."""


class Permit(msgspec.Struct):
    """Who is logged on as a session and may do what, and how much they have sent in the last second."""

    admitted: MakerAdmitted | None = None
    """None if they logged on without a key."""
    coming: MakerAdmitted | None = None
    """Who is about to log on as the session. Whoever is still logged on is not that, and may stay."""
    barred: str = ""
    """Why they may do nothing until they are admitted again; empty while they may."""
    sent: Window = msgspec.field(default_factory=lambda: Window(0, SECOND))
    """What came in the last second and was not too much."""

    @property
    def signs(self) -> bool:
        """Whether each of their orders and requests must be signed."""
        return self.admitted is not None and self.admitted.signing == "order"

    def open(self) -> None:
        """Who was coming is logged on. What was sent in the last second still counts."""
        if self.coming is not None:
            self.admitted, self.coming, self.barred = self.coming, None, ""

    def admit(self, who: MakerAdmitted, opened: str | None) -> None:
        """Somebody is about to log on, or has: by `opened`, the connection of the last Logon that was heard of."""
        self.coming = who
        if opened == who.conn and (self.admitted is None or self.admitted.conn != opened):
            self.open()

    def bar(self, why: str) -> None:
        """Nothing more from them. Who was about to log on was admitted before that, and is not let in by it."""
        self.coming, self.barred = None, why

    def change(self, changed: PermissionsChanged) -> None:
        """A market maker may do something else from now on, which counts here if it is this one."""
        if self.admitted is not None and self.admitted.maker == changed.maker:
            self.admitted = replace(self.admitted, permissions=changed.permissions)
        if self.coming is not None and self.coming.maker == changed.maker:
            self.coming = replace(self.coming, permissions=changed.permissions)

    def objection(self, message: Incoming, now: Nanos) -> Refusal | None:
        """Why they may not send `message`; None if they may. It counts in the second that follows, whether they may or
        not, unless it is refused for the rate: who sends too fast still gets through as much as it may.

        Symbols and the largest order bind new orders and what is to replace them: whoever has one may always cancel it.
        """
        permissions = self.admitted.permissions if self.admitted is not None else Permissions()
        limit = permissions.messages_per_second_max
        is_too_much = limit is not None and self.sent.weight(now) >= limit
        if not is_too_much:
            self.sent.put(now, 1)
        if self.barred:
            return Refusal(Reason.NOT_ADMITTED, self.barred)
        if is_too_much:
            return Refusal(Reason.RATE_EXCEEDED, f"more than {limit} messages in a second")
        if permissions.msg_types is not None and message.MSG_TYPE not in permissions.msg_types:
            return Refusal(Reason.MSG_TYPE_NOT_PERMITTED, f"MsgType {message.MSG_TYPE} is not permitted")
        if not isinstance(message, NewOrderSingle | OrderCancelReplaceRequest):
            return None
        return _order_objection(permissions, message)

    def to_check(self, received: FromPeer[Any]) -> Signed | None:
        """What has to be checked of an order or a request before it counts; None of those who do not sign each."""
        if self.admitted is None or not self.signs:
            return None
        return self.admitted.public_key, order_message(received.content_hash), received.message.order_signature


def _order_objection(permissions: Permissions, order: NewOrderSingle | OrderCancelReplaceRequest) -> Refusal | None:
    most = permissions.order_quantity_max
    if permissions.symbols is not None and order.symbol not in permissions.symbols:
        return Refusal(Reason.SYMBOL_NOT_PERMITTED, "this Symbol is not permitted")
    if most is not None and order.order_qty is not None and order.order_qty > most:
        return Refusal(Reason.QUANTITY_NOT_PERMITTED, f"OrderQty is above {most}, the most that is permitted")
    return None
