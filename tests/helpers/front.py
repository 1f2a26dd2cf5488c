"""A venue opposite a market maker that says exactly what a test writes: bytes in, fields of the answers out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from core.config import AuctionConfig, MemberConfig, SequencerConfig, VenueConfig, encode_node
from core.fix.codec import WireMessage, decode, encode, join
from core.fix.framer import Framer
from core.fix.timestamps import format_timestamp
from core.identity.records import MakerAdmitted, Permissions
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Connected, Message, Note, Record, Transmit
from core.market.orders import Pair, Token
from core.units import MILLISECOND, Nanos
from core.wiring import components
from tests.helpers.fix import LOGON, NOW

Fields = dict[int, str]
VENUE: Final = VenueConfig(
    pairs=(Pair("ETHUSDC", Token("ETH", 8), Token("USDC", 6), Decimal("0.01"), Decimal("0.0001"), Decimal(1000)),),
    sequencer=SequencerConfig(),
    auction=AuctionConfig(bond_token="USDC", default_penalty=Decimal(1)),
    members=(MemberConfig(id="MM1", balance={"ETH": Decimal(1000)}),),
    solvers=(),
)
TIME: Final = format_timestamp(NOW)
ORDER: Final = {11: "c1", 21: "1", 55: "ETHUSDC", 54: "2", 60: TIME, 40: "2", 38: "0.5", 44: "1990"}
CANCEL: Final = {41: "live", 11: "x1", 55: "ETHUSDC", 54: "2", 60: TIME}
REPLACE: Final = {41: "live", **ORDER, 11: "r1"}
STATUS: Final = {11: "live", 55: "ETHUSDC", 54: "2"}
BODIES: Final = {"D": ORDER, "F": CANCEL, "G": REPLACE, "H": STATUS}
"""Of good messages of each type, once the order `live` is open."""


class Front:
    """The venue, with which MM1 is logged on. `notes` are the facts that it has stated."""

    def __init__(self, permissions: Permissions | None = None, journal: Journal | None = None) -> None:
        self.now: Nanos = NOW
        self.number = 0
        self.notes: list[Record] = []
        if journal is not None:
            journal.open(Header("venue", 0, encode_node(VENUE), ""))
        self.kernel = Kernel("venue", components(VENUE, 0), journal=journal)
        self.kernel.boot(NOW)
        if permissions is not None:
            self.tell("sequencer", MakerAdmitted("MM1", "MM1", b"key", permissions, "logon"))
        self.kernel.agenda.post(NOW, "fix", "fix", Connected("c1", "peer"))
        (answer,) = self.say_raw(self.compose("A", dict(_fields(LOGON))))
        assert answer[35] == "A"

    def tell(self, component: str, body: Record) -> None:
        """Something that one of the venue's own says to another."""
        self.kernel.agenda.post(self.now, "test", component, Message("test", body))
        self.pump()

    def open_order(self, cl_ord_id: str = "live") -> None:
        """Have an order in the market."""
        (answer,) = self.say("D", ORDER | {11: cl_ord_id})
        assert answer[150] == "0"

    def compose(self, kind: str, body: Fields, *, without: int = 0, more: str = "") -> bytes:
        """The next message; `without` leaves out one tag, `more` are fields that come last."""
        self.number += 1
        head = {35: kind, 34: str(self.number), 49: "MM1", 52: format_timestamp(self.now), 56: "ROMER"}
        fields = [(tag, value) for tag, value in (*head.items(), *body.items(), *_fields(more)) if tag != without]
        return encode(join([(tag, value.encode("latin-1")) for tag, value in fields]))

    def say(self, kind: str, body: Fields | None = None, *, without: int = 0, more: str = "") -> list[Fields]:
        """Send what `compose` makes, by default a good message; returns the answers."""
        return self.say_raw(self.compose(kind, BODIES[kind] if body is None else body, without=without, more=more))

    def say_raw(self, raw: bytes) -> list[Fields]:
        """Send bytes; returns the answers."""
        self.now += MILLISECOND
        self.kernel.agenda.post(self.now, "fix", "fix", Bytes("c1", raw))
        return self.pump()

    def wait(self, span: Nanos) -> list[Fields]:
        """Let time pass; returns what was sent."""
        self.now += span
        return self.pump()

    def pump(self) -> list[Fields]:
        """Let everything happen that is due; returns what was sent."""
        sent = b""
        for _, effect in self.kernel.pump(self.now):
            if isinstance(effect, Note):
                self.notes.append(effect.fact)
            elif isinstance(effect, Transmit):
                sent += effect.data
        return [_read(raw) for raw in Framer().feed(sent, 1 << 20)]

    def facts(self, *kinds: type[Record]) -> list[Any]:
        """The facts of these kinds."""
        return [fact for fact in self.notes if isinstance(fact, kinds)]


def _fields(text: str) -> list[tuple[int, str]]:
    pairs = [field.partition("=") for field in text.split("|") if field]
    return [(int(tag), value) for tag, _, value in pairs]


def _read(raw: Any) -> Fields:
    message = decode(raw, 100)
    assert isinstance(message, WireMessage)
    return {tag: value.decode("latin-1") for tag, value in message.values.items()}
