"""Who gets in, what they may say, and who hears what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Connected,
    Disconnected,
    Effect,
    Event,
    Message,
    Note,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)
from core.solver.door import STRIKES, SolverDoor
from core.solver.facts import SolverConnected, SolverDisconnected, SolverLineRefused
from core.solver.lines import encode_line
from core.solver.protocol import (
    Bid,
    Defaulted,
    Deposit,
    FromSolver,
    Hello,
    PlaceBids,
    Refused,
    SolverArrived,
    SolverSaid,
    TellSolver,
    Welcome,
    WithdrawBid,
)
from core.solver.settings import DoorSettings, SolverAccount

HELLO = Hello(1, "s1", "secret-1")
WELCOME = Welcome(1, "venue", (("USDC", Decimal(100)),))
DEPOSIT = Deposit("C-1", Decimal(1))


def new_door(**more: Any) -> SolverDoor:
    accounts = {s: SolverAccount(token=f"secret-{s[1:]}", capital={"USDC": Decimal(100)}) for s in ("s1", "s2", "s3")}
    settings = DoorSettings(venue="venue", solvers=accounts, hello_timeout=50, connections_max=3, **more)
    door = SolverDoor("solvers", settings)
    door.handle(0, Start())
    return door


def enter(door: SolverDoor, conn: str, hello: Hello = HELLO) -> list[Effect]:
    door.handle(0, Connected(conn, "somewhere"))
    return door.handle(1, Bytes(conn, encode_line(hello)))


def refused(effects: list[Effect], conn: str) -> tuple[str, bool]:
    """The reason that was noted and said on `conn`, and whether it was closed."""
    reasons = [effect.fact.reason for effect in effects if isinstance(effect, Note)]
    lines = [effect.data for effect in effects if isinstance(effect, Transmit) and effect.conn == conn]
    assert msgspec.json.decode(lines[0], type=Refused).reason == reasons[0]
    return reasons[0], any(isinstance(effect, Close) and effect.conn == conn for effect in effects)


def test_a_solver_with_its_token_is_welcomed_with_its_capital() -> None:
    door = new_door()
    assert door.handle(0, Connected("c1", "somewhere")) == [SetTimer("hello:c1", 50)]
    assert door.handle(1, Bytes("c1", encode_line(HELLO))) == [
        CancelTimer("hello:c1"),
        Note(SolverConnected("s1", "c1")),
        Transmit("c1", encode_line(WELCOME)),
        Send("auction", SolverArrived("s1")),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (encode_line(Hello(1, "s1", "secret-2")), "unauthorised"),
        (encode_line(Hello(1, "s1", "")), "unauthorised"),
        (encode_line(Hello(1, "s9", "secret-1")), "unauthorised"),
        (encode_line(Hello(1, "s9", "")), "unauthorised"),
        (encode_line(Hello(1, "s1", "gehëim")), "unauthorised"),
        (encode_line(Hello(2, "s1", "secret-1")), "version"),
        (encode_line(DEPOSIT), "not_hello"),
        (b"GET / HTTP/1.1\r\n", "not_hello"),
        (b"x" * (1 << 20) + b"x\n", "line_too_long"),
    ],
)
def test_anything_but_a_good_hello_is_refused_and_closes(line: bytes, reason: str) -> None:
    door = new_door()
    door.handle(0, Connected("c1", "somewhere"))
    assert refused(door.handle(1, Bytes("c1", line + encode_line(HELLO))), "c1") == (reason, True)
    assert door.state.peers == {}


def test_a_silent_connection_is_closed_after_the_hello_timeout() -> None:
    door = new_door()
    door.handle(0, Connected("c1", "somewhere"))
    door.handle(1, Bytes("c1", b'{"type":"Hel'))
    assert refused(door.handle(50, TimerFired("hello:c1", 50)), "c1") == ("hello_timeout", True)


def test_connections_beyond_the_limit_are_turned_away() -> None:
    door = new_door()
    for number, solver in enumerate(("s1", "s2", "s3"), 1):
        enter(door, f"c{number}", Hello(1, solver, f"secret-{number}"))
    assert refused(door.handle(2, Connected("c4", "somewhere")), "c4") == ("too_many_connections", True)
    assert door.handle(3, Bytes("c4", encode_line(HELLO))) == []
    door.handle(3, Disconnected("c1", "reset"))
    assert door.handle(4, Connected("c5", "somewhere")) == [SetTimer("hello:c5", 54)]


def test_in_a_full_door_the_oldest_without_a_hello_yields() -> None:
    door = new_door()
    enter(door, "c1")
    for conn in ("c2", "c3"):
        door.handle(1, Connected(conn, f"{conn}:1"))
    effects = door.handle(2, Connected("c4", "c4:1"))
    assert refused(effects, "c2") == ("too_many_connections", True)
    assert list(door.state.peers) == ["c1", "c3", "c4"]


def test_silent_connections_of_one_address_crowd_out_each_other_and_nobody_else() -> None:
    door = new_door(waiting_per_address_max=1)
    door.handle(0, Connected("c1", "10.0.0.1:1"))
    door.handle(0, Connected("c2", "10.0.0.2:1"))
    assert refused(door.handle(1, Connected("c3", "10.0.0.2:2")), "c2") == ("too_many_connections", True)
    assert list(door.state.peers) == ["c1", "c3"]


def test_what_a_solver_says_goes_to_the_auction_under_its_name() -> None:
    door = new_door()
    enter(door, "c1")
    bid = Bid("b1", "O-1", Decimal(1), Decimal(2), 3)
    said: list[FromSolver] = [PlaceBids(1, (bid,)), WithdrawBid(1, "O-1"), DEPOSIT]
    data = b"".join(encode_line(one) for one in said)
    assert door.handle(2, Bytes("c1", data[:30])) == []
    assert door.handle(3, Bytes("c1", data[30:])) == [Send("auction", SolverSaid("s1", one)) for one in said]


def test_lines_after_the_hello_in_the_same_bytes_are_heard() -> None:
    door = new_door()
    door.handle(0, Connected("c1", "somewhere"))
    effects = door.handle(1, Bytes("c1", encode_line(HELLO) + encode_line(DEPOSIT)))
    assert effects[-1] == Send("auction", SolverSaid("s1", DEPOSIT))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hm\n", "malformed"),
        (encode_line(HELLO), "malformed"),
        (encode_line(WELCOME), "malformed"),
        (encode_line(DEPOSIT).replace(b'"1"', b'"Infinity"'), "malformed"),
        (b"x" * (1 << 20) + b"x\n", "line_too_long"),
    ],
)
def test_other_lines_are_refused_and_the_third_strike_closes(line: bytes, reason: str) -> None:
    door = new_door()
    enter(door, "c1")
    strikes = [door.handle(strike, Bytes("c1", line)) for strike in range(STRIKES)]
    assert [refused(effects, "c1") for effects in strikes] == [(reason, False)] * (STRIKES - 1) + [(reason, True)]
    assert [effects[0] for effects in strikes] == [Note(SolverLineRefused("c1", "s1", reason))] * STRIKES
    assert Note(SolverDisconnected("s1", "strikes")) in strikes[-1]
    assert door.handle(9, Bytes("c1", encode_line(DEPOSIT))) == []


def test_good_lines_behind_the_third_strike_are_not_heard() -> None:
    door = new_door()
    enter(door, "c1")
    effects = door.handle(2, Bytes("c1", b"x\n" * STRIKES + encode_line(DEPOSIT)))
    assert isinstance(effects[-1], Close)


def test_a_second_connection_with_the_token_replaces_the_first() -> None:
    door = new_door()
    enter(door, "c1")
    effects = enter(door, "c2")
    assert effects[:2] == [Note(SolverDisconnected("s1", "replaced")), Close("c1", "replaced")]
    assert Note(SolverConnected("s1", "c2")) in effects
    assert door.handle(3, Bytes("c1", encode_line(DEPOSIT))) == []
    assert door.handle(3, Disconnected("c1", "closed")) == []
    said = Defaulted("C-1", Decimal(1))
    assert door.handle(4, Message("auction", TellSolver("s1", said))) == [Transmit("c2", encode_line(said))]


def test_a_second_connection_without_the_token_does_not_disturb_the_first() -> None:
    door = new_door()
    enter(door, "c1")
    enter(door, "c2", Hello(1, "s1", "guess"))
    assert door.state.inside == {"s1": {"": "c1"}}


def test_a_solver_may_come_back_after_it_left() -> None:
    door = new_door()
    enter(door, "c1")
    assert door.handle(2, Disconnected("c1", "reset")) == [Note(SolverDisconnected("s1", "reset"))]
    assert Note(SolverConnected("s1", "c2")) in enter(door, "c2")


def test_a_connection_that_leaves_before_its_hello_takes_its_timer_along() -> None:
    door = new_door()
    door.handle(0, Connected("c1", "somewhere"))
    assert door.handle(2, Disconnected("c1", "reset")) == [CancelTimer("hello:c1")]


def test_what_is_told_to_all_goes_to_every_solver_inside_and_to_nobody_else() -> None:
    door = new_door()
    enter(door, "c1")
    enter(door, "c2", Hello(1, "s2", "secret-2"))
    door.handle(2, Connected("c3", "somewhere"))
    line = encode_line(WELCOME)
    assert door.handle(3, Message("auction", TellSolver("", WELCOME))) == [Transmit("c1", line), Transmit("c2", line)]
    assert door.handle(3, Message("auction", TellSolver("s2", WELCOME))) == [Transmit("c2", line)]
    assert door.handle(3, Message("auction", TellSolver("s4", WELCOME))) == []


def test_after_stop_nobody_new_comes_in_and_who_is_inside_can_still_pay() -> None:
    door = new_door()
    enter(door, "c1")
    door.handle(2, Stop())
    assert refused(door.handle(3, Connected("c2", "somewhere")), "c2") == ("stopped", True)
    assert door.handle(4, Bytes("c1", encode_line(DEPOSIT))) == [Send("auction", SolverSaid("s1", DEPOSIT))]


def test_a_restored_door_goes_on_as_if_it_had_not_been_put_down() -> None:
    door = new_door()
    enter(door, "c1")
    door.handle(2, Bytes("c1", b"strike\n" + encode_line(DEPOSIT)[:20]))
    door.handle(2, Connected("c2", "somewhere"))
    twin = new_door()
    twin.restore(door.snapshot())
    rest: list[Event] = [Bytes("c1", encode_line(DEPOSIT)[20:] + b"strike\nstrike\n"), TimerFired("hello:c2", 52)]
    assert [twin.handle(9, event) for event in rest] == [door.handle(9, event) for event in rest]
    assert twin.state == door.state
