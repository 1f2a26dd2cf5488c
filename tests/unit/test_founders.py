"""What a venue's configuration says of keys becomes what its registrar is told, or a fault."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.checks import problems
from core.config import VenueConfig, decode_custom, decode_node, encode_node
from core.faults import dotted
from core.founders import identity_settings
from core.identity.records import Permissions, RegisterMaker
from core.units import MILLISECOND, SECOND
from tests.helpers.identity import proof, public

PAIR = {
    "symbol": "ETHUSDC",
    "base": {"id": "ETH", "decimals": 8},
    "quote": {"id": "USDC", "decimals": 6},
    "tick": "0.01",
    "lot": "0.0001",
    "quantity_max": "1000",
}


def key(name: str, **more: Any) -> dict[str, Any]:
    """A key as a configuration has it."""
    return {"public": public(name).hex(), "proof": proof(name).hex(), **more}


def venue(*members: dict[str, Any], **more: Any) -> VenueConfig:
    """A venue with these members, whose Logons are signed."""
    data: dict[str, Any] = {
        "type": "venue",
        "pairs": [PAIR],
        "sequencer": {},
        "auction": {"bond_token": "USDC", "default_penalty": "100"},
        "members": list(members),
        "solvers": [],
        "identity": {},
    }
    return msgspec.convert(data | more, VenueConfig, dec_hook=decode_custom)


def faults(config: VenueConfig) -> list[str]:
    return [f"{dotted(fault.path)}: {fault.problem}" for fault in problems(config)]


def test_members_with_a_key_are_founders_and_the_others_need_no_signature() -> None:
    permissions = {"symbols": ["ETHUSDC"], "messages_per_second_max": 5}
    config = venue({"id": "MM1", "key": key("MM1", permissions=permissions, signing="order")}, {"id": "MM2"})
    assert faults(config) == []
    settings = identity_settings(config)
    assert settings is not None
    allowed = Permissions(symbols=("ETHUSDC",), messages_per_second_max=5)
    assert settings.founders == (
        RegisterMaker("MM1", public("MM1"), proof("MM1"), "configuration", "founder", allowed, "order"),
    )
    assert (settings.unsigned, settings.receive_window) == ({"MM2": "MM2"}, 5 * SECOND)
    assert decode_node(encode_node(config)) == config


def test_a_venue_may_require_a_key_of_everybody() -> None:
    settings = identity_settings(venue({"id": "MM2"}, identity={"required": True, "receive_window": "250ms"}))
    assert settings is not None
    assert (settings.unsigned, settings.receive_window) == ({}, 250 * MILLISECOND)


def test_without_identity_there_is_no_registrar() -> None:
    assert identity_settings(venue({"id": "MM1"}, identity=None)) is None


def test_the_registry_knows_a_member_by_its_sender_comp_id() -> None:
    config = venue({"id": "MM1", "session": {"target_comp_id": "DESK"}, "key": key("MM1")})
    settings = identity_settings(config)
    assert settings is not None
    assert [founder.maker for founder in settings.founders] == ["DESK"]


def test_a_key_is_one_members() -> None:
    config = venue({"id": "MM1", "key": key("MM1")}, {"id": "MM2", "key": key("MM1")})
    assert faults(config) == ['members[1].key.public: it is the key of "MM1" too']


def test_a_sender_comp_id_that_the_registry_cannot_hold_is_a_fault() -> None:
    config = venue({"id": "MM1", "session": {"target_comp_id": "MM 1"}, "key": key("MM1")})
    assert faults(config) == ['members[0].key: the registry cannot hold the SenderCompID "MM 1"']


def test_an_order_may_not_be_limited_to_nothing() -> None:
    config = venue({"id": "MM1", "key": key("MM1", permissions={"order_quantity_max": "0"})})
    assert faults(config) == ["members[0].key.permissions.order_quantity_max: must be above zero, got 0"]


@pytest.mark.parametrize("name", ["symbols", "msg_types"])
def test_who_is_permitted_something_is_not_permitted_nothing(name: str) -> None:
    config = venue({"id": "MM1", "key": key("MM1", permissions={name: []})})
    assert faults(config) == [f"members[0].key.permissions.{name}: permits nothing"]
