"""Messages without user-defined fields, for peers that know FIX's own alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.fix.dialect import Dialect
from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.shipped import dictionary
from tests.helpers.fix import LOGON, Hand, acceptor_config, initiator_config, report
from tests.unit.fix.test_unsent import mail

PLAIN: dict[str, Any] = {
    "app_messages": ("8", "C"),
    "dialect": "plain",
    "dialects": {"plain": Dialect(dictionary("FIX.4.2"))},
}
FULL = replace(report("E-1"), global_seq=7, block_height=3, leaf_index=0, receipt="abc", text="5001=x")


def says(message: FixMessage, **changes: Any) -> str:
    hand = Hand.logged_on(**changes)
    hand.tell("MM1", message)
    return hand.sent()[-1]


def test_a_report_has_the_venues_own_fields_unless_the_session_leaves_them_out() -> None:
    assert says(FULL).endswith("|20001=7|20002=3|20003=0|20004=abc")
    own = says(FULL).split("|2000")[0]
    assert says(FULL, send_user_defined_fields=False) == own
    assert "|58=5001=x|" in own


@pytest.mark.parametrize("secret", ["a\x015001=x", "\x01" * 9])
def test_nothing_else_is_left_out(secret: str) -> None:
    message = mail((95, str(len(secret))), (96, secret), (5001, "x"), (4999, "y"), header=((50, "ann"),))
    kept = mail((95, str(len(secret))), (96, secret), (4999, "y"), header=((50, "ann"),))
    hand, other = (Hand.logged_on(**PLAIN, send_user_defined_fields=own) for own in (False, True))
    hand.tell("MM1", message)
    other.tell("MM1", kept)
    assert hand.transmitted[-1] == other.transmitted[-1]


def test_a_peer_that_knows_fix_alone_takes_it() -> None:
    hand = Hand.logged_on(send_user_defined_fields=False)
    hand.tell("MM1", FULL)
    strict = Hand(initiator_config(**PLAIN), peer="ROMER")
    strict.conn = strict.connects[-1]
    strict.connect()
    strict.say("A", LOGON, n=1)
    assert strict.say_raw(hand.transmitted[-1][1]) == []
    assert isinstance(strict.received[0], GenericMessage)


def test_it_is_left_out_again_when_the_message_is_sent_again() -> None:
    hand = Hand(acceptor_config(send_user_defined_fields=False))
    hand.connect()
    hand.say("A", LOGON)
    hand.tell("MM1", FULL)
    (again,) = hand.say("2", "7=2|16=0")
    assert "|43=Y|" in again
    assert "|2000" not in again
