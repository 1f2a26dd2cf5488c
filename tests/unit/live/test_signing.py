"""Logons are signed on their way out, and orders if they are to be; nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.fix.codec import encode
from core.identity.logon import LogonClaim, read_claim, sign_logon
from core.identity.orders import sign_order
from live.keys import SecretKey, new_key
from live.signing import SignMessages
from tests.helpers.fix import ORDER, wire
from tests.helpers.identity import plain_logon

HEARTBEAT = encode(wire("35=0|34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER|112=\x0135=A"))


@pytest.fixture
def key(tmp_path: Path) -> SecretKey:
    return new_key(tmp_path / "key")


def test_a_logon_leaves_with_a_signature(key: SecretKey) -> None:
    claim = read_claim(SignMessages(key)(plain_logon()))
    assert isinstance(claim, LogonClaim)
    assert claim.signature == key.sign(claim.message)


def test_what_is_written_with_it_leaves_as_it_is(key: SecretKey) -> None:
    logon = plain_logon()
    signed = sign_logon(logon, key.sign)
    assert SignMessages(key)(HEARTBEAT) == HEARTBEAT
    assert SignMessages(key)(logon + HEARTBEAT) == signed + HEARTBEAT
    assert SignMessages(key)(HEARTBEAT + logon + HEARTBEAT) == HEARTBEAT + signed + HEARTBEAT


def test_orders_leave_with_a_signature_where_each_is_signed(key: SecretKey) -> None:
    order = encode(wire(f"35=D|34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER|{ORDER}"))
    assert SignMessages(key)(order) == order
    signing = SignMessages(key, "order")
    assert signing(order) == sign_order(order, key.sign)
    assert signing(plain_logon() + order + HEARTBEAT) == SignMessages(key)(plain_logon()) + signing(order) + HEARTBEAT
