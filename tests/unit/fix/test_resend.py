"""Answering ResendRequests: application messages as they were, gap fills for everything else."""

from __future__ import annotations

import pytest

from core.fix import outbound
from tests.helpers.fix import NOW, Hand, parsed, report

TIMES = "43=Y|122=20231114-22:13:20.000"


def fill(begin: int, new: int) -> str:
    return f"35=4|34={begin}|{TIMES}|36={new}|123=Y"


def sent_reports(hand: Hand, *exec_ids: str) -> list[str]:
    """Send reports; return them as they look when they are sent again."""
    done = len(hand.transmitted)
    for exec_id in exec_ids:
        hand.tell("MM1", report(exec_id))
    again = []
    for message in hand.sent(done):
        kind, number, body = message.split("|", 2)
        again.append(f"{kind}|{number}|{TIMES}|{body}")
    return again


def mixed() -> tuple[Hand, list[str]]:
    """Logon, two heartbeats, reports 4 and 5, a heartbeat, report 7, and each report as a duplicate."""
    hand = Hand.logged_on()
    hand.say("1", "112=A")
    hand.say("1", "112=B")
    reports = sent_reports(hand, "E-1", "E-2")
    hand.say("1", "112=C")
    return hand, reports + sent_reports(hand, "E-3")


def test_the_sessions_own_messages_are_never_repeated_but_filled() -> None:
    hand = Hand.logged_on()
    for _ in range(3):
        hand.say("1", "112=A")
    assert hand.say("2", "7=1|16=4") == [fill(1, 5)]
    assert hand.say("1", "112=B") == ["35=0|34=5|112=B"]


def test_a_closed_range_is_answered_up_to_its_end() -> None:
    hand, reports = mixed()
    assert hand.say("2", "7=2|16=3") == [fill(2, 4)]
    assert hand.say("2", "7=2|16=4") == [fill(2, 4), reports[0]]
    assert hand.say("2", "7=2|16=6") == [fill(2, 4), *reports[:2], fill(6, 7)]
    assert hand.say("2", "7=5|16=5") == [reports[1]]


@pytest.mark.parametrize("end", [0, 7, 8, 999_999])
def test_an_open_range_is_answered_up_to_the_last_message(end: int) -> None:
    hand, reports = mixed()
    assert hand.say("2", f"7=1|16={end}") == [fill(1, 4), *reports[:2], fill(6, 7), reports[2]]


def test_repeated_messages_take_no_new_numbers() -> None:
    hand, _ = mixed()
    hand.say("2", "7=1|16=0")
    assert hand.say("1", "112=D") == ["35=0|34=8|112=D"]


def test_a_request_for_what_was_not_sent_yet_has_no_answer() -> None:
    hand = Hand.logged_on()
    assert hand.say("2", "7=2|16=0") == []
    assert hand.say("2", "7=900|16=1000") == []
    assert hand.say("1", "112=A") == ["35=0|34=2|112=A"]


def test_a_repeated_message_has_its_original_time_and_a_new_one() -> None:
    hand = Hand.logged_on()
    hand.tell("MM1", report("E-1"))
    original = parsed(hand.transmitted[-1][1]).values
    hand.wait(10)
    hand.say("2", "7=2|16=0")
    again = parsed(hand.transmitted[-1][1]).values
    assert (again[122], again[52]) == (original[52], b"20231114-22:13:30.000")
    assert {tag: value for tag, value in again.items() if tag not in (9, 10, 43, 52, 122)} == {
        tag: value for tag, value in original.items() if tag not in (9, 10, 52)
    }


@pytest.mark.parametrize("number", [1, 2, 9])
def test_a_request_is_answered_whatever_its_own_number(number: int) -> None:
    hand = Hand.logged_on()
    answers = hand.say("2", "7=1|16=0", n=number)
    assert answers[0] == fill(1, 2)
    assert answers[1:] == (["35=2|34=2|7=2|16=0"] if number > 2 else [])


def test_two_sides_that_both_miss_something_serve_each_other() -> None:
    hand = Hand.logged_on()
    reports = sent_reports(hand, "E-1", "E-2")
    assert hand.say("0", n=7) == ["35=2|34=4|7=2|16=0"]
    assert hand.say("2", "7=2|16=3", n=8) == reports
    hand.say("4", "36=7|123=Y", n=2, extra="43=Y")
    assert hand.say("1", "112=A", n=9) == ["35=0|34=5|112=A"]


@pytest.mark.parametrize(("body", "tag"), [("7=0|16=0", 7), ("7=-1|16=0", 7), ("7=5|16=4", 16), ("7=1|16=-1", 16)])
def test_a_range_that_is_none_is_refused(body: str, tag: int) -> None:
    hand = Hand.logged_on()
    text = "Value is incorrect (out of range) for this tag"
    assert hand.say("2", body) == [f"35=3|34=2|45=2|58={text}|371={tag}|372=2|373=5"]


