"""What is sent again is what was sent, byte for byte: any message of the shipped dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.codec import encode, join
from core.fix.dialect import Dialect
from core.fix.dictionary import MessageDefinition
from core.fix.generic import GenericMessage
from core.fix.shipped import SHIPPED, dictionary
from core.fix.values import ENCODING
from core.kernel.record import Bytes
from tests.helpers.fix import LOGON, Hand, acceptor_config, parsed
from tests.helpers.fix_messages import DATA, Fields, messages

DIALECTS = {version: Dialect(dictionary(version)) for version in SHIPPED}
OF_SESSION = (8, 9, 10, 34, 35, 49, 52, 56)
"""Fields of every message that the session writes."""
HEADER = st.lists(
    st.sampled_from([(50, "SUB"), (57, "T"), (97, "Y"), (115, "O"), (116, "P"), (128, "d"), (129, "e"), (142, "x")]),
    unique=True,
)
SECURE = st.just(()) | DATA.map(lambda data: ((90, str(len(data))), (91, data.decode(ENCODING))))


def of_applications(version: str) -> st.SearchStrategy[tuple[MessageDefinition, Fields]]:
    """Messages that are the application's."""
    return messages(dictionary(version)).filter(lambda message: not message[0].is_admin)


def logged_on(version: str) -> Hand:
    """An acceptor of that version, with which the peer has logged on."""
    hand = Hand(acceptor_config(dialect="plain", dialects={"plain": DIALECTS[version]}, app_messages=()))
    hand.connect()
    hand.say("A", LOGON, begin=version)
    return hand


def asked_for_again(hand: Hand, version: str, number: int) -> bytes:
    """The one message that a ResendRequest for `number` brings."""
    done = len(hand.transmitted)
    hand.handle(Bytes(hand.conn, hand.compose("2", f"7={number}|16={number}", begin=version)))
    ((_, again),) = hand.transmitted[done:]
    return again


@pytest.mark.parametrize("version", SHIPPED)
@given(st.data())
def test_any_message_is_repeated_byte_for_byte(version: str, data: st.DataObject) -> None:
    definition, body = data.draw(of_applications(version))
    header = (*data.draw(HEADER), *data.draw(SECURE))
    hand = logged_on(version)
    texts = tuple((tag, value.decode(ENCODING)) for tag, value in body)
    hand.tell("MM1", GenericMessage(definition.msg_type, texts, header))
    first = parsed(hand.transmitted[-1][1]).fields()
    own = [(tag, value.encode(ENCODING)) for tag, value in header] + body
    assert sorted(field for field in first if field[0] not in OF_SESSION) == sorted(own)
    hand.wait(7)
    for _ in range(2):
        raw = asked_for_again(hand, version, 2)
        again = parsed(raw).fields()
        assert encode(join(again[2:-1]), version.encode()) == raw
        ((_, original), (_, sent)) = [next(field for field in fields if field[0] == 52) for fields in (first, again)]
        assert [value for tag, value in again if tag in (43, 122)] == [b"Y", original]
        assert sent > original
        kept = [field for field in again[2:-1] if field[0] not in (43, 122)]
        assert join((tag, original if tag == 52 else value) for tag, value in kept) == join(first[2:-1])
