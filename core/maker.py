"""A market maker's order desk: turns what its world wants into FIX orders and keeps score of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final

import msgspec

from core.fix.messages import (
    BusinessMessageReject,
    ExecutionReport,
    FixMessage,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
)
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.kernel.component import Component, Handler
from core.kernel.ids import Ids
from core.kernel.record import Message, Note, Record, Send, Start, Stop
from core.market.orders import Side
from core.market.world import CancelWanted, OrderWanted
from core.units import Nanos

FIX: Final = "fix"
OPEN_ORDERS_MAX: Final = 10_000
_LIMIT: Final = "2"
_AUTOMATIC_EXECUTION: Final = "1"
_DAY, _IOC, _FOK, _GTD = "0", "3", "4", "6"
_SIDES: Final[dict[Side, str]] = {"buy": "1", "sell": "2"}