def test_messages_that_are_kept_no_longer_are_filled() -> None:
    hand = Hand.logged_on(kept_messages_max=3)
    reports = sent_reports(hand, "E-1", "E-2", "E-3", "E-4", "E-5")
    assert hand.say("2", "7=1|16=0") == [fill(1, 4), *reports[2:]]
    assert hand.say("2", "7=2|16=2") == [fill(2, 3)]
    assert len(hand.engine.state.sessions["MM1"].sent) == 3
    hand.say("1", "112=A")
    hand.say("1", "112=B")
    assert list(hand.engine.state.sessions["MM1"].sent) == [6]


def test_what_is_kept_has_a_bound_in_bytes_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "BYTES_MAX", 600)
    hand = Hand.logged_on()
    sent_reports(hand, *(f"E-{number}" for number in range(8)))
    state = hand.engine.state.sessions["MM1"]
    assert 0 < state.sent_bytes == sum(map(len, state.sent.values())) <= 600
    oldest = min(state.sent)
    assert 2 < oldest < 9
    assert hand.say("2", "7=1|16=0")[0] == fill(1, oldest)


def test_a_request_for_a_very_long_past_is_answered_at_once() -> None:
    hand = Hand.logged_on()
    hand.engine.state.sessions["MM1"].next_out = 10**12
    assert hand.say("2", "7=1|16=0") == [fill(1, 10**12)]


def test_a_peer_that_asks_for_the_same_again_and_again_is_logged_out() -> None:
    hand = Hand.logged_on()
    hand.tell("MM1", report("E-1"))
    answers = [hand.say("2", "7=2|16=0") for _ in range(33)]
    assert {len(answer) for answer in answers} == {1}
    assert hand.say("2", "7=1|16=0") == ["35=5|34=3|58=Resend request repeated too often"]
    assert hand.say("2", "7=1|16=0") == []


def test_a_peer_cannot_have_everything_again_and_again_by_asking_for_ever_less() -> None:
    hand = Hand.logged_on()
    for _ in range(2_000):
        hand.tell("MM1", report("E-1"))
    asked = next(n for n in range(2, 100) if "repeated too often" in hand.say("2", f"7={n}|16=0")[-1])
    assert 4 <= asked <= 6


def test_a_peer_that_makes_progress_may_ask_as_often_as_it_likes() -> None:
    hand = Hand.logged_on()
    for number in range(2, 100):
        hand.tell("MM1", report("E-1"))
        assert len(hand.say("2", f"7={number}|16=0")) == 1
    assert hand.now == NOW


def test_what_was_sent_into_a_dead_connection_is_there_to_be_asked_for() -> None:
    hand = Hand.logged_on()
    reports = sent_reports(hand, "E-1")
    hand.reconnect("c2")
    reports[0] = reports[0].replace("22:13:20", "22:13:20")
    assert hand.say("A", "98=0|108=30") == ["35=A|34=3|98=0|108=30"]
    assert hand.say("2", "7=2|16=0") == [reports[0], fill(3, 4)]


def busy(count: int = 1_000) -> Hand:
    hand = Hand.logged_on(resend_batch=1_000)
    for _ in range(count):
        hand.tell("MM1", report("E-1"))
    return hand


def test_a_peer_that_asks_for_something_else_each_time_goes_on_however_low_it_begins() -> None:
    hand = busy()
    for begin in range(900, 400, -10):
        assert len(hand.say("2", f"7={begin}|16={begin + 9}")) == 10


def test_a_peer_may_ask_for_the_same_now_and_then() -> None:
    hand = busy(10)
    for _ in range(100):
        assert len(hand.say("2", "7=2|16=4")) == 3
        hand.tell("MM1", report("E-2"))
    for _ in range(100):
        hand.wait(61)
        hand.say("0")
        assert len(hand.say("2", "7=2|16=4")) == 3


def test_ranges_that_overlap_without_progress_are_a_loop() -> None:
    hand = busy(10)
    answers = [hand.say("2", f"7={5 - n % 2}|16=0") for n in range(2)]
    answers += [hand.say("2", "7=4|16=6") for _ in range(40)]
    assert any("repeated too often" in answer[-1] for answer in answers if answer)


def test_however_it_asks_a_peer_gets_only_so_much_in_an_hour() -> None:
    hand = busy()
    session = hand.engine.state.sessions["MM1"]
    most = 4 * session.next_out + 1_000
    got = 0
    while not hand.closed and session.status == "active":
        for begin in (2, 502):
            got += len(hand.say("2", f"7={begin}|16={begin + 499}"))
    assert most - 500 <= got <= most + 500


def test_what_was_asked_for_an_hour_ago_does_not_count() -> None:
    hand = busy(2_000)
    for _ in range(20):
        for begin in (2, 502):
            hand.say("2", f"7={begin}|16={begin + 499}")
            hand.wait(1)
        for _ in range(70):
            hand.wait(29)
            hand.say("0")
    assert hand.changes[-1][1] == "active"
