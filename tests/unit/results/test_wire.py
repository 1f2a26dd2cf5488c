"""FIX messages as rows, and the waits that they and the facts measure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.auction.facts import BidRejected
from core.kernel.record import Bytes, Transmit
from core.units import MILLISECOND
from sim.results.tables import build_tables
from sim.results.wire import Carried, FixTap
from tests.unit.results.stories import BEGAN, Deal, Story

MS = MILLISECOND


def fix(msg_type: str, sender: str, target: str, number: int, **fields: str) -> bytes:
    """A FIX message; fields are named by their tags, as in `t11`."""
    body = "".join(f"{name[1:]}={value}\x01" for name, value in fields.items())
    head = f"35={msg_type}\x0134={number}\x0149={sender}\x0152=20240101-00:00:00.000\x0156={target}\x01"
    return f"8=FIX.4.2\x019={len(head + body)}\x01{head}{body}10=000\x01".encode()


def carried(sent: int, received: int | None, data: bytes) -> Carried:
    """A message that was under way between these milliseconds of the run."""
    return Carried(BEGAN + sent * MS, data, None if received is None else BEGAN + received * MS)


def rows(name: str, story: Story | None, *messages: Carried) -> list[dict[str, Any]]:
    found = build_tables(story.notes if story else [], messages)[name].to_pylist()
    return [{key: getattr(value, "value", value) for key, value in row.items()} for row in found]


def waits(kind: str, story: Story, *messages: Carried) -> list[tuple[Any, ...]]:
    """Who waited for the kind of thing, about what, and how many milliseconds."""
    found = [row for row in rows("latency", story, *messages) if row["kind"] == kind]
    assert all(row["ended_time"] - row["began_time"] == row["latency_ns"] for row in found)
    about = ("order_id", "height", "commitment_id")
    return [(row["participant"], *(row[name] for name in about), row["latency_ns"] // MS) for row in found]


def report(number: int, order_id: str, exec_id: str, exec_type: str, cl_ord_id: str = "a", **more: str) -> bytes:
    return fix("8", "V", "MM1", number, t11=cl_ord_id, t37=order_id, t17=exec_id, t150=exec_type, **more)


def test_the_tap_follows_each_message_of_fix_engines_to_its_arrival() -> None:
    tap = FixTap()
    tap("venue", 1, "fix", Bytes("c", b"unknown"), [Transmit("c", b"one"), Transmit("c", b"two")])
    tap("venue", 2, "solvers", Bytes("d", b"one"), [Transmit("d", b"no FIX")])
    tap("MM1", 3, "fix", Bytes("x", b"two"), [Transmit("x", b"one")])
    tap("MM1", 4, "fix", Bytes("x", b"one"), [])
    tap("MM1", 5, "fix", Bytes("x", b"one"), [])
    assert tap.carried == [Carried(1, b"one", 4), Carried(1, b"two", 3), Carried(3, b"one", 5)]


def test_a_message_is_a_row_with_what_people_look_for() -> None:
    lost = carried(2, None, fix("8", "V", "MM1", 7, t37="O-1", t17="E-1", t150="2", t43="Y"))
    order, logon, dropped = rows(
        "fix_messages",
        None,
        carried(1, 3, fix("D", "MM1", "V", 2, t11="é")),
        carried(1, 2, fix("A", "V", "MM1", 1)),
        lost,
    )
    assert (order["sender"], order["target"], order["msg_type"], order["msg_seq_num"]) == ("MM1", "V", "D", 2)
    assert (order["sent_time"], order["latency_ns"], order["poss_dup"]) == (BEGAN + MS, 2 * MS, False)
    assert order["size_bytes"] == len(fix("D", "MM1", "V", 2, t11="é"))
    assert {logon[name] for name in ("cl_ord_id", "order_id", "exec_id", "exec_type")} == {None}
    assert (dropped["order_id"], dropped["exec_id"], dropped["exec_type"]) == ("O-1", "E-1", "2")
    assert (dropped["received_time"], dropped["latency_ns"], dropped["poss_dup"]) == (None, None, True)


def test_an_order_waits_from_its_first_leaving_until_its_answer_is_back() -> None:
    order = fix("D", "MM1", "V", 2, t11="a")
    refused = fix("D", "MM1", "V", 3, t11="b")
    messages = (
        carried(1, None, order),
        carried(2, 9, refused),
        carried(9, 15, report(2, "O-2", "E-1", "8", "b")),
        carried(20, 21, fix("D", "MM1", "V", 2, t43="Y", t11="a")),
        carried(21, None, report(3, "O-1", "E-2", "0")),
        carried(30, 33, report(3, "O-1", "E-2", "0", t43="Y")),
        carried(40, 45, report(4, "O-1", "E-3", "6")),
    )
    assert waits("acknowledgement", Story(), *messages) == [
        ("MM1", "O-2", None, None, 13),
        ("MM1", "O-1", None, None, 32),
    ]


def test_the_venue_waits_for_the_first_bid_of_each_solver_whether_it_counts_or_not() -> None:
    story = Story()
    sold = story.order("MM1", "a", "sell", "1", "100")
    late = (1, "s2", "s2-1", "O-1", "late", Decimal(1), Decimal(101))
    story.seal(1, 0, [], carried=[sold])
    story.say("auction", BidRejected(1, "s3", "", "O-1", "unknown_bid", None, None))
    story.at(4)
    story.bid(1, "s1-1", sold, "101")
    story.at(6)
    story.bid(1, "s1-2", sold, "102", replaces="s1-1")
    story.say("auction", BidRejected(*late), BidRejected(7, *late[1:]))
    assert waits("bid", story) == [("s1", None, 1, None, 4), ("s2", None, 1, None, 6)]


def test_a_winner_is_waited_for_from_its_award_until_it_has_paid() -> None:
    story = Story()
    story.move("USD", Decimal(100), "world", "solver:s1", "funding")
    sold = story.order("MM1", "a", "sell", "1", "100")
    story.bid(1, "s1-1", sold, "100")
    unpaid, paid = (Deal(name, 1, sold, "s1", "s1-1", Decimal(1), Decimal(100)) for name in ("C-1", "C-2"))
    story.award(unpaid)
    story.award(paid)
    story.at(30)
    story.deposit(paid)
    assert waits("deposit", story) == [("s1", "O-1", None, "C-2", 30)]


def test_an_owner_waits_for_the_report_of_each_fill_however_often_it_was_told() -> None:
    story = Story()
    for account, token in (("user:MM1", "ETH"), ("solver:s1", "USD")):
        story.move(token, Decimal(100_000), "world", account, "funding")
    sold = story.order("MM1", "a", "sell", "3", "100")
    story.seal(1, 0, [sold])
    for height, leaves in ((1, "2"), (2, "1"), (3, "0")):
        deal = Deal(f"C-{height}", height, sold, "s1", f"s1-{height}", Decimal(1), Decimal(100))
        story.at(100 * height)
        story.bid(height, deal.bid_id, sold, "100")
        story.award(deal)
        story.deposit(deal)
        story.settle(deal, leaves)
    messages = (
        carried(100, None, report(2, "O-1", "E-2", "1")),
        carried(150, 160, report(2, "O-1", "E-2", "1", t43="Y")),
        carried(151, 161, report(2, "O-1", "E-2", "1", t43="Y")),
        carried(200, 207, report(3, "O-1", "E-3", "1")),
        carried(300, None, report(4, "O-1", "E-4", "2")),
    )
    assert waits("fill", story, *messages) == [("MM1", "O-1", None, None, 60), ("MM1", "O-1", None, None, 7)]


def test_waits_are_in_the_order_of_their_ends() -> None:
    story = Story()
    sold = story.order("MM1", "a", "sell", "1", "100")
    story.seal(1, 0, [], carried=[sold])
    story.at(4)
    story.bid(1, "s1-1", sold, "101")
    messages = (carried(1, 2, fix("D", "MM1", "V", 2, t11="a")), carried(2, 3, report(2, "O-1", "E-1", "0")))
    assert [row["kind"] for row in rows("latency", story, *messages)] == ["acknowledgement", "bid"]
