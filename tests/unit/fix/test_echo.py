from __future__ import annotations

from core.fix.echo import Echo
from core.fix.generic import GenericMessage
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.kernel.record import Effect, Message, Record, Resume, Send, Start, Stop
from tests.helpers.fix import NOW


def order(cl_ord_id: str) -> GenericMessage:
    return GenericMessage("D", ((11, cl_ord_id), (38, "002000.00")), ((97, "Y"),))


def tell(echo: Echo, body: Record) -> list[Effect]:
    return echo.handle(NOW, Message("fix", body))


def hear(echo: Echo, message: GenericMessage, *, poss_resend: bool = False, session: str = "TW") -> list[Effect]:
    return tell(echo, FromPeer(session, 2, b"", message, poss_resend))


def sent(message: GenericMessage, session: str = "TW") -> list[Effect]:
    return [Send("fix", ToPeer(session, message))]


def test_a_message_goes_back_as_it_came() -> None:
    echo = Echo("app", "fix")
    for message in (order("A"), order("A"), GenericMessage("d", ((320, "R"),))):
        assert hear(echo, message) == sent(message)


def test_what_was_perhaps_sent_before_is_passed_over_if_it_is_known_in_its_session() -> None:
    echo = Echo("app", "fix")
    assert hear(echo, order("A"), poss_resend=True) == sent(order("A"))
    assert hear(echo, order("A"), poss_resend=True) == []
    assert hear(echo, order("A"), poss_resend=True, session="TX") == sent(order("A"), "TX")


def test_a_logout_makes_it_forget() -> None:
    echo = Echo("app", "fix")
    for body in (SessionClosed("TW", "peer_logout"), SessionOpened("TW")):
        hear(echo, order("A"))
        assert tell(echo, body) == []
        assert hear(echo, order("A"), poss_resend=True) == sent(order("A"))


def test_the_life_of_the_node_changes_nothing() -> None:
    assert [Echo("app", "fix").handle(NOW, event) for event in (Start(), Stop(), Resume())] == [[], [], []]
