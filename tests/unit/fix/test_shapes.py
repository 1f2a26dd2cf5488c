"""A message of a known shape is read exactly as one whose shape is new, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.codec import WireMessage, encode
from core.fix.layout import layout_of
from core.fix.shapes import Shapes
from tests.helpers.fix import ORDER, parsed, wire

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


def learned(*texts: str) -> Shapes:
    shapes = Shapes()
    for text in texts:
        learn(shapes, message(text))
    return shapes


def learn(shapes: Shapes, known: WireMessage) -> None:
    layout = layout_of(known.msg_type)
    assert layout is not None
    shapes.learn(known, layout.kind)


@pytest.mark.parametrize(
    "text", [f"{HEAD}|{ORDER}", f"{HEAD}|43=Y|97=N|{ORDER}|58=a=b|9001=x", "35=0|34=1|49=A|52=20231114-22:13:20|56=B"]
)
def test_a_message_of_a_known_shape_is_read_as_by_its_layout(text: str) -> None:
    known = message(text)
    assert Shapes().read(known.raw) is None
    layout = layout_of(known.msg_type)
    assert layout is not None
    assert learned(text).read(known.raw) == layout.parse(known)


def test_a_message_of_another_shape_or_type_is_left_to_the_layout() -> None:
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


def test_messages_with_data_fields_or_repeated_tags_are_never_learned() -> None:
    repeated = message(f"{HEAD}|{ORDER}|9001=a|9001=b")
    data = parsed(encode(wire(f"{HEAD}|{ORDER}|95=3") + b"96=a\x01b\x01"))
    shapes = Shapes()
    for known in (repeated, data):
        learn(shapes, known)
        assert shapes.read(known.raw) is None


FIELDS = f"34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER|43=Y|{ORDER}|126=20231114-22:13:20|58=x".split("|")


@given(
    st.permutations(range(5)),
    st.permutations(range(5, len(FIELDS))),
    st.dictionaries(st.integers(0, len(FIELDS) - 1), st.sampled_from(VALUES), max_size=3),
)
def test_whatever_its_values_a_message_is_never_read_differently_for_its_shape_being_known(
    header: list[int], body: list[int], changes: dict[int, str]
) -> None:
    order = [*header, *body]
    shapes = learned("|".join(["35=D", *(FIELDS[at] for at in order)]))
    tags = [field.partition("=")[0] for field in FIELDS]
    changed = [f"{tags[at]}={changes[at]}" if at in changes else FIELDS[at] for at in order]
    known = message("|".join(["35=D", *changed]))
    layout = layout_of("D")
    assert layout is not None
    read = shapes.read(known.raw)
    assert read is None or read == layout.parse(known)
    assert changes or read is not None
