"""FIX sessions under chance: hostile peers, lost connections, restarts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.states import Status
from core.kernel.record import Bytes
from tests.helpers.fix import LOGON, ORDER, Hand, Pair, order, parsed, report

DUPLICATE = ["", "43=Y", "43=Y|122=20231114-22:13:20", "43=Y|122=20331114-22:13:20", "97=Y", "115=A|116="]
BODIES = {
    "0": ["", "112=TEST"],
    "1": ["112=A", ""],
    "2": ["7=1|16=0", "7=2|16=3", "7=9|16=1", "7=0|16=0", "7=1"],
    "3": ["45=1", ""],
    "4": ["36=3|123=Y", "36=9|123=Y", "36=1", "36=12", "36=5|123=N"],
    "5": ["", "58=bye"],
    "A": [LOGON, LOGON + "|141=Y", "98=0"],
    "D": [ORDER, ORDER + "|126=x", ORDER + "|40=1"],
    "j": ["372=D|380=3"],
    "8": ["37=1"],
    "*": [""],
}
UTTERANCES = st.sampled_from(sorted(BODIES)).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.sampled_from(BODIES[kind]), st.integers(-3, 6), st.sampled_from(DUPLICATE), st.integers(0, 9)
    )
)


@given(st.lists(UTTERANCES, max_size=25))
def test_whatever_a_peer_says_is_dealt_with(utterances: list[tuple[str, str, int, str, int]]) -> None:
    hand = Hand.logged_on(early_messages_max=4, kept_messages_max=8)
    for count, (kind, body, offset, extra, oddity) in enumerate(utterances):
        state = hand.engine.state.sessions["MM1"]
        if hand.is_closed:
            assert state.status is Status.CONNECTING
            hand.connect(f"c{count + 2}")
            hand.say("A", LOGON, n=state.next_in)
        header = {"extra": extra} if extra else {}
        if oddity == 0:
            header["sender"] = "OTHER"
        hand.say(kind, body, n=state.next_in + offset, at=500 if oddity == 1 else 0, **header)
        hand.tell("MM1", report("E"))
        hand.wait(oddity * 3)
        assert len(state.early) <= 4
        assert len(state.sent) <= 8
        assert state.gap_end or state.status is not Status.RESYNC_REQUIRED
        assert not state.deadline or state.status in (Status.RESYNC_REQUIRED, Status.LOGOUT_SENT)
    hand.restart()


@given(st.lists(st.binary(max_size=60) | st.just(b"8=FIX.4.2\x019=20\x0135="), max_size=10), st.data())
def test_whatever_bytes_arrive_are_survived(chunks: list[bytes], data: st.DataObject) -> None:
    hand = Hand.logged_on(message_bytes_max=500)
    for chunk in chunks:
        raw = bytearray(hand.compose("D", ORDER))
        for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=2)):
            raw[place] = data.draw(st.integers(0, 255))
        hand.handle(Bytes("c1", chunk + bytes(raw)))
        assert all(len(link.framer.buffer) <= 500 for link in hand.engine.state.links.values())


TEXTS = st.text(st.characters(min_codepoint=2, max_codepoint=255), min_size=1, max_size=20)


@given(st.lists(TEXTS | st.none(), min_size=1, max_size=15), st.integers(1, 15), st.integers(0, 20))
def test_what_is_sent_again_is_what_was_sent(texts: list[str | None], begin: int, end: int) -> None:
    hand = Hand.logged_on()
    for text in texts:
        if text is None:
            hand.say("1", "112=A")
        else:
            hand.tell("MM1", order(text, text=text))
    originals = {number: raw for number, (_, raw) in enumerate(hand.transmitted, start=1)}
    done = len(hand.transmitted)
    if end and end < begin:
        return
    hand.say("2", f"7={begin}|16={end}")
    expected = begin
    for _, raw in hand.transmitted[done:]:
        again = parsed(raw)
        number = int(again.values[34])
        assert number == expected
        assert again.values[43] == b"Y"
        if again.msg_type == "4":
            expected = int(again.values[36])
            assert all(parsed(originals[filled]).msg_type != "D" for filled in range(number, expected))
            continue
        expected += 1
        first = parsed(originals[number]).fields()
        assert [field for field in again.fields() if field[0] not in (9, 10, 43, 52, 122)] == [
            field for field in first if field[0] not in (9, 10, 52)
        ]
    assert expected == max(begin, min(end or len(originals), len(originals)) + 1)


STEPS = st.lists(
    st.sampled_from(["order", "report", "order", "report", "settle", "cut", "some", "wait", "restart maker"])
    | st.just("restart venue"),
    max_size=40,
)


@given(STEPS, st.data())
def test_two_engines_end_with_equal_views_whatever_is_lost(steps: list[str], data: st.DataObject) -> None:
    pair = Pair()
    orders: list[NewOrderSingle] = []
    reports: list[ExecutionReport] = []
    for step in steps:
        if step == "order":
            orders.append(order(f"a{len(orders)}"))
            pair.maker.tell("ROMER", orders[-1])
        elif step == "report":
            reports.append(report(f"E-{len(reports)}"))
            pair.venue.tell("MM1", reports[-1])
        elif step == "some":
            lose_the_end(pair, data.draw(st.integers(0, 400)), data.draw(st.integers(0, 400)))
        elif step == "wait":
            pair.wait(data.draw(st.sampled_from([1, 5, 40])))
        else:
            {
                "settle": pair.settle,
                "cut": pair.cut,
                "restart maker": pair.maker.restart,
                "restart venue": pair.venue.restart,
            }[step]()
    pair.wait(5)
    assert pair.venue.received == orders
    assert pair.maker.received == reports
    (maker,), (venue,) = (bench.engine.state.sessions.values() for bench in (pair.maker, pair.venue))
    assert (maker.next_out, maker.next_in) == (venue.next_in, venue.next_out)
    assert maker.status == venue.status == Status.ACTIVE
    assert maker.deadline == venue.deadline == 0


def lose_the_end(pair: Pair, to_venue: int, to_maker: int) -> None:
    """Some bytes still arrive in each direction, the rest is lost with the connection."""
    if not pair.up:
        return
    for source, target, conn, count in (
        (pair.maker, pair.venue, pair.venue_conn, to_venue),
        (pair.venue, pair.maker, pair.up, to_maker),
    ):
        data = b"".join(raw for _, raw in source.transmitted)
        source.transmitted = []
        target.handle(Bytes(conn, data[:count]))
    pair.cut()


@pytest.mark.parametrize("count", [10_000])
def test_a_long_absence_is_made_up_for(count: int) -> None:
    pair = Pair()
    for number in range(count):
        pair.venue.tell("MM1", report(f"E-{number}"))
    pair.cut()
    pair.venue.tell("MM1", report("last"))
    pair.wait(3)
    assert len(pair.maker.received) == count + 1
    assert pair.maker.received[-1] == report("last")
