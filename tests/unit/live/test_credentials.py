"""A token is read from where it is, and never gets into a node."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.solver.lines import encode_line
from core.solver.protocol import HELLO_BYTES_MAX, LINE_BYTES_MAX, VERSION, Hello, PlaceBids
from live.credentials import SECRET_BYTES_MAX, HashToken, Secret, ShowToken, proof_of

BIDS = encode_line(PlaceBids(1, ()))


def hello(token: str) -> bytes:
    return encode_line(Hello(VERSION, "s1", token))


@given(st.text(min_size=1), st.data())
def test_what_a_solver_sends_arrives_as_it_was_sent_and_only_the_wire_has_the_token(
    token: str, data: st.DataObject
) -> None:
    inside = hello(proof_of(token)) + BIDS
    wire = ShowToken(token)(inside)
    assert msgspec.json.decode(wire.split(b"\n")[0])["token"] == token
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    arrive = HashToken()
    parts = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert b"".join(arrive(part) for part in parts) == inside


def test_the_hash_of_a_token_opens_nothing() -> None:
    proof = proof_of("hush")
    assert proof_of(proof).encode() in HashToken()(hello(proof))


def test_nothing_is_handed_on_before_a_line_is_whole() -> None:
    arrive = HashToken()
    assert arrive(hello("hush")[:-1]) == b""
    assert arrive(b"\n" + BIDS[:5]) == hello(proof_of("hush"))
    assert arrive(BIDS[5:] + BIDS) == BIDS + BIDS


@pytest.mark.parametrize("line", [b"hello", b"[" * 10_000, b'{"token":1}', b"[]", b'"token"', b"\xff", b""])
def test_of_a_first_line_that_is_no_hello_the_door_has_only_that_it_is_none(line: bytes) -> None:
    refused, again = HashToken()(line + b"\n" + line + b"\n" + BIDS).split(b"\n", 1)
    assert len(refused) == (1 if len(line) <= HELLO_BYTES_MAX else HELLO_BYTES_MAX + 1)
    assert refused.strip(b"?") == b""
    assert again.endswith(b"\n" + BIDS)


def test_a_line_without_end_is_held_no_longer_than_a_line_may_be() -> None:
    arrive = HashToken()
    assert arrive(b"x" * HELLO_BYTES_MAX) == b""
    assert arrive(b"x") == b"?" * (HELLO_BYTES_MAX + 1)
    assert arrive(b"x" * HELLO_BYTES_MAX) == b""
    assert arrive(b"x\n") == b"\n"
    assert arrive(b"x" * LINE_BYTES_MAX) == b""
    assert arrive(b"x") == b"?" * (LINE_BYTES_MAX + 1)
    assert arrive(b"x\n" + BIDS) == b"\n" + BIDS


_MISTAKES = (
    b'{"type":"Hello","version":1,"solver":"s1","token":"SECRET",}',
    b'{"type":"Hello","version":1,"solver":"s1","Token":"SECRET"}',
    b'{"type":"hello","version":1,"solver":"s1","token":"SECRET"}',
    b'{"type":"Hello","version":"1","solver":"s1","to\\u006ben":"SECRET"}',
    b'{"type":"Hello","version":1,"solver":"s1","token":"SECRET","pad":"' + b"x" * HELLO_BYTES_MAX + b'"}',
    b'{"type":"Deposit","commitment_id":"C-1","amount":1,"token":"SECRET"}',
    b"SECRET token",
)


@pytest.mark.parametrize("line", [hello("SECRET")[:-1], *_MISTAKES], ids=range(len(_MISTAKES) + 1))
@pytest.mark.parametrize("before", [b"", hello("hush")], ids=["first", "later"])
@given(st.data())
def test_no_token_gets_through_wherever_it_stands_and_however_it_is_cut(
    before: bytes, line: bytes, data: st.DataObject
) -> None:
    wire = before + line + b"\n" + BIDS
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    arrive = HashToken()
    parts = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    inside = b"".join(arrive(part) for part in parts)
    assert b"SECRET" not in inside
    assert inside.endswith(b"\n" + BIDS)
    assert inside.count(b"\n") == wire.count(b"\n")


def test_a_secret_is_read_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUSH", " one \n")
    (tmp_path / "hush").write_text("two\n")
    assert Secret(env="HUSH").read() == "one"
    assert Secret(file="hush").read(tmp_path) == "two"


def test_a_secret_that_cannot_be_read_is_named_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUSH", "  ")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"x" * (SECRET_BYTES_MAX + 1))
    for secret, problem in (
        (Secret(), "a secret is in one place"),
        (Secret(env="HUSH", file="hush"), "a secret is in one place"),
        (Secret(env="HUSH"), "environment variable HUSH is empty"),
        (Secret(env="HUSH_NOT"), "environment variable HUSH_NOT is not set"),
        (Secret(file="none"), "cannot read the secret in .*none: No such file"),
        (Secret(file="binary"), "binary is not text"),
        (Secret(file="long"), "long is too long"),
    ):
        with pytest.raises(InputError, match=problem):
            secret.read(tmp_path)
