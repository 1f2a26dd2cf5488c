"""Orders, requests to cancel and replace them, fills and lost sessions in any order: every checker holds."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.auction.auction import Auction
from core.config import AuctionConfig, Duration, MemberConfig, SequencerConfig, SolverAccountConfig, VenueConfig
from core.fix.messages import OrderCancelReplaceRequest, OrderCancelRequest
from core.fix.records import FromPeer, SessionClosed
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Event, Message
from core.market.orders import Pair, Token
from core.sequencer.history import History
from core.solver.protocol import Awarded, BatchOpened, Bid, Deposit, PlaceBids, SolverSaid, TellSolver
from core.units import MILLISECOND, MONEY, Nanos
from core.wiring import components
from sim.checkers.every import every_checker
from tests.helpers.orders import new_order

TICK, LOT = Decimal(10), Decimal("0.1")
CONFIG = VenueConfig(
    pairs=(Pair("ETH-USDC", Token("ETH", 6), Token("USDC", 2), TICK, LOT, Decimal(100)),),
    sequencer=SequencerConfig(batch_messages=4, order_lifetime=Duration(4_000 * MILLISECOND)),
    auction=AuctionConfig(bond_token="USDC", default_penalty=Decimal(1)),
    members=(MemberConfig(id="MM1", balance={"ETH": Decimal(8), "USDC": Decimal(9_000)}),),
    solvers=(
        SolverAccountConfig(
            id="s1", token="t", capital={"ETH": Decimal(50), "USDC": Decimal(99_000)}, bond=Decimal(50)
        ),
    ),
)

lots = st.integers(1, 40).map(lambda n: n * LOT)
prices = st.integers(150, 250).map(lambda n: n * TICK)
sides = st.sampled_from(["1", "2"])
which = st.integers(0, 7)
steps = st.one_of(
    st.tuples(st.just("order"), sides, lots, prices),
    st.tuples(st.just("replace"), which, lots, prices),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("lost")),
    st.tuples(st.just("wait"), st.integers(1, 600)),
)


class Market:
    """A venue on a bench, with one solver that bids for parts and sometimes pays."""

    def __init__(self, pays: list[bool], parts: list[int]) -> None:
        self.now: Nanos = 0
        self.kernel = Kernel("venue", components(CONFIG, 0), observer=self._observe)
        auction: Any = self.kernel.components["auction"]
        assert isinstance(auction, Auction)
        self.checkers = every_checker(CONFIG, lambda: auction.ledger)
        self.history = History()
        self.blocks = 0
        self.sent: list[tuple[str, str]] = []
        self._pays, self._parts, self._bids = pays, parts, 0
        self.kernel.boot(0)

    def advance(self, milliseconds: int) -> None:
        """Let time pass, one millisecond after the other."""
        for _ in range(milliseconds):
            self.now += MILLISECOND
            self.kernel.pump(self.now)

    def say(self, body: Any) -> None:
        """The engine hands something to the sequencer."""
        self.kernel.agenda.post(self.now, "fix", "sequencer", Message("fix", body))
        self.kernel.pump(self.now)

    def step(self, step: tuple[Any, ...]) -> None:
        """Do what was drawn."""
        name, number = step[0], f"c{len(self.sent)}"
        if name == "order":
            _, side, quantity, price = step
            self.sent.append((number, side))
            self._from_peer(new_order(number, side=side, order_qty=quantity, price=price))
        elif name == "wait":
            self.advance(step[1])
        elif name == "lost":
            self.say(SessionClosed("MM1", "connection_lost", cancel_orders=True))
        elif self.sent:
            orig, side = self.sent[step[1] % len(self.sent)]
            self.sent.append((number, side))
            self._from_peer(
                OrderCancelRequest(orig, number, "ETH-USDC", side, 0)
                if name == "cancel"
                else OrderCancelReplaceRequest(orig, number, "1", "ETH-USDC", side, 0, "2", step[2], step[3])
            )

    def _from_peer(self, message: Any) -> None:
        self.say(FromPeer("MM1", len(self.sent), bytes(31) + bytes([len(self.sent) % 256]), message))

    def _observe(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        self.checkers(node, now, dst, event, effects)
        for rebuilt in self.history.take(now, dst, event, effects):
            self.blocks += 1
            assert rebuilt.state_root == rebuilt.block.header.state_root
        if dst == "solvers" and isinstance(event, Message) and isinstance(event.body, TellSolver):
            self._answer(event.body.said)

    def _answer(self, said: Any) -> None:
        if isinstance(said, BatchOpened):
            for offer in said.orders:
                self._bids += 1
                part = self._parts[self._bids % len(self._parts)]
                most = offer.input_amount if offer.side == "buy" else min(offer.input_amount, part * LOT)
                bid = Bid(f"b{self._bids}", offer.order_id, most, offer.min_output / offer.input_amount * 2, 10**18)
                self._say_solver(PlaceBids(said.height, (bid,)))
        elif isinstance(said, Awarded) and self._pays[self._bids % len(self._pays)]:
            self._say_solver(Deposit(said.commitment_id, said.min_output))

    def _say_solver(self, said: Any) -> None:
        self.kernel.agenda.post(self.now, "solvers", "auction", Message("solvers", SolverSaid("s1", said)))


@given(
    st.lists(steps, min_size=3, max_size=25),
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_whatever_owners_ask_for_in_whatever_order_every_checker_holds(
    drawn: list[tuple[Any, ...]], pays: list[bool], parts: list[int]
) -> None:
    with localcontext(MONEY):
        market = Market(pays, parts)
        for step in drawn:
            market.step(step)
        market.advance(500)
        market.kernel.stop(market.now)
        market.advance(1_000)
        market.checkers.finish()
    sequencer: Any = market.kernel.components["sequencer"]
    assert sequencer.state.live == {}
    assert market.blocks == sequencer.state.batch.height
