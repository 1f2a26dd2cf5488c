"""Settings made in code: what cannot be is refused at once, by the setting's name."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InputError
from core.fix.checks import check_engine
from core.fix.engine import FixEngine
from core.fix.settings import EngineConfig, SessionConfig
from core.units import SECOND
from tests.helpers.fix import acceptor_config, initiator_config


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"resend_batch": 0}, "resend_batch: must be above 0, got 0"),
        ({"resend_batch": "many"}, "resend_batch: expected `int`, got `str`, got 'many'"),
        ({"early_messages_max": -1}, "early_messages_max: must be at least 0, got -1"),
        ({"kept_messages_max": -1}, "kept_messages_max: must be at least 0, got -1"),
        ({"waiting_messages_max": -5}, "waiting_messages_max: must be at least 0, got -5"),
        ({"resend_request_chunk_size": -1}, "resend_request_chunk_size: must be at least 0, got -1"),
        ({"reconnect_interval": 0}, "reconnect_interval: must be above 0, got 0"),
        ({"connect_timeout": 0}, "connect_timeout: must be above 0, got 0"),
        ({"heartbeat_interval": 30.0}, "heartbeat_interval: expected `int`, got `float`, got 30.0"),
        ({"heartbeat_interval": 90_000 * SECOND}, "heartbeat_interval: HeartBtInt is at most 86400 s"),
        (
            {"heartbeat_interval_min": 9 * SECOND, "heartbeat_interval_max": SECOND},
            "heartbeat_interval_min: 9000000000 is above heartbeat_interval_max",
        ),
        ({"addresses": ()}, "addresses: an initiator needs one to connect to"),
        ({"addresses": ("",)}, "addresses: one of them is empty"),
        ({"addresses": "venue:1"}, "addresses: expected `array`, got `str`, got 'venue:1'"),
        ({"sender_comp_id": "A\x01B"}, "sender_comp_id: expected Latin-1 characters but SOH, got 'A\\x01B'"),
        ({"reset_on_logon": "Y"}, "reset_on_logon: expected `bool`, got `str`, got 'Y'"),
        ({"dialect": "klingon"}, "dialect: there is no dialect 'klingon': there is none"),
        ({"header_fields": ((58, "x"),)}, "header_fields: field 58 "),
    ],
)
def test_a_setting_of_a_session_that_cannot_be_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as caught:
        FixEngine("fix", initiator_config(**changes))
    assert caught.value.message.startswith(f"session 'ROMER': {problem}")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"role": "client"}, "role: expected acceptor or initiator, got 'client'"),
        ({"connections_max": 0}, "connections_max: must be above 0, got 0"),
        ({"fields_max": -1}, "fields_max: must be above 0, got -1"),
        ({"message_bytes_max": -1}, "message_bytes_max: must be above 0, got -1"),
        ({"waiting_per_address_max": 0}, "waiting_per_address_max: must be above 0, got 0"),
        ({"logon_timeout": 0}, "logon_timeout: must be above 0, got 0"),
        ({"comp_id": ""}, "session 'MM1': sender_comp_id: expected Latin-1 characters but SOH, got ''"),
        ({"app_messages": ("A",)}, "app_messages: MsgType 'A' is the session's own"),
        ({"app_messages": ("zz",)}, "app_messages: MsgType 'zz' is in no dictionary"),
    ],
)
def test_a_setting_of_an_engine_that_cannot_be_is_named(changes: dict[str, Any], problem: str) -> None:
    own = {**{name: getattr(acceptor_config(), name) for name in EngineConfig.__struct_fields__}, **changes}
    with pytest.raises(InputError) as caught:
        check_engine(EngineConfig(**own))
    assert caught.value.message == problem


def test_sessions_must_differ_in_name_and_in_comp_ids() -> None:
    base = {"role": "acceptor", "comp_id": "ROMER", "app": "app", "app_messages": ("D",)}
    sessions = (
        SessionConfig(target_comp_id="A"),
        SessionConfig(target_comp_id="A"),
        SessionConfig(target_comp_id="A", session="B"),
    )
    with pytest.raises(InputError) as caught:
        check_engine(EngineConfig(sessions=sessions, **base))  # type: ignore[arg-type]
    assert caught.value.message.splitlines() == [
        "session 'A': session: another one has this name",
        "session 'B': target_comp_id, sender_comp_id: another one has ROMER->A too",
    ]


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        check_engine(initiator_config(resend_batch=0, latency_max=0, connections_max=0))
    assert [line.split(": must")[0] for line in caught.value.message.splitlines()] == ["connections_max"]
    with pytest.raises(InputError) as caught:
        check_engine(initiator_config(resend_batch=0, latency_max=0))
    assert [line.split(": must")[0] for line in caught.value.message.splitlines()] == [
        "session 'ROMER': latency_max",
        "session 'ROMER': resend_batch",
    ]
