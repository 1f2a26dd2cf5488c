"""The dictionaries that Romer ships, FIX 4.2 and FIX 4.4, and the venue's own edition of FIX 4.2.

The modules beside this one are facts, restated as text by `romer-live fix pack` from QuickFIX-format files.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Final

import msgspec

from core.errors import InputError
from core.fix.dictionary import Dictionary, FieldDefinition, Item, Source, build, did_you_mean
from core.fix.dictionary_text import read_text
from core.fix.tags import (
    BLOCK_HEIGHT,
    GLOBAL_SEQ,
    LEAF_INDEX,
    NEXT_EXPECTED_MSG_SEQ_NUM,
    ORDER_SIGNATURE,
    ORDER_SIGNATURE_LENGTH,
    RECEIPT,
    MsgType,
)


def _fix42() -> Source:
    from core.fix.shipped import fix42_fields, fix42_messages  # noqa: PLC0415  # read when needed

    return read_text("FIX.4.2", fix42_fields.TEXT, fix42_messages.TEXT)


def _fix44() -> Source:
    from core.fix.shipped import fix44_fields, fix44_fields_2, fix44_messages  # noqa: PLC0415  # read when needed

    return read_text("FIX.4.4", f"{fix44_fields.TEXT} {fix44_fields_2.TEXT}", fix44_messages.TEXT)


_SOURCES: Final[dict[str, Callable[[], Source]]] = {"FIX.4.2": _fix42, "FIX.4.4": _fix44}
"""By BeginString."""
SHIPPED: Final = tuple(_SOURCES)
VENUE: Final = "ROMER"
"""What the command line calls the venue's own edition of FIX 4.2."""


@lru_cache
def dictionary(begin_string: str) -> Dictionary:
    """The shipped dictionary of a version. Raises InputError if there is none."""
    return build(source(begin_string))


def source(begin_string: str) -> Source:
    """The same, as it is written down."""
    if begin_string not in _SOURCES:
        hint = did_you_mean(begin_string, _SOURCES) or "give the file of a dictionary of your own"
        raise InputError(f"no dictionary of {begin_string!r} is shipped: there are {', '.join(_SOURCES)}", hint)
    return _SOURCES[begin_string]()


_SIGNATURE: Final = (
    FieldDefinition(ORDER_SIGNATURE_LENGTH, "OrderSignatureLength", "LENGTH"),
    FieldDefinition(ORDER_SIGNATURE, "OrderSignature", "DATA"),
)
_OF_THE_VENUE: Final[dict[str, tuple[FieldDefinition, ...]]] = {
    MsgType.EXECUTION_REPORT: (
        FieldDefinition(GLOBAL_SEQ, "GlobalSeq", "INT"),
        FieldDefinition(BLOCK_HEIGHT, "BlockHeight", "INT"),
        FieldDefinition(LEAF_INDEX, "LeafIndex", "INT"),
        FieldDefinition(RECEIPT, "Receipt", "STRING"),
    ),
    MsgType.NEW_ORDER_SINGLE: _SIGNATURE,
    MsgType.ORDER_CANCEL_REQUEST: _SIGNATURE,
    MsgType.ORDER_CANCEL_REPLACE_REQUEST: _SIGNATURE,
    MsgType.LOGON: (FieldDefinition(NEXT_EXPECTED_MSG_SEQ_NUM, "NextExpectedMsgSeqNum", "INT"),),
}


@lru_cache
def venue_dictionary() -> Dictionary:
    """FIX 4.2 as the venue speaks it."""
    return build(venue_source())


def venue_source() -> Source:
    """The same, as it is written down.

    A report may tell an order's place in the venue's total order and in its block, and have its receipt; orders and
    requests may have their owner's signature; a Logon may tell, as in FIX 4.4, the next number expected.
    """
    plain = source("FIX.4.2")
    messages = tuple(
        msgspec.structs.replace(message, items=(*message.items, *(Item(field.tag, required=False) for field in added)))
        for message in plain.messages
        for added in [_OF_THE_VENUE.get(message.msg_type, ())]
    )
    own = {field.tag: field for field in chain.from_iterable(_OF_THE_VENUE.values())}
    fields = (*plain.fields, *own.values())
    return msgspec.structs.replace(plain, fields=fields, messages=messages)
