"""Whatever a market maker sends: one message, one answer, and the first stage that it fails gives it."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from core.fix.records import MessageRejected
from core.identity.records import Permissions, PermissionsChanged
from core.sequencer.facts import (
    SEQUENCED,
    CancelRequestRefused,
    OrderRefused,
    ReplaceRequestRefused,
    StatusRequestRefused,
)
from tests.helpers.fix_messages import TEXTS
from tests.helpers.front import BODIES, ORDER, TIME, Fields, Front

REFUSED: Final = (OrderRefused, CancelRequestRefused, ReplaceRequestRefused, StatusRequestRefused)
VALUES: Final = st.sampled_from(
    ["", "0", "1", "2", "6", "-1", "1e5", "0.5", "9" * 30, "live", "c1", "ETHUSDC", TIME, "99991231-23:59:59", "x" * 70]
) | TEXTS.filter(lambda text: "\x01" not in text)
TAGS: Final = st.sampled_from(
    [*sorted({tag for body in BODIES.values() for tag in body}), 59, 126, 37, 1, 58, 99, 9999]
)
EDITS: Final = st.lists(st.tuples(TAGS, st.none() | VALUES), max_size=4)
KINDS: Final = st.sampled_from([*"DFGHDFGH", "S", "8", "9", "j", "ZZ"])


@given(st.lists(st.tuples(KINDS, st.sampled_from("DFGH"), EDITS), min_size=1, max_size=6))
def test_each_message_has_exactly_one_answer_and_none_ends_the_session(
    sent: list[tuple[str, str, list[tuple[int, str | None]]]],
) -> None:
    front = Front()
    front.open_order()
    for kind, like, edits in sent:
        body = dict(BODIES[like])
        for tag, value in edits:
            body.pop(tag, None)
            if value is not None:
                body[tag] = value
        before = len(front.notes)
        (answer,) = front.say(kind, body)
        outcomes = [fact for fact in front.notes[before:] if isinstance(fact, (*SEQUENCED, *REFUSED, MessageRejected))]
        assert answer[35] in "389j"
        assert len(outcomes) == (answer.get(20) != "3" or answer[39] == "8")
        if answer[35] in "3j":
            assert answer[45] == str(front.number)
        elif answer.get(20) != "3":
            assert answer[11] == body[11]
    (answer,) = front.say("1", {112: "still there"})
    assert (answer[35], answer[112]) == ("0", "still there")


FAULTS: Final[dict[str, tuple[str, Fields, int, Fields]]] = {
    "invalid_msg_type": ("ZZ", {}, 0, {35: "3", 373: "11"}),
    "required_tag_missing": ("D", {}, 60, {35: "3", 371: "60", 373: "1"}),
    "incorrect_value": ("D", {54: "Z"}, 0, {35: "3", 371: "54", 373: "5"}),
    "rate_exceeded": ("D", {}, 0, {35: "8", 39: "8", 103: "3"}),
    "unknown_symbol": ("D", {55: "BTCUSDC"}, 0, {35: "8", 39: "8", 103: "1"}),
    "invalid_cl_ord_id": ("D", {11: "c" * 65}, 0, {35: "8", 39: "8", 103: "0"}),
    "unsupported_ord_type": ("D", {40: "1"}, 0, {35: "8", 39: "8", 103: "0"}),
    "expired": ("D", {59: "6", 126: TIME}, 0, {35: "8", 39: "8", 103: "4"}),
    "quantity_off_lot": ("D", {38: "0.00005"}, 0, {35: "8", 39: "8", 103: "0"}),
    "price_off_tick": ("D", {44: "1990.005"}, 0, {35: "8", 39: "8", 103: "0"}),
}
"""One of each in the order in which they are looked for: MsgType, what to change, which tag to leave out, the answer.

MsgType comes before the fields that it requires: of a type that is none, nobody knows them.
"""


@given(st.sets(st.sampled_from(list(FAULTS)), min_size=1), st.booleans())
def test_of_several_faults_the_first_stage_that_has_one_decides(faults: set[str], garbled: bool) -> None:
    front = Front(Permissions())
    first = next(name for name in FAULTS if name in faults)
    body, kind, without = dict(ORDER), "D", 0
    for name in faults:
        its_kind, change, missing, _ = FAULTS[name]
        body |= change
        kind = its_kind if its_kind != "D" else kind
        without = missing or without
    if "rate_exceeded" in faults:
        front.tell("sequencer", PermissionsChanged("MM1", Permissions(messages_per_second_max=1)))
        front.say("H")
        front.notes.clear()
    raw = front.compose(kind, body, without=without)
    if garbled:
        assert front.say_raw(raw[:-4] + b"%03d\x01" % ((int(raw[-4:-1]) + 1) % 256)) == []
    (answer,) = front.say_raw(raw)
    assert answer.items() >= FAULTS[first][3].items()
    (outcome,) = front.facts(MessageRejected, *REFUSED)
    assert outcome.reason == first
