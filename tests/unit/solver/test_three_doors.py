"""A solver with a connection to each of three doors, and how both ends find out that the other is gone."""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Effect,
    Message,
    Note,
    Send,
    SetTimer,
    Start,
    TimerFired,
    Transmit,
)
from core.solver.agent import SolverAgent
from core.solver.door import SolverDoor
from core.solver.facts import AwardDecided, BatchSkipped, SolverConnected, SolverDisconnected, SolverLineRefused
from core.solver.lines import encode_line
from core.solver.problem import CostPlus, Solution
from core.solver.protocol import (
    Awarded,
    Bid,
    BidRefused,
    Defaulted,
    Deposit,
    DepositRefused,
    Door,
    FromVenue,
    Hello,
    Line,
    Ping,
    PlaceBids,
    Pong,
    Refused,
    Settled,
    SolverArrived,
    SolverSaid,
    TellSolver,
    Welcome,
)
from core.solver.pulse import PulseSettings
from core.solver.settings import DoorSettings, SolverAccount, SolverSettings

HELLO = Hello(1, "s1", "secret")
WELCOME = Welcome(1, "venue", (("USDC", Decimal(10_000)),))
BIDS = PlaceBids(3, (Bid("b", "O-1", Decimal(2), Decimal(2000), 500),))
DEPOSIT = Deposit("C-1", Decimal(4000))
AWARD = Awarded("C-1", 3, "O-1", "b", "ETH", "USDC", Decimal(2), Decimal(4000), 400)
PULSE = PulseSettings(interval=100, timeout=30)


def new_door(pulse: PulseSettings | None = None) -> SolverDoor:
    accounts = {"s1": SolverAccount(token="secret", capital={"USDC": Decimal(10_000)})}
    settings = DoorSettings(venue="venue", solvers=accounts, pulse=pulse or PulseSettings())
    return SolverDoor("solvers", settings)


def enter(door: SolverDoor, *names: str, now: int = 0) -> list[Effect]:
    """Say hello on a connection to each of the doors named; a connection is called like its door."""
    effects = []
    for name in names:
        door.handle(now, Connected(name or "all", "somewhere", name))
        effects += door.handle(now, Bytes(name or "all", encode_line(HELLO)))
    return effects


def told(door: SolverDoor, said: FromVenue) -> list[Effect]:
    return door.handle(9, Message("auction", TellSolver("s1", said)))


def reasons(effects: list[Effect]) -> list[str]:
    return [each.fact.reason for each in effects if isinstance(each, Note) and isinstance(each.fact, SolverLineRefused)]


def new_agent(pulse: PulseSettings | None = None) -> SolverAgent:
    settings = SolverSettings(
        solver="s1",
        token="secret",
        addresses={Door.ORDERS: "venue:80", Door.BIDS: "venue:81", Door.CLAIMS: "venue:82"},
        params=CostPlus(),
        seed=7,
        reconnect_interval=1000,
        pulse=pulse or PulseSettings(),
    )
    return SolverAgent("solver", settings)


def connected(agent: SolverAgent, *conns: str, now: int = 1) -> list[Effect]:
    effects = []
    for conn in conns:
        agent.handle(now, Connected(conn, "venue"))
        effects += agent.handle(now, Bytes(conn, encode_line(WELCOME)))
    return effects


def active(pulse: PulseSettings | None = None) -> SolverAgent:
    agent = new_agent(pulse)
    agent.handle(0, Start())
    connected(agent, "venue-1", "venue-2", "venue-3")
    return agent


def hear(agent: SolverAgent, conn: str, *said: Line, now: int = 100) -> list[Effect]:
    return agent.handle(now, Bytes(conn, b"".join(encode_line(one) for one in said)))


# --- the venue -----------------------------------------------------------------------------------


def test_each_connection_has_a_hello_and_a_welcome_of_its_own() -> None:
    door = new_door()
    effects = enter(door, "orders", "bids", "claims")
    assert [each.fact for each in effects if isinstance(each, Note)] == [
        SolverConnected("s1", name, name) for name in ("orders", "bids", "claims")
    ]
    assert [each for each in effects if isinstance(each, Transmit)] == [
        Transmit(name, encode_line(WELCOME)) for name in ("orders", "bids", "claims")
    ]


