"""FIX 4.0 and 4.1 say less in their Rejects, and ask for everything in another way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.errors import InputError
from core.fix.dialect import Dialect
from core.fix.dictionary import build
from core.fix.records import RejectBusiness, RejectMessage
from core.fix.shipped import source
from core.fix.tags import SessionRejectReason
from core.fix.versions import VERSIONS
from core.kernel.record import Connected, Message
from tests.helpers.fix import LOGON, ORDER, Hand, acceptor_config, initiator_config, parsed

OLD = ["FIX.4.0", "FIX.4.1"]
NEW = ["FIX.4.2", "FIX.4.3", "FIX.4.4"]


def dialect(version: str) -> Dialect:
    """The words of FIX 4.2, but for the version's name."""
    return Dialect(build(msgspec.structs.replace(source("FIX.4.2"), begin_string=version)))


class Speaking(Hand):
    """An acceptor that speaks a version, and a peer that does too."""

    def __init__(self, version: str, **changes: Any) -> None:
        self.version = version
        config = acceptor_config(dialect="own", dialects={"own": dialect(version)}, **changes)
        super().__init__(config)
        self.connect()
        assert self.say("A", LOGON) == ["35=A|34=1|98=0|108=30"]

    def compose(self, msg_type: str, body: str = "", **header: Any) -> bytes:
        return super().compose(msg_type, body, begin=self.version, **header)


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize(
    ("msg_type", "body", "answer"),
    [
        ("0", "999=HI", "45=2|58=Invalid tag number (999)"),
        ("1", "", "45=2|58=Required tag missing (112)"),
        ("*", "", "45=2|58=Invalid MsgType"),
        ("8", "37=o|17=e|20=0|150=0|39=0|55=A|54=1|151=1|14=0|6=0", "45=2|58=Unsupported message type"),
    ],
)
def test_a_reject_of_the_first_versions_has_its_text_alone(version: str, msg_type: str, body: str, answer: str) -> None:
    assert Speaking(version).say(msg_type, body) == [f"35=3|34=2|{answer}"]


@pytest.mark.parametrize("version", OLD)
def test_an_order_without_a_comp_id_gets_a_reject_where_there_is_no_other(version: str) -> None:
    hand = Speaking(version)
    assert hand.say("D", ORDER, without="56") == ["35=3|34=2|45=2|58=Required tag missing (56)"]


@pytest.mark.parametrize("version", OLD)
def test_everything_is_asked_for_up_to_999999_and_understood_so(version: str) -> None:
    hand = Speaking(version)
    assert hand.say("0", n=5) == ["35=2|34=2|7=2|16=999999"]
    session = hand.engine.state.sessions["MM1"]
    session.next_out = 2_000_000
    assert "36=2000000" in hand.say("2", "7=1|16=999999", n=2)[0]


@pytest.mark.parametrize("version", NEW)
def test_everything_is_asked_for_up_to_0_since(version: str) -> None:
    assert Speaking(version).say("0", n=5) == ["35=2|34=2|7=2|16=0"]


@pytest.mark.parametrize("version", [*OLD, *NEW])
def test_times_have_milliseconds_since_fix_42(version: str) -> None:
    hand = Speaking(version)
    hand.say("2", "7=1|16=0")
    values = parsed(hand.transmitted[-1][1]).values
    expected = b"20231114-22:13:20" + (b"" if version in OLD else b".000")
    assert (values[52], values[122]) == (expected, expected)


@pytest.mark.parametrize(("version", "number"), [("FIX.4.2", ""), ("FIX.4.3", "|373=13"), ("FIX.4.4", "|373=13")])
def test_reasons_have_numbers_where_the_version_has_them(version: str, number: str) -> None:
    answer = f"35=3|34=2|45=2|58=Tag appears more than once|371=40|372=D{number}"
    assert Speaking(version).say("D", f"{ORDER}|40=2") == [answer]


@pytest.mark.parametrize("version", ["FIX.4.3", "FIX.4.4"])
def test_what_an_application_does_not_take_gets_a_business_message_reject(version: str) -> None:
    (answer,) = Speaking(version).say("B", "148=h|33=1|58=x")
    assert answer == "35=j|34=2|45=2|58=Unsupported Message Type|372=B|380=3"


@pytest.mark.parametrize("version", OLD)
def test_what_an_application_refuses_gets_a_reject_with_the_same_words(version: str) -> None:
    hand = Speaking(version)
    hand.handle(Message("app", RejectBusiness("MM1", 1, "D", 2, "a", "No such bond")))
    hand.handle(Message("app", RejectMessage("MM1", 1, "D", SessionRejectReason.VALUE_IS_INCORRECT, 44, "Too cheap")))
    assert hand.sent(1) == ["35=3|34=2|45=1|58=No such bond", "35=3|34=3|45=1|58=Too cheap (44)"]


def test_a_logon_asks_for_a_reset_only_where_it_can() -> None:
    known = dialect("FIX.4.0").dictionary
    logon = known.messages["A"]
    members = {tag: member for tag, member in logon.body.members.items() if tag != 141}
    body = msgspec.structs.replace(logon.body, members=members)
    without = msgspec.structs.replace(
        known, messages={**known.messages, "A": msgspec.structs.replace(logon, body=body)}
    )
    for dictionary, flag in ((known, "|141=Y"), (without, "")):
        config = initiator_config(reset_on_logon=True, dialect="own", dialects={"own": Dialect(dictionary)})
        hand = Hand(config, peer="ROMER")
        hand.handle(Connected(hand.connects[-1], "venue"))
        assert hand.sent() == [f"35=A|34=1|98=0|108=30{flag}"]


@pytest.mark.parametrize("version", ["FIXT.1.1", "FIX.5.0", "FIX.5.0SP2", "FIX.3.9"])
def test_other_versions_are_refused_by_name(version: str) -> None:
    with pytest.raises(InputError, match=f"{version} is not spoken") as caught:
        dialect(version)
    assert caught.value.hint == f"there are {', '.join(VERSIONS)}"
