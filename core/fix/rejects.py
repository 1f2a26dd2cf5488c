"""Why a message is refused on the session layer, with the numbers and texts that other engines use."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from core.fix.tags import BusinessRejectReason, SessionRejectReason
from core.fix.versions import version_of


class RejectReason(StrEnum):
    """Stable reason codes of a Reject. Older versions have no SessionRejectReason for some of them."""

    INVALID_TAG_NUMBER = "invalid_tag_number"
    REQUIRED_TAG_MISSING = "required_tag_missing"
    TAG_NOT_DEFINED = "tag_not_defined"
    TAG_WITHOUT_VALUE = "tag_without_value"
    INCORRECT_VALUE = "incorrect_value"
    INCORRECT_FORMAT = "incorrect_format"
    COMP_ID_PROBLEM = "comp_id_problem"
    SENDING_TIME_ACCURACY = "sending_time_accuracy"
    INVALID_MSG_TYPE = "invalid_msg_type"
    REPEATED_TAG = "repeated_tag"
    TAG_OUT_OF_ORDER = "tag_out_of_order"
    INCORRECT_GROUP_COUNT = "incorrect_group_count"
    TOO_LARGE = "too_large"
    TOO_MANY_FIELDS = "too_many_fields"


_ANSWERS: Final[dict[RejectReason, tuple[SessionRejectReason, str]]] = {
    RejectReason.INVALID_TAG_NUMBER: (SessionRejectReason.INVALID_TAG_NUMBER, "Invalid tag number"),
    RejectReason.TAG_NOT_DEFINED: (
        SessionRejectReason.TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE,
        "Tag not defined for this message type",
    ),
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
    RejectReason.REPEATED_TAG: (SessionRejectReason.TAG_APPEARS_MORE_THAN_ONCE, "Tag appears more than once"),
    RejectReason.TAG_OUT_OF_ORDER: (
        SessionRejectReason.TAG_SPECIFIED_OUT_OF_REQUIRED_ORDER,
        "Tag specified out of required order",
    ),
    RejectReason.INCORRECT_GROUP_COUNT: (
        SessionRejectReason.INCORRECT_NUM_IN_GROUP_COUNT,
        "Incorrect NumInGroup count for repeating group",
    ),
    RejectReason.TOO_LARGE: (SessionRejectReason.OTHER, "More than {limit} bytes"),
    RejectReason.TOO_MANY_FIELDS: (SessionRejectReason.OTHER, "More than {limit} fields"),
}


class Rejection(msgspec.Struct, frozen=True):
    """A message's first fault, the tag at fault if it is one tag's, and the limit if one was exceeded."""

    reason: RejectReason
    ref_tag_id: int | None = None
    limit: int = 0

    def session_reject_reason(self, begin_string: str) -> int | None:
        """SessionRejectReason(373), if this version of FIX has one for it."""
        return version_of(begin_string).reject_reason(self.number)

    @property
    def number(self) -> int:
        """SessionRejectReason(373), whether or not a version of FIX has it."""
        return int(_ANSWERS[self.reason][0])

    @property
    def text(self) -> str:
        """Text(58)."""
        return _ANSWERS[self.reason][1].format(limit=self.limit)


_CODES: Final = {
    int(number): str(reason) for reason, (number, _) in _ANSWERS.items() if number is not SessionRejectReason.OTHER
}
RATE_EXCEEDED: Final = "rate_exceeded"
"""The reason code of a BusinessMessageReject for one message too many, for which FIX has no number of its own."""
_BUSINESS_CODES: Final = {reason.value: reason.name.lower() for reason in BusinessRejectReason}


def code_of(number: int, *, is_business: bool) -> str:
    """The reason code of a SessionRejectReason(373) or BusinessRejectReason(380); `other` for one without a code."""
    return (_BUSINESS_CODES if is_business else _CODES).get(number, "other")
