"""Logons are signed on their way out, wherever they stand in what is written, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.fix.codec import encode
from core.identity.logon import LogonClaim, read_claim, sign_logon
from live.keys import SecretKey, new_key
from live.signing import SignLogons
from tests.helpers.fix import wire
from tests.helpers.identity import plain_logon

HEARTBEAT = encode(wire("35=0|34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER|112=\x0135=A"))


@pytest.fixture
def key(tmp_path: Path) -> SecretKey:
    return new_key(tmp_path / "key")


def test_a_logon_leaves_with_a_signature(key: SecretKey) -> None:
    claim = read_claim(SignLogons(key)(plain_logon()))
    assert isinstance(claim, LogonClaim)
    assert claim.signature == key.sign(claim.message)


def test_what_is_written_with_it_leaves_as_it_is(key: SecretKey) -> None:
    logon = plain_logon()
    signed = sign_logon(logon, key.sign)
    assert SignLogons(key)(HEARTBEAT) == HEARTBEAT
    assert SignLogons(key)(logon + HEARTBEAT) == signed + HEARTBEAT
    assert SignLogons(key)(HEARTBEAT + logon + HEARTBEAT) == HEARTBEAT + signed + HEARTBEAT
