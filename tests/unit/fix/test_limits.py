"""Messages that are beyond a limit, or cannot be taken apart, cost their number: nobody asks for them for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.fix.codec import encode, join
from core.fix.dialect import Dialect
from core.fix.framer import OVERSIZE_TIMES
from core.fix.generic import GenericMessage
from core.fix.lifecycle import UNFILLED_MAX
from core.fix.records import (
    InputIgnored,
    LogOn,
    LogOut,
    MessageRejected,
    ResetNumbers,
    SessionClosed,
    SetNumbers,
)
from core.fix.shipped import dictionary
from core.kernel.record import Bytes, Connected, Disconnected, Message, Record
from core.units import SECOND
from tests.helpers.fix import LOGON, ORDER, Hand, acceptor_config, initiator_config, order, seal

BYTES_MAX, FIELDS_MAX = 2_000, 50
DUP = "43=Y|122=20231114-22:13:20"
MANY_FIELDS = f"{ORDER}|" + "|".join(f"{tag}=x" for tag in range(6_000, 6_060))


def limited(**changes: Any) -> Hand:
    return Hand.logged_on(message_bytes_max=BYTES_MAX, fields_max=FIELDS_MAX, **changes)


def large(size: int = BYTES_MAX) -> str:
    return f"{ORDER}|58={'x' * size}"


def rejected(hand: Hand) -> list[MessageRejected]:
    return [note for note in hand.notes if isinstance(note, MessageRejected)]


def ignored(hand: Hand) -> list[str]:
    return [note.reason for note in hand.notes if isinstance(note, InputIgnored)]


BEYOND = [
    (MANY_FIELDS, "too_many_fields", f"More than {FIELDS_MAX} fields"),
    (large(), "too_large", f"More than {BYTES_MAX} bytes"),
]


@pytest.mark.parametrize(("body", "code", "text"), BEYOND, ids=["fields", "bytes"])
def test_a_message_beyond_a_limit_is_rejected_and_its_number_counts(body: str, code: str, text: str) -> None:
    hand = limited()
    assert hand.say("D", body) == [f"35=3|34=2|45=2|58={text}|372=D"]
    assert rejected(hand) == [MessageRejected("MM1", 2, "D", code, text)]
    assert (hand.received, ignored(hand)) == ([], [])
    assert hand.say("1", "112=A") == ["35=0|34=3|112=A"]


@pytest.mark.parametrize(("body", "code", "text"), BEYOND, ids=["fields", "bytes"])
def test_beyond_a_gap_it_comes_again_with_the_resend_and_counts_then(body: str, code: str, text: str) -> None:
    hand = limited()
    reject = f"45=3|58={text}|372=D"
    assert hand.say("D", body, n=3) == [f"35=3|34=2|{reject}"]
    assert hand.say("0", n=4) == ["35=2|34=3|7=2|16=0"]
    assert hand.say("D", ORDER, n=2, extra=DUP) == []
    assert hand.say("D", body, n=3, extra=DUP) == [f"35=3|34=4|{reject}"]
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")
    assert hand.say("1", "112=A", n=5) == ["35=0|34=5|112=A"]
    assert [note.reason for note in rejected(hand)] == [code, code]


def test_what_stands_in_data_is_no_field() -> None:
    hand = limited(app_messages=("B",))
    news = GenericMessage("B", ((148, "x"), (33, "1"), (58, "a"), (95, "400"), (96, "\x01=" * 200)))
    body = join((tag, value.encode()) for tag, value in news.fields)
    assert hand.say_raw(encode(b"35=B\x0134=2\x0149=MM1\x0152=20231114-22:13:20\x0156=ROMER\x01" + body)) == []
    assert hand.received == [news]
    hand.tell("MM1", news)
    assert b"\x0196=" + b"\x01=" * 200 in hand.transmitted[-1][1]
    too_much = GenericMessage("B", ((33, str(FIELDS_MAX)), *[(58, "a")] * FIELDS_MAX, (148, "x")))
    hand.tell("MM1", too_much)
    assert hand.notes[-1].detail == f"it has {FIELDS_MAX + 2} fields, and fields_max is {FIELDS_MAX}"


def test_fix_44_has_a_reason_for_it() -> None:
    dialects = {"44": Dialect(dictionary("FIX.4.4"))}
    hand = Hand(acceptor_config(fields_max=FIELDS_MAX, dialects=dialects, dialect="44"))
    hand.connect()
    hand.say("A", LOGON, begin="FIX.4.4")
    (reject,) = hand.say("D", MANY_FIELDS, begin="FIX.4.4")
    assert reject.endswith(f"58=More than {FIELDS_MAX} fields|372=D|373=99")


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_a_message_that_is_too_large_is_rejected_however_it_arrives_and_is_not_kept(pieces: int) -> None:
    hand = limited()
    raw = hand.compose("D", large(10 * BYTES_MAX)) + hand.compose("1", "112=A")
    size = -(-len(raw) // pieces)
    for at in range(0, len(raw), size):
        hand.handle(Bytes("c1", raw[at : at + size]))
        assert len(hand.engine.state.links["c1"].framer.buffer) <= BYTES_MAX
        hand.restart()
    assert hand.sent()[1:] == [f"35=3|34=2|45=2|58=More than {BYTES_MAX} bytes|372=D", "35=0|34=3|112=A"]


def test_what_looks_like_a_message_inside_one_that_is_too_large_is_none() -> None:
    hand = limited()
    inner = hand.compose("D", ORDER, n=3).decode("latin-1")
    data = f"95={len(inner) + BYTES_MAX}|96={inner}{'x' * BYTES_MAX}"
    assert hand.say("B", f"148=a|33=1|58=a|{data}") == [f"35=3|34=2|45=2|58=More than {BYTES_MAX} bytes|372=B"]
    assert hand.received == []


def test_a_message_that_is_too_large_and_wrong_is_ignored_and_the_next_one_is_found() -> None:
    hand = limited()
    raw = hand.compose("D", large())
    hand.say_raw(raw[:-4] + b"%03d\x01" % ((int(raw[-4:-1]) + 1) % 256))
    assert ignored(hand) == ["check_sum"]
    assert hand.say("1", "112=A", n=2) == ["35=0|34=2|112=A"]
    raw = hand.compose("D", large(), n=3)
    hand.say_raw(raw[:-7] + b"58=y\x01" + raw[-7:])
    assert ignored(hand)[1:] == ["body_length"]
    assert hand.say("1", "112=B", n=3) == ["35=0|34=3|112=B"]


def test_a_length_that_no_message_has_is_not_waited_for() -> None:
    hand = limited()
    head = f"8=FIX.4.2|9={OVERSIZE_TIMES * BYTES_MAX + 1}|35=D|34=2|".replace("|", "\x01").encode()
    hand.say_raw(head)
    assert ignored(hand) == ["too_large"]
    assert hand.say("1", "112=A", n=2) == ["35=0|34=2|112=A"]


def test_nobody_is_answered_who_is_not_logged_on() -> None:
    for body in (MANY_FIELDS, large()):
        hand = Hand(acceptor_config(message_bytes_max=BYTES_MAX, fields_max=FIELDS_MAX))
        hand.connect()
        assert hand.say("A", f"{LOGON}|{body}") == []
        assert hand.is_closed


MALFORMED = [
    ("58=a|garbled=b", "58=Invalid tag number|372=D|373=0", "invalid_tag_number"),
    ("95=3|96=abcde", "58=Incorrect data format for value|372=D|373=6", "incorrect_format"),
]


@pytest.mark.parametrize(("body", "answer", "code"), MALFORMED, ids=["tag", "length"])
def test_a_malformed_message_is_ignored_and_when_it_comes_again_as_it_was_it_is_rejected(
    body: str, answer: str, code: str
) -> None:
    hand = limited()
    assert hand.say("D", body) == []
    assert hand.say("0") == ["35=2|34=2|7=2|16=0"]
    assert hand.say("D", body, n=2, extra=DUP) == [f"35=3|34=3|45=2|{answer}"]
    assert rejected(hand)[0].reason == code
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")
    assert hand.say("1", "112=A", n=4) == ["35=0|34=4|112=A"]


@pytest.mark.parametrize(
    "header", [{"sender": "SOMEBODY"}, {"target": "ELSE"}, {"begin": "FIX.4.1"}, {"without": "34"}, {"n": "x"}]
)
def test_what_cannot_be_told_to_be_the_sessions_is_ignored(header: dict[str, str]) -> None:
    hand = limited()
    assert hand.say("D", MANY_FIELDS, **header) == []
    assert ignored(hand) == ["too_many_fields"]
    assert hand.say("1", "112=A", n=2) == ["35=0|34=2|112=A"]


# --- a gap that cannot be filled -------------------------------------------------------------------


def garbled(hand: Hand, number: int) -> bytes:
    """An order whose BodyLength is wrong, as of an engine that counts characters instead of bytes."""
    raw = hand.compose("D", ORDER, n=number)[:-7]
    return seal(raw.replace(b"\x0155=", b"\x01 55="))


def worn_out(role: str = "acceptor") -> Hand:
    """A message is missing that comes as garbage again and again, until the session stays down."""
    hand = Hand(acceptor_config()) if role == "acceptor" else Hand(initiator_config(), peer="ROMER")
    for attempt in range(UNFILLED_MAX):
        come(hand, f"c{attempt}")
        hand.say("A", LOGON, n=5)
        assert "35=2|" in hand.sent()[-1]
        hand.say_raw(garbled(hand, 2))
        hand.wait(61)
        if not hand.is_closed:
            hand.handle(Disconnected(hand.conn, "gone"))
        hand.wait(2)
    return hand


def come(hand: Hand, conn: str) -> None:
    """The connection opens: `conn` at an acceptor, the one it has asked for at an initiator."""
    if hand.engine.config.role == "acceptor":
        hand.connect(conn)
        return
    hand.conn = hand.connects.pop()
    hand.handle(Connected(hand.conn, "venue"))


REMEDIES = [
    (LogOn, 6),
    (lambda name: SetNumbers(name, next_in=6), 6),
    (lambda name: SetNumbers(name, next_out=60), 6),
    (ResetNumbers, 1),
]


def test_a_gap_that_is_not_filled_again_and_again_keeps_the_session_down() -> None:
    hand = Hand.logged_on("98=0|108=0")
    hand.handle(Disconnected("c1", "gone"))
    ends = []
    for attempt in range(2, 10):
        hand.connect(f"c{attempt}")
        if not hand.say("A", "98=0|108=0", n=5):
            break
        hand.say_raw(garbled(hand, 2))
        assert hand.waited(60)[-1].startswith("35=5|")
        hand.say("5", n=6)
        ends.append(hand.told[-1].reason)
    assert ends == ["resend_timeout"] * (UNFILLED_MAX - 1) + ["gap_unfillable"]
    assert hand.sent()[-1].endswith(f"58=Message 2 was asked for {UNFILLED_MAX} times and did not come")
    assert hand.closed[-1] == (f"c{UNFILLED_MAX + 2}", "session_down")


@pytest.mark.parametrize(("remedy", "number"), REMEDIES, ids=["log_on", "next_in", "next_out", "reset"])
def test_an_operator_lets_it_be_up_again(remedy: Callable[[str], Record], number: int) -> None:
    hand = worn_out()
    hand.connect("down")
    assert hand.say("A", LOGON, n=6) == []
    hand.handle(Message("admin", remedy("MM1")))
    hand.connect("up")
    assert hand.say("A", LOGON, n=number)[0].startswith("35=A|")


@pytest.mark.parametrize(("remedy", "number"), REMEDIES, ids=["log_on", "next_in", "next_out", "reset"])
def test_an_initiator_that_stays_down_connects_when_an_operator_lets_it_be_up(
    remedy: Callable[[str], Record], number: int
) -> None:
    hand = worn_out("initiator")
    hand.wait(3600)
    assert hand.connects == []
    hand.handle(Message("admin", remedy("ROMER")))
    come(hand, "")
    hand.say("A", LOGON, n=number)
    assert hand.changes[-1][1] in ("active", "resync_required")


@pytest.mark.parametrize("operation", [SetNumbers("ROMER", next_in=6), ResetNumbers("ROMER")])
def test_numbers_that_are_set_neither_hasten_nor_allow_a_connection(operation: Record) -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    hand.handle(Disconnected(hand.connects.pop(), "refused"))
    hand.handle(Message("admin", operation))
    assert hand.connects == []
    hand.wait(1)
    hand.handle(Disconnected(hand.connects.pop(), "refused"))
    hand.handle(Message("admin", LogOut("ROMER", keep_down=True)))
    hand.handle(Message("admin", operation))
    hand.wait(60)
    assert hand.connects == []


def hung_up_on(how: str) -> Hand:
    """An initiator whose peer ends the connection whenever it is asked for what is missing, for ten minutes."""
    hand = Hand(initiator_config(), peer="ROMER")
    until = hand.now + 600 * SECOND
    number = 6
    while hand.now < until:
        while hand.connects:
            come(hand, "")
            hand.say("A", "98=0|108=0", n=number)
            if how == "logout":
                number += 1
                hand.say("5", "58=cannot resend", n=number)
            else:
                hand.handle(Disconnected(hand.conn, "gone"))
            number += 1
        hand.wait(1)
    return hand


def asked(hand: Hand) -> int:
    return sum(answer.startswith("35=2|") for answer in hand.sent())


def test_a_peer_that_logs_out_instead_of_resending_is_not_asked_for_ever() -> None:
    hand = hung_up_on("logout")
    assert asked(hand) == UNFILLED_MAX
    assert hand.changes[-1] == ("resync_required", "connecting", "gap_unfillable")
    assert [told.reason for told in hand.told if isinstance(told, SessionClosed)] == ["peer_logout"] * UNFILLED_MAX


def test_a_connection_that_is_lost_before_a_gap_gets_smaller_is_tried_again_after_ever_longer_pauses() -> None:
    hand = hung_up_on("drop")
    assert 10 < asked(hand) < 20
    assert not hand.engine.state.sessions["ROMER"].unfilled


def test_what_came_before_a_connection_was_lost_is_progress() -> None:
    hand = Hand(acceptor_config())
    for attempt in range(UNFILLED_MAX - 1):
        hand.connect(f"c{attempt}")
        hand.say("A", LOGON, n=9)
        hand.say("5", n=10)
    hand.connect("lost")
    hand.say("A", LOGON, n=9)
    hand.say("D", ORDER, n=1, extra=DUP)
    hand.handle(Disconnected("lost", "gone"))
    hand.connect("again")
    hand.say("A", LOGON, n=9)
    hand.say("5", n=10)
    assert hand.changes[-1][2] == "peer_logout"
    hand.connect("up")
    assert hand.say("A", LOGON, n=9)[0].startswith("35=A|")


def test_numbers_that_start_over_at_the_logout_leave_no_gap_to_stay_down_for() -> None:
    hand = Hand(acceptor_config(reset_on_logout=True))
    for attempt in range(2 * UNFILLED_MAX):
        hand.connect(f"c{attempt}")
        assert hand.say("A", LOGON, n=5)[0] == "35=A|34=1|98=0|108=30"
        hand.say("5", n=6)
    assert hand.changes[-1][2] == "peer_logout"


def test_a_gap_that_gets_smaller_is_worth_another_try() -> None:
    hand = Hand(acceptor_config())
    for attempt in range(2 * UNFILLED_MAX):
        hand.connect(f"c{attempt}")
        assert hand.say("A", LOGON, n=100)[0].startswith("35=A|")
        hand.say("D", ORDER, n=1 + attempt, extra=DUP)
        hand.wait(61)
        hand.handle(Disconnected(f"c{attempt}", "gone"))
    assert len(hand.received) == 2 * UNFILLED_MAX
    assert hand.received[0] == order("a")
