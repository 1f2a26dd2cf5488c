"""Any message of the shipped dictionaries, with nested groups and data: what goes in comes out, whoever reads it."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simplefix import FixMessage as SimpleMessage
from simplefix import FixParser

from core.fix.codec import WireMessage, decode, encode
from core.fix.codegen import generate
from core.fix.dialect import Dialect
from core.fix.dictionary import MessageDefinition
from core.fix.framer import Framer
from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.rejects import Rejection
from core.fix.shapes import Shapes
from core.fix.shipped import SHIPPED, dictionary
from core.fix.tags import DATA_LENGTHS
from tests.fuzz_fix import once
from tests.helpers.fix import parsed, wire
from tests.helpers.fix_messages import Fields, is_ambiguous, messages, whole

GENERIC = {version: Dialect(dictionary(version)) for version in SHIPPED}
HEAD = "34=7|49=MM1|52=20231114-22:13:20.000|56=ROMER"
Drawn = tuple[str, tuple[MessageDefinition, Fields]]
ANY = st.one_of([st.tuples(st.just(version), messages(dictionary(version))) for version in SHIPPED])


def typed_messages(version: str) -> tuple[type[FixMessage], ...]:
    """The typed messages that are generated for a dictionary."""
    module = ModuleType(f"generated_{version.replace('.', '_')}")
    sys.modules[module.__name__] = module
    exec(generate(dictionary(version)), vars(module))
    kinds: tuple[type[FixMessage], ...] = module.MESSAGES
    return kinds


TYPED = {version: Dialect(dictionary(version), typed=typed_messages(version)) for version in SHIPPED}


@given(ANY)
def test_a_message_is_taken_and_comes_back_byte_for_byte(drawn: Drawn) -> None:
    version, (definition, body) = drawn
    raw = whole(dictionary(version), definition.msg_type, body)
    message = parsed(raw)
    assert message.raw == raw
    assert message.fields()[7:-1] == body
    assert encode(raw.split(b"\x01", 2)[2][: -len("10=123|")], version.encode()) == raw
    if is_ambiguous(definition, body) or definition.is_admin:
        return
    read = GENERIC[version].parse(message)
    assert isinstance(read, tuple), read
    assert isinstance(read[1], GenericMessage)
    assert [(tag, value.encode("latin-1")) for tag, value in read[1].fields] == body


@given(ANY)
def test_written_in_the_order_of_fix_it_is_the_same_message_and_stays_so(drawn: Drawn) -> None:
    version, (definition, body) = drawn
    dialect = GENERIC[version]
    message = GenericMessage(definition.msg_type, tuple((tag, value.decode("latin-1")) for tag, value in body))
    first = dialect.build(message)
    again = parsed(encode(wire(f"35={definition.msg_type}|{HEAD}") + first, version.encode()))
    fields = again.fields()[7:-1]
    assert sorted(fields) == sorted(body)
    same = GenericMessage(definition.msg_type, tuple((tag, value.decode("latin-1")) for tag, value in fields))
    if not is_ambiguous(definition, body):
        assert dialect.build(same) == first


@given(ANY, st.sampled_from([GENERIC, TYPED]))
def test_a_known_shape_is_read_as_field_by_field(drawn: Drawn, dialects: dict[str, Dialect]) -> None:
    version, (definition, body) = drawn
    dialect = dialects[version]
    message = parsed(whole(dictionary(version), definition.msg_type, body))
    read, shapes = dialect.parse(message), Shapes(dialect)
    if isinstance(read, Rejection):
        return
    shapes.learn(message)
    fast = shapes.read(message.raw)
    has_data = any(tag in DATA_LENGTHS for tag, _ in body)
    assert fast == read or (fast is None and (has_data or b"." in message.raw or b"-" in message.raw))


@given(ANY)
def test_a_typed_message_is_read_as_it_was_written(drawn: Drawn) -> None:
    version, (definition, body) = drawn
    dialect = TYPED[version]
    if is_ambiguous(definition, body):
        return
    read = dialect.parse(parsed(whole(dictionary(version), definition.msg_type, body)))
    assert isinstance(read, tuple), read
    written = dialect.build(read[1])
    again = dialect.parse(parsed(encode(wire(f"35={definition.msg_type}|{HEAD}") + written, version.encode())))
    assert isinstance(again, tuple)
    assert again[1] == read[1]


@given(ANY)
def test_simplefix_reads_and_writes_the_same_fields(drawn: Drawn) -> None:
    version, (definition, body) = drawn
    raw = whole(dictionary(version), definition.msg_type, body)
    parser = FixParser()
    parser.append_buffer(raw)
    pairs = parser.get_message().pairs
    assert pairs == [(b"%d" % tag, value) for tag, value in parsed(raw).fields()]
    message = SimpleMessage()
    for tag, value in parsed(raw).fields()[:-1]:
        message.append_pair(tag, value)
    assert message.encode() == raw


@given(ANY, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_a_damaged_message_is_judged_without_an_exception(drawn: Drawn, damage: list[tuple[int, int]]) -> None:
    version, (definition, body) = drawn
    content = bytearray(whole(dictionary(version), definition.msg_type, body).split(b"\x01", 2)[2][: -len("10=123|")])
    for at, byte in damage:
        content[5 + at % (len(content) - 5) if len(content) > 5 else 0] = byte
    framed = Framer().feed(encode(bytes(content), version.encode()), 1 << 20)
    message = decode(framed[0], 1000) if framed and isinstance(framed[0], bytes) else None
    if isinstance(message, WireMessage):
        for dialects in (GENERIC, TYPED):
            judged, shapes = dialects[version].parse(message), Shapes(dialects[version])
            if not isinstance(judged, Rejection):
                shapes.learn(message)
                assert shapes.read(message.raw) in (None, judged)


@pytest.mark.parametrize("version", SHIPPED)
def test_every_message_of_a_dictionary_has_a_typed_one(version: str) -> None:
    kinds = {kind.MSG_TYPE for kind in TYPED[version].typed}
    assert kinds == {name for name, message in dictionary(version).messages.items() if not message.is_admin}


@pytest.mark.parametrize("first", range(0, 1_000, 250))
def test_damaged_streams_are_read_and_served_without_an_exception(first: int) -> None:
    dialects = list(GENERIC.values())
    reached = [once(seed, dialects) for seed in range(first, first + 250)]
    assert sum(count > 0 for count in reached) > 180
    assert sum(reached) > 700
