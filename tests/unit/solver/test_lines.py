"""Lines come out whole however the bytes were cut, and what is no line of the protocol is no exception either."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.solver import lines
from core.solver.lines import LineBuffer, decode_line, encode_line
from core.solver.protocol import Bid, Deposit, FromSolver, Hello, PlaceBids, WithdrawBid

SAID: msgspec.json.Decoder[FromSolver] = msgspec.json.Decoder(FromSolver)
BID = Bid("b1", "O-1", Decimal("1.50"), Decimal("2000.000000000001"), 2**63 - 1)


def test_a_line_is_one_json_object_tagged_by_type_with_exact_amounts_as_text() -> None:
    line = encode_line(Deposit("C-1", Decimal("4000.10")))
    assert line == b'{"type":"Deposit","commitment_id":"C-1","amount":"4000.10"}\n'


@pytest.mark.parametrize("said", [PlaceBids(3, (BID, BID)), WithdrawBid(0, "O-1"), Deposit("C-1", Decimal("0.1"))])
def test_what_is_said_is_heard(said: FromSolver) -> None:
    assert decode_line(SAID, encode_line(said)) == said


def deposit(amount: str) -> bytes:
    return b'{"type":"Deposit","commitment_id":"C-1","amount":%s}' % amount.encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"type":"Deposit"}',
        b'{"type":"Settled","commitment_id":"C-1","input_amount":"1","output_amount":"1"}',
        b'{"type":"WithdrawBid","height":1,"order_id":"O-1","extra":0}',
        b'{"type":"WithdrawBid","height":1,"order_id":""}',
        b'{"type":"WithdrawBid","height":1,"order_id":"%s"}' % (b"O" * 65),
        b'{"type":"WithdrawBid","height":-1,"order_id":"O-1"}',
        b'{"type":"WithdrawBid","height":9223372036854775808,"order_id":"O-1"}',
        b'{"type":"WithdrawBid","height":1,"order_id":"\\ud800"}',
        b'{"type":"WithdrawBid","height":1,"order_id":"\xff"}',
        b'{"extra":' + b"[" * 100_000,
        b'{"extra":' + b"[" * 500 + b"]" * 500 + b',"type":"WithdrawBid","height":1,"order_id":"O-1"}',
        *(deposit(amount) for amount in ('"NaN"', '"sNaN"', '"-Infinity"', '"1E+57"', "1e400", '"1E-57"', '"one"')),
        deposit('"' + "1" * 29 + '"'),
        deposit('"1E+999999999999999999"'),
        deposit('"1E+9999999999999999999"'),
    ],
)
def test_a_line_that_the_protocol_does_not_know_or_bound_is_nothing(line: bytes) -> None:
    assert decode_line(SAID, line) is None


@given(st.binary(max_size=200))
def test_no_bytes_raise(line: bytes) -> None:
    decode_line(SAID, line)
    decode_line(msgspec.json.Decoder(Hello), line)


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))), st.data())
def test_lines_do_not_depend_on_how_the_bytes_were_cut(whole: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    buffer = LineBuffer()
    got: list[bytes | None] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += buffer.feed(stream[start:end])
    assert got == whole
    assert buffer == LineBuffer()


def test_an_overlong_line_is_dropped_whole_and_the_next_one_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 4)
    buffer = LineBuffer()
    assert buffer.feed(b"1234\n12345\n12") == [b"1234", None]
    assert buffer.feed(b"345") == []
    assert buffer.pending == b""
    assert buffer.feed(b"678\nok\n") == [None, b"ok"]


def test_an_unfinished_line_survives_a_snapshot() -> None:
    buffer = LineBuffer()
    buffer.feed(b"unfini")
    twin = msgspec.msgpack.decode(msgspec.msgpack.encode(buffer), type=LineBuffer)
    assert twin.feed(b"shed\n") == [b"unfinished"]
