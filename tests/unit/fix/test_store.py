from __future__ import annotations

import pytest

from core.fix.codec import encode
from core.fix.store import duplicate
from tests.helpers.fix import wire

HEAD = "35=D|34=5|49=ROMER|52=20231114-22:13:20.000|56=MM1"
AGAIN = "35=D|34=5|43=Y|49=ROMER|52=20231114-23:00:00.000|56=MM1"
ORIGINAL = "122=20231114-22:13:20.000"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[122]"),
        ("|11=ID|21=3|38=002000.00", "[122]|11=ID|21=3|38=002000.00"),
        ("|97=Y|115=JCD|116=CS|58=10=000", "|97=Y|115=JCD|116=CS[122]|58=10=000"),
        ("|128=JCD|129=CS|11=ID", "[122]|128=JCD|129=CS|11=ID"),
        ("|115=A|128=B|386=2|336=A|336=B", "|115=A[122]|128=B|386=2|336=A|336=B"),
    ],
)
def test_only_the_marks_of_a_duplicate_and_the_times_change(before: str, after: str) -> None:
    again = duplicate(encode(wire(HEAD + before)), b"20231114-23:00:00.000")
    assert again == encode(wire(AGAIN + after.replace("[122]", "|" + ORIGINAL)))


def test_what_stands_in_the_header_keeps_its_place() -> None:
    before = b"57=DESK\x0190=5\x0191=1\x01\x0158\x0197=Y\x01"
    head, again = (text.replace("|52=", "|50=ANN|52=") for text in (HEAD, AGAIN))
    resent = duplicate(encode(wire(head) + before + wire("128=B|11=ID")), b"20231114-23:00:00.000")
    assert resent == encode(wire(again) + before + wire(f"{ORIGINAL}|128=B|11=ID"))


def test_data_fields_are_repeated_byte_for_byte() -> None:
    data = b"95=7\x0196=\x0110=0\x01\x01\x01"
    again = duplicate(encode(wire(HEAD) + data), b"20231114-23:00:00.000")
    assert data in again
