"""Why a message is refused on the session layer, with the numbers and texts that other engines use."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from core.fix.tags import SessionRejectReason


class RejectReason(StrEnum):
    """Stable reason codes of a Reject. FIX 4.2 has no SessionRejectReason for some of them."""

    REQUIRED_TAG_MISSING = "required_tag_missing"
    TAG_WITHOUT_VALUE = "tag_without_value"
    INCORRECT_VALUE = "incorrect_value"
    INCORRECT_FORMAT = "incorrect_format"
    COMP_ID_PROBLEM = "comp_id_problem"
    SENDING_TIME_ACCURACY = "sending_time_accuracy"
    INVALID_MSG_TYPE = "invalid_msg_type"
    REPEATED_TAG = "repeated_tag"
    TAG_OUT_OF_ORDER = "tag_out_of_order"


_ANSWERS: Final[dict[RejectReason, tuple[SessionRejectReason | None, str]]] = {
    RejectReason.REQUIRED_TAG_MISSING: (SessionRejectReason.REQUIRED_TAG_MISSING, "Required tag missing"),
    RejectReason.TAG_WITHOUT_VALUE: (
        SessionRejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE,
        "Tag specified without a value",
    ),
    RejectReason.INCORRECT_VALUE: (
        SessionRejectReason.VALUE_IS_INCORRECT,
        "Value is incorrect (out of range) for this tag",
    ),
    RejectReason.INCORRECT_FORMAT: (
        SessionRejectReason.INCORRECT_DATA_FORMAT,
        "Incorrect data format for value",
    ),
    RejectReason.COMP_ID_PROBLEM: (SessionRejectReason.COMP_ID_PROBLEM, "CompID problem"),
    RejectReason.SENDING_TIME_ACCURACY: (
        SessionRejectReason.SENDING_TIME_ACCURACY_PROBLEM,
        "SendingTime accuracy problem",
    ),
    RejectReason.INVALID_MSG_TYPE: (SessionRejectReason.INVALID_MSG_TYPE, "Invalid MsgType"),
    RejectReason.REPEATED_TAG: (None, "Tag appears more than once"),
    RejectReason.TAG_OUT_OF_ORDER: (None, "Tag specified out of required order"),
}


class Rejection(msgspec.Struct, frozen=True):
    """A message's first fault, and the tag at fault if it is one tag's."""

    reason: RejectReason
    ref_tag_id: int | None = None

    @property
    def session_reject_reason(self) -> int | None:
        """SessionRejectReason(373) in FIX 4.2."""
        number = _ANSWERS[self.reason][0]
        return None if number is None else int(number)

    @property
    def text(self) -> str:
        """Text(58)."""
        return _ANSWERS[self.reason][1]
