"""How a venue speaks FIX with each member: layers of settings, and what is wrong with them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.checks import problems
from core.config import (
    AuctionConfig,
    Clock,
    DictionaryText,
    DoorsConfig,
    Duration,
    FixConfig,
    IdentityConfig,
    KeyConfig,
    MemberConfig,
    MemberSessionOptions,
    ScheduleConfig,
    SequencerConfig,
    SessionOptions,
    VenueConfig,
    decode_node,
    encode_node,
)
from core.faults import dotted
from core.fix.dictionary_text import field_words, message_words
from core.fix.engine import FixEngine
from core.fix.schedule import Schedule, Zone
from core.fix.settings import SessionConfig
from core.fix.shipped import source, venue_source
from core.market.orders import Pair, Token
from core.units import SECOND
from core.wiring import components
from tests.helpers.identity import proof, public

HOUR = 3600
ETH, USDC = Token("ETH", 8), Token("USDC", 6)
PAIR = Pair("ETHUSDC", ETH, USDC, Decimal("0.01"), Decimal("0.0001"), Decimal(1000))
TEXT = DictionaryText(
    begin_string="FIX.4.2",
    fields=" ".join(field_words(source("FIX.4.2"))),
    messages=" ".join(message_words(source("FIX.4.2"))),
)
NOTHING = SessionOptions()
DAY = ScheduleConfig(start_time=Clock(8 * HOUR), end_time=Clock(17 * HOUR))


SIGNING = KeyConfig(public=public("MM1").hex(), proof=proof("MM1").hex(), signing="order")


def venue(shared: SessionOptions = NOTHING, *members: MemberConfig, **more: Any) -> VenueConfig:
    return VenueConfig(
        pairs=(PAIR,),
        sequencer=SequencerConfig(),
        auction=AuctionConfig(bond_token="USDC", default_penalty=Decimal(1)),
        fix=FixConfig(session=shared),
        members=members or (MemberConfig(id="MM1"),),
        solvers=(),
        **more,
    )


def member(name: str = "MM1", **options: Any) -> MemberConfig:
    return MemberConfig(id=name, session=MemberSessionOptions(**options))


def sessions(config: VenueConfig) -> tuple[SessionConfig, ...]:
    assert problems(config) == []
    engine = components(config, 0)[0]
    assert isinstance(engine, FixEngine)
    return tuple(session.own for session in engine.hosted.values())


def faults(config: VenueConfig) -> list[str]:
    return [f"{dotted(fault.path)}: {fault.problem}" for fault in problems(config)]


def test_without_options_a_session_has_the_defaults_alone() -> None:
    assert sessions(venue()) == (SessionConfig(target_comp_id="MM1"),)


def test_a_member_comes_before_the_venue_and_that_before_the_default() -> None:
    shared = SessionOptions(reset_on_logon=True, latency_max=Duration(30 * SECOND))
    one, two = sessions(venue(shared, member("MM1", reset_on_logon=False), member("MM2")))
    assert (one.reset_on_logon, one.latency_max, one.logout_timeout) == (False, 30 * SECOND, 2 * SECOND)
    assert (two.reset_on_logon, two.latency_max) == (True, 30 * SECOND)


def test_the_limits_of_the_engine_are_the_venues() -> None:
    limits = FixConfig(message_bytes_max=5_000, fields_max=70, session=SessionOptions(group_entries_max=9))
    doors = DoorsConfig(
        fix_connections_max=3,
        waiting_per_address_max=2,
        logon_timeout=Duration(4 * SECOND),
        authentication_timeout=Duration(3 * SECOND),
    )
    config = replace(venue(NOTHING, member("MM1"), member("MM2", group_entries_max=20)), fix=limits, doors=doors)
    assert problems(config) == []
    engine = components(config, 0)[0]
    assert isinstance(engine, FixEngine)
    own = engine.config
    assert (own.message_bytes_max, own.fields_max, own.connections_max) == (5_000, 70, 3)
    assert (own.waiting_per_address_max, own.logon_timeout, own.authentication_timeout) == (2, 4 * SECOND, 3 * SECOND)
    one, two = (session.dialect.validator.policy.group_entries_max for session in engine.hosted.values())
    assert (one, two) == (9, 20)


def test_comp_ids_may_differ_from_the_account() -> None:
    (session,) = sessions(venue(NOTHING, member("MM1", target_comp_id="A B", sender_comp_id="X")))
    assert (session.name, session.target_comp_id, session.sender_comp_id) == ("MM1", "A B", "X")


def test_a_schedule_is_by_the_clocks_of_its_zone() -> None:
    berlin = Zone("Europe/Berlin", 3600)
    weekly = ScheduleConfig(
        start_time=Clock(8 * HOUR),
        end_time=Clock(17 * HOUR),
        start_day="mon",
        end_day="fri",
        time_zone="Europe/Berlin",
    )
    config = venue(SessionOptions(schedule=weekly), member(), member("MM2", schedule=DAY), zones={berlin.name: berlin})
    one, two = sessions(config)
    assert one.schedule == Schedule(start_time=8 * HOUR, end_time=17 * HOUR, start_day=0, end_day=4, zone=berlin)
    assert two.schedule == Schedule(start_time=8 * HOUR, end_time=17 * HOUR)


def test_sessions_that_speak_alike_share_a_dialect_and_the_others_have_the_venues() -> None:
    strict = {"validate_user_defined_fields": False}
    config = venue(
        NOTHING,
        member("MM1", **strict),
        member("MM2", **strict),
        member("MM3", dictionary="own"),
        member("MM4"),
        dictionaries={"own": TEXT},
    )
    assert [session.dialect for session in sessions(config)] == [
        "FIX.4.2 validate_user_defined_fields=False",
        "FIX.4.2 validate_user_defined_fields=False",
        "own",
        "",
    ]


def test_options_outlast_a_journals_header() -> None:
    config = venue(SessionOptions(schedule=DAY), member(latency_max=Duration(SECOND)), dictionaries={"own": TEXT})
    assert decode_node(encode_node(config)) == config


LONG, SHORT = Duration(60 * SECOND), Duration(5 * SECOND)
MON_ALONE = ScheduleConfig(start_time=Clock(0), end_time=Clock(0), start_day="mon")
TWICE = ScheduleConfig(start_time=Clock(0), end_time=Clock(0), start_day="mon", end_day="fri", weekdays=("mon",))
MARS = ScheduleConfig(start_time=Clock(0), end_time=Clock(0), time_zone="Mars")


@pytest.mark.parametrize(
    ("shared", "own", "fault"),
    [
        ({"dictionary": "FIX.4.5"}, {}, 'fix.session.dictionary: there is no dictionary "FIX.4.5"'),
        ({}, {"resend_timeout": Duration(0)}, "members[0].session.resend_timeout: must be above zero, got 0s"),
        (
            {"heartbeat_interval_min": LONG},
            {"heartbeat_interval_max": SHORT},
            "members[0].session.heartbeat_interval_max: no HeartBtInt is from 60s to 5s",
        ),
        (
            {"heartbeat_interval_min": LONG, "heartbeat_interval_max": SHORT},
            {},
            "fix.session.heartbeat_interval_min: no HeartBtInt is from 60s to 5s",
        ),
        (
            {"heartbeat_interval_max": Duration(90_000 * SECOND)},
            {},
            "fix.session.heartbeat_interval_max: HeartBtInt is at most 86400s, got 90000s",
        ),
        ({}, {"schedule": MON_ALONE}, "members[0].session.schedule.start_day: there is no end_day"),
        ({"schedule": TWICE}, {}, "fix.session.schedule.weekdays: give either weekdays, or start_day and end_day"),
        ({"schedule": MARS}, {}, 'fix.session.schedule.time_zone: there is no time zone "Mars"'),
    ],
)
def test_what_cannot_be_is_a_fault_where_it_is_said(shared: Any, own: Any, fault: str) -> None:
    assert faults(venue(SessionOptions(**shared), member(**own))) == [fault]


def test_two_members_with_the_same_comp_ids_are_found() -> None:
    config = venue(NOTHING, member("MM1"), member("MM2", target_comp_id="MM1"))
    assert faults(config) == ['members[1].session: "MM1" has the CompIDs MM1 and ROMER too']


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (replace(TEXT, begin_string="FIX.4.4"), "is of FIX.4.4: orders and reports are those of FIX.4.2"),
        (replace(TEXT, messages=TEXT.messages.replace(" F=OrderCancelRequest", " U9=Other")), "lacks messages that"),
        (replace(TEXT, messages="nonsense"), "cannot be used: "),
    ],
)
def test_a_dictionary_that_the_venue_cannot_speak_by_is_found(text: DictionaryText, problem: str) -> None:
    (fault,) = faults(venue(dictionaries={"own": text}))
    assert fault.startswith(f"dictionaries.own: {problem}")


def test_a_dictionary_cannot_have_the_name_of_one_that_comes_along() -> None:
    (fault,) = faults(venue(dictionaries={"FIX.4.2": TEXT}))
    assert fault == "dictionaries.FIX.4.2: is the name of a dictionary that comes with Romer"


def test_who_signs_orders_needs_a_dictionary_in_which_they_can_be_signed() -> None:
    more = {"identity": IdentityConfig(), "dictionaries": {"own": TEXT}}
    signing = replace(member(dictionary="own"), key=SIGNING)
    assert faults(venue(NOTHING, signing, **more)) == [
        'members[0].session.dictionary: "own" has no OrderSignature(20006) in D, F, G'
    ]
    assert not faults(venue(NOTHING, replace(signing, key=replace(SIGNING, signing="logon")), **more))
    whole = DictionaryText(
        begin_string="FIX.4.2",
        fields=" ".join(field_words(venue_source())),
        messages=" ".join(message_words(venue_source())),
    )
    assert not faults(venue(NOTHING, signing, **more | {"dictionaries": {"own": whole}}))