def test_lines_go_by_the_door_that_they_belong_to() -> None:
    door = new_door()
    enter(door, "orders", "bids", "claims")
    assert told(door, AWARD) == [Transmit("orders", encode_line(AWARD))]
    assert told(door, BidRefused(3, "b", "O-1", "late"))[0] == Transmit(
        "bids", encode_line(BidRefused(3, "b", "O-1", "late"))
    )
    refused = DepositRefused("C-1", Decimal(1), "late")
    assert told(door, refused) == [Transmit("claims", encode_line(refused))]
    assert door.handle(9, Bytes("bids", encode_line(BIDS))) == [Send("auction", SolverSaid("s1", BIDS))]
    assert door.handle(9, Bytes("claims", encode_line(DEPOSIT))) == [Send("auction", SolverSaid("s1", DEPOSIT))]


def test_a_line_at_another_door_is_refused_and_counts_as_a_strike() -> None:
    door = new_door()
    enter(door, "orders", "bids", "claims")
    for conn, line in (("orders", BIDS), ("orders", DEPOSIT), ("claims", BIDS), ("bids", DEPOSIT)):
        assert reasons(door.handle(9, Bytes(conn, encode_line(line)))) == ["wrong_door"]
    assert door.state.peers["orders"].strikes == 2


def test_bids_of_a_solver_that_could_not_hear_of_an_award_are_refused() -> None:
    door = new_door()
    enter(door, "bids", "claims")
    refused = encode_line(Refused("no_orders_connection", "protocol version 1"))
    assert door.handle(9, Bytes("bids", encode_line(BIDS))) == [
        Note(SolverLineRefused("bids", "s1", "no_orders_connection")),
        Transmit("bids", refused),
    ]
    assert door.handle(9, Bytes("claims", encode_line(DEPOSIT))) == [Send("auction", SolverSaid("s1", DEPOSIT))]
    enter(door, "orders")
    assert door.handle(9, Bytes("bids", encode_line(BIDS))) == [Send("auction", SolverSaid("s1", BIDS))]


def test_the_connections_of_a_solver_end_independently() -> None:
    door = new_door()
    enter(door, "orders", "bids", "claims")
    assert door.handle(2, Disconnected("bids", "reset")) == [Note(SolverDisconnected("s1", "reset", "bids"))]
    assert told(door, AWARD) == [Transmit("orders", encode_line(AWARD))]
    assert told(door, BidRefused(3, "b", "O-1", "late")) == []
    for conn in ("orders", "claims"):
        door.handle(3, Disconnected(conn, "reset"))
    assert door.state.inside == {}


def test_a_connection_for_everything_and_three_replace_each_other() -> None:
    door = new_door()
    enter(door, "orders", "bids")
    closes = [each for each in enter(door, "") if isinstance(each, Close)]
    assert closes == [Close("orders", "replaced"), Close("bids", "replaced")]
    assert Close("all", "replaced") in enter(door, "claims")
    assert door.state.inside == {"s1": {"claims": "claims"}}


def test_a_door_that_the_protocol_does_not_have_lets_nobody_in() -> None:
    door = new_door()
    assert reasons(door.handle(0, Connected("c1", "somewhere", "kitchen"))) == ["wrong_door"]
    assert door.state.peers == {}


def test_a_hello_without_an_end_is_not_waited_for() -> None:
    door = new_door()
    door.handle(0, Connected("c1", "somewhere"))
    assert reasons(door.handle(1, Bytes("c1", b"x" * 9000))) == ["line_too_long"]
    assert door.state.peers == {}


# --- the solver ----------------------------------------------------------------------------------


def test_it_dials_every_door() -> None:
    agent = new_agent()
    addresses = ["venue:80", "venue:81", "venue:82"]
    assert agent.handle(0, Start()) == [Connect(f"venue-{n}", address) for n, address in enumerate(addresses, 1)]


def test_bids_leave_by_their_door_and_are_given_up_without_it() -> None:
    agent = active()
    agent.state.jobs |= {"J-1": 900, "J-2": 900}
    (sent, _) = agent.handle(200, Computed("J-1", Solution(3, BIDS.bids)))
    assert sent == Transmit("venue-2", encode_line(BIDS))
    assert agent.handle(300, Disconnected("venue-2", "reset")) == [SetTimer("reconnect:bids", 1300)]
    assert agent.handle(400, Computed("J-2", Solution(3, BIDS.bids))) == [Note(BatchSkipped("s1", 3, "offline"))]
    assert agent.handle(1300, TimerFired("reconnect:bids", 1300)) == [Connect("venue-4", "venue:81")]


