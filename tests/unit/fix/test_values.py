from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fix.values import BOOLEAN, FLOAT, INT, STRING


@pytest.mark.parametrize(
    "text", ["0", "1", "-1", "1.5", "-1.5", "002000.00", "1.", ".5", "-.5", "0." + "0" * 40 + "12", "9" * 28]
)
def test_a_float_is_digits_with_one_point_and_a_minus(text: str) -> None:
    assert FLOAT.read(text.encode()) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+1",
        "1e5",
        "1E5",
        "NaN",
        "Infinity",
        "-",
        ".",
        "-.",
        "1.2.3",
        "1_000",
        "1,5",
        " 1",
        "1 ",
        "--1",
        "0x1",
        "٣",
        "²",
        "9" * 29,
        "1" + "0" * 28,
        "0." + "1" * 29,
        "0" * 65,
    ],
)
def test_anything_else_is_no_float(text: str) -> None:
    with pytest.raises(ValueError, match=r"no float|more than"):
        FLOAT.read(text.encode())


@pytest.mark.parametrize(("value", "text"), [("1E+3", "1000"), ("1E-10", "0.0000000001"), ("-0.50", "-0.50")])
def test_a_float_is_written_without_exponent(value: str, text: str) -> None:
    assert FLOAT.write(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19, places=8))
def test_every_float_comes_back(value: Decimal) -> None:
    assert FLOAT.read(FLOAT.write(value).encode()) == value


@pytest.mark.parametrize("text", ["0", "7", "-7", "007", "9" * 18, "-" + "9" * 18])
def test_an_int_is_digits_with_a_minus(text: str) -> None:
    assert INT.read(text.encode()) == int(text)


@pytest.mark.parametrize("text", ["", "-", "+1", "1.0", "1e3", " 1", "1_0", "9" * 19, "--1", "²"])
def test_anything_else_is_no_int(text: str) -> None:
    with pytest.raises(ValueError, match="no int"):
        INT.read(text.encode())


def test_a_boolean_is_y_or_n() -> None:
    assert [BOOLEAN.read(b"Y"), BOOLEAN.read(b"N"), BOOLEAN.write(True), BOOLEAN.write(False)] == [
        True,
        False,
        "Y",
        "N",
    ]
    with pytest.raises(ValueError, match="no boolean"):
        BOOLEAN.read(b"y")


@given(st.binary())
def test_text_gives_back_every_byte(value: bytes) -> None:
    assert STRING.write(STRING.read(value)).encode("latin-1") == value
