"""A message of a known shape is read exactly as one whose shape is new, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.codec import WireMessage, encode
from core.fix.dialect import Dialect, venue_dialect
from core.fix.shapes import Shapes
from core.fix.shipped import dictionary
from core.fix.validation import Validation
from tests.helpers.fix import ORDER, parsed, wire

LENIENT = Dialect(
    venue_dialect().dictionary, Validation(validate_user_defined_fields=False), tuple(venue_dialect().typed)
)
GENERIC = Dialect(dictionary("FIX.4.2"))
HEAD = "35=D|34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER"
VALUES = [
    "",
    "0",
    "1",
    "7",
    "-1.50",
    "1.",
    ".5",
    "1e3",
    "12345678901234567",
    "Y",
    "N",
    "A",
    "D",
    "café",
    "²",
    "=",
    " 1",
]
VALUES += [
    "20231114-22:13:20",
    "20231114-22:13:20.123456",
    "20231314-22:13:20",
    "20231114-22:13:20.1",
    "20231114-22:13:60",
]


def message(text: str) -> WireMessage:
    return parsed(encode(wire(text)))


def learned(*texts: str, dialect: Dialect = LENIENT) -> Shapes:
    shapes = Shapes(dialect)
    for text in texts:
        shapes.learn(message(text))
    return shapes


@pytest.mark.parametrize(
    "text", [f"{HEAD}|{ORDER}", f"{HEAD}|43=Y|97=N|{ORDER}|58=a=b|9001=x", "35=0|34=1|49=A|52=20231114-22:13:20|56=B"]
)
def test_a_message_of_a_known_shape_is_read_as_field_by_field(text: str) -> None:
    known = message(text)
    assert Shapes(LENIENT).read(known.raw) is None
    assert learned(text).read(known.raw) == LENIENT.parse(known) != None  # noqa: E711


def test_a_shape_with_groups_is_one_sequence_of_tags() -> None:
    text = f"{HEAD}|{ORDER}|386=2|336=A|336=B|58=x"
    known, shapes = message(text), learned(text, dialect=GENERIC)
    assert shapes.read(known.raw) == GENERIC.parse(known)
    other = message(text.replace("336=B", "336=C"))
    assert shapes.read(other.raw) == GENERIC.parse(other)
    for wrong in ("386=3", "386=x", "386=1"):
        assert shapes.read(message(text.replace("386=2", wrong)).raw) is None


def test_a_message_of_another_shape_or_type_is_not_read() -> None:
    shapes = learned(f"{HEAD}|{ORDER}")
    assert shapes.read(message(f"{HEAD}|{ORDER}|58=new").raw) is None
    assert shapes.read(message(f"{HEAD}|{ORDER}".replace("35=D", "35=8")).raw) is None
    assert shapes.read(message(f"{HEAD}|{ORDER}").raw.replace(b"FIX.4.2", b"FIX.4.4")) is None


def test_several_shapes_of_one_type_are_known_at_a_time() -> None:
    texts = [f"{HEAD}|{ORDER}" + "|58=x" * extra + "|1=y" * more for extra in (0, 1) for more in (0, 1)]
    shapes = learned(*texts)
    assert all(shapes.read(message(text).raw) for text in texts)


def test_what_a_peer_makes_us_learn_is_bounded() -> None:
    texts = [f"{HEAD}|{ORDER}|{9000 + number}=x" for number in range(70)]
    shapes = learned(*texts)
    assert [number for number, text in enumerate(texts) if shapes.read(message(text).raw)] == [60, 61, 62, 63]


def test_messages_with_data_fields_are_never_learned() -> None:
    known = parsed(
        encode(wire("35=B|34=2|49=MM1|52=20231114-22:13:20|56=ROMER|148=h|33=1|58=l|95=3") + b"96=a\x01b\x01")
    )
    assert isinstance(GENERIC.parse(known), tuple)
    shapes = Shapes(GENERIC)
    shapes.learn(known)
    assert shapes.read(known.raw) is None


LOOSE = "126=20231114-22:13:20|200=202311|205=7|18=1 2|58=x"
FIELDS = f"34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER|43=Y|{ORDER}|{LOOSE}".split("|")


@given(
    st.permutations(range(5)),
    st.permutations(range(5, len(FIELDS))),
    st.dictionaries(st.integers(0, len(FIELDS) - 1), st.sampled_from(VALUES), max_size=3),
    st.sampled_from([LENIENT, GENERIC]),
)
def test_whatever_its_values_a_message_is_never_read_differently_for_its_shape_being_known(
    header: list[int], body: list[int], changes: dict[int, str], dialect: Dialect
) -> None:
    order = [*header, *body]
    shapes = learned("|".join(["35=D", *(FIELDS[at] for at in order)]), dialect=dialect)
    tags = [field.partition("=")[0] for field in FIELDS]
    changed = [f"{tags[at]}={changes[at]}" if at in changes else FIELDS[at] for at in order]
    known = message("|".join(["35=D", *changed]))
    read = shapes.read(known.raw)
    assert read is None or read == dialect.parse(known)
    assert changes or read is not None