def test_a_deposit_waits_for_its_connection_and_is_made_on_each_until_it_is_answered() -> None:
    agent = active()
    agent.handle(50, Disconnected("venue-3", "reset"))
    assert hear(agent, "venue-1", AWARD) == [Note(AwardDecided("s1", "C-1", True))]
    agent.handle(1050, TimerFired("reconnect:claims", 1050))
    assert connected(agent, "venue-4") == [Transmit("venue-4", encode_line(DEPOSIT))]
    agent.handle(1100, Disconnected("venue-4", "reset"))
    agent.handle(2100, TimerFired("reconnect:claims", 2100))
    assert connected(agent, "venue-5") == [Transmit("venue-5", encode_line(DEPOSIT))]
    hear(agent, "venue-1", Settled("C-1", AWARD.input_amount, AWARD.min_output))
    agent.handle(2150, Disconnected("venue-5", "reset"))
    agent.handle(3150, TimerFired("reconnect:claims", 3150))
    assert connected(agent, "venue-6") == []


def test_a_deposit_that_came_too_late_is_not_made() -> None:
    agent = active()
    agent.handle(50, Disconnected("venue-3", "reset"))
    hear(agent, "venue-1", AWARD, Defaulted("C-1", Decimal(1)))
    agent.handle(1050, TimerFired("reconnect:claims", 1050))
    assert connected(agent, "venue-4") == []
    assert agent.state.capital == {"USDC": Decimal(10_000)}


# --- dead peers ----------------------------------------------------------------------------------


def test_a_silent_solver_is_asked_and_then_closed() -> None:
    door = new_door(PULSE)
    assert enter(door, "orders")[-1] == SetTimer("ping:orders", 100)
    assert door.handle(100, TimerFired("ping:orders", 100)) == [
        Transmit("orders", encode_line(Ping())),
        SetTimer("ping:orders", 130),
    ]
    effects = door.handle(130, TimerFired("ping:orders", 130))
    assert reasons(effects) == ["silent"]
    assert effects[-3:] == [
        CancelTimer("ping:orders"),
        Note(SolverDisconnected("s1", "silent", "orders")),
        Close("orders", "silent"),
    ]


def test_whatever_a_solver_says_shows_that_it_lives() -> None:
    door = new_door(PULSE)
    enter(door, "orders")
    door.handle(60, Bytes("orders", b'{"type":'))
    assert door.handle(100, TimerFired("ping:orders", 100)) == [SetTimer("ping:orders", 160)]
    door.handle(160, TimerFired("ping:orders", 160))
    assert door.handle(170, Bytes("orders", b'"Pong"}\n')) == []
    assert door.handle(190, TimerFired("ping:orders", 190)) == [SetTimer("ping:orders", 270)]


def test_both_sides_answer_a_ping() -> None:
    door = new_door()
    enter(door, "bids")
    assert door.handle(9, Bytes("bids", encode_line(Ping()))) == [Transmit("bids", encode_line(Pong()))]
    assert hear(active(), "venue-2", Ping()) == [Transmit("venue-2", encode_line(Pong()))]


def test_a_silent_venue_is_asked_and_then_dialled_again() -> None:
    agent = active(PULSE)
    assert agent.handle(101, TimerFired("ping:bids", 101)) == [
        Transmit("venue-2", encode_line(Ping())),
        SetTimer("ping:bids", 131),
    ]
    assert agent.handle(131, TimerFired("ping:bids", 131)) == [
        Close("venue-2", "silent"),
        CancelTimer("ping:bids"),
        SetTimer("reconnect:bids", 1131),
    ]


def test_a_venue_that_takes_a_connection_and_never_speaks_is_dialled_again() -> None:
    agent = new_agent(PULSE)
    agent.handle(0, Start())
    assert SetTimer("ping:orders", 101) in agent.handle(1, Connected("venue-1", "venue"))


def test_the_auction_hears_of_a_solver_when_the_last_of_its_connections_is_there() -> None:
    door = new_door()
    arrived = Send("auction", SolverArrived("s1"))
    for conn, name in (("c1", Door.ORDERS), ("c2", Door.BIDS), ("c3", Door.CLAIMS), ("c4", Door.BIDS)):
        door.handle(0, Connected(conn, "somewhere", name))
        effects = door.handle(1, Bytes(conn, encode_line(HELLO)))
        assert (arrived in effects) == (conn in ("c3", "c4"))
