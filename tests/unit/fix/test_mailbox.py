from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.dialect import Dialect
from core.fix.generic import GenericMessage
from core.fix.mailbox import Letter, Mailbox, Taken, codec_of, messages_of, speaks_as_the_venue
from core.fix.messages import MESSAGES, NewOrderSingle
from core.fix.records import FromPeer, LogonAttempted, SessionClosed, SessionOpened
from core.fix.shipped import dictionary
from core.kernel.codec import encode
from core.kernel.record import Effect, Message, Note, Record, Resume, Start, Stop
from tests.helpers.fix import NOW, acceptor_config, order

KINDS: Any = GenericMessage | NewOrderSingle
RECORDS = (
    SessionOpened("MM1"),
    FromPeer("MM1", 2, b"hash", order("A")),
    FromPeer("MM1", 3, b"hash", GenericMessage("d", ((1, "a"),))),
    LogonAttempted("MM1", "c1", b"8=FIX"),
    SessionClosed("MM1", "peer_logout"),
)


def put(mailbox: Mailbox, *bodies: Record) -> list[Effect]:
    return [effect for body in bodies for effect in mailbox.handle(NOW, Message("fix", body))]


def test_everything_that_the_engine_says_becomes_a_letter_in_order() -> None:
    mailbox = Mailbox("app", KINDS)
    assert put(mailbox, *RECORDS) == [Note(Letter(number, body)) for number, body in enumerate(RECORDS, start=1)]


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 5))
def test_a_letter_waits_until_it_or_a_later_one_is_taken(taken: list[int], rounds: int) -> None:
    mailbox = Mailbox("app", KINDS)
    put(mailbox, *[SessionOpened(str(number)) for number in range(rounds)])
    for number in taken:
        assert put(mailbox, Taken(number)) == []
    assert list(mailbox.state.waiting) == list(range(max([*taken, 0]) + 1, rounds + 1))


def test_letters_that_wait_are_in_the_snapshot_as_they_were() -> None:
    mailbox, again = Mailbox("app", KINDS), Mailbox("app", KINDS)
    put(mailbox, *RECORDS, Taken(1))
    again.restore(mailbox.snapshot())
    assert again.state == mailbox.state
    assert put(again, SessionOpened("MM2")) == [Note(Letter(6, SessionOpened("MM2")))]
    with pytest.raises(msgspec.DecodeError):
        Mailbox("app", GenericMessage).restore(mailbox.snapshot())


def test_the_life_of_the_node_is_no_letter() -> None:
    mailbox = Mailbox("app", KINDS)
    assert [mailbox.handle(NOW, event) for event in (Start(), Stop(), Resume())] == [[], [], []]


def test_the_codec_reads_letters_with_any_message_of_the_engine() -> None:
    dialect = Dialect(dictionary("FIX.4.2"), typed=(NewOrderSingle,))
    config = acceptor_config(dialect="own", dialects={"own": dialect})
    assert not speaks_as_the_venue(config)
    assert messages_of(config) == KINDS
    letters: list[Effect] = [Note(Letter(number, body)) for number, body in enumerate(RECORDS, start=1)]
    assert codec_of(KINDS).effects.decode(encode(letters)) == letters


def test_sessions_without_a_dialect_have_the_messages_of_the_venue() -> None:
    assert set(messages_of(acceptor_config()).__args__) == {GenericMessage, *MESSAGES}
