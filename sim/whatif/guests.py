"""The nodes of closed loop: solvers with a strategy and market makers with recorded intents, beside a rerun's venue."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from msgspec.structs import replace

from core.auction.facts import BidReceived
from core.config import MakerConfig, NodeConfig, SolverConfig, VenueConfig
from core.fix.message import FixMessage
from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, OrderStatusRequest
from core.fix.sides import MARKET_SIDE
from core.fix.tags import OrdType, TimeInForce
from core.kernel.kernel import Kernel
from core.kernel.reader import JournalReader
from core.kernel.record import Message, Record, Start, Stop
from core.maker import Intent
from core.market.orders import Order
from core.market.world import CancelWanted, OrderWanted, PriceMoved, ReplaceWanted, StatusWanted
from core.sequencer.facts import OrderRefused, OrderSequenced
from core.solver.strategies.registry import solve
from core.units import MONEY, Nanos
from core.wiring import CODEC, components
from sim.driver import SimNode, no_compute
from sim.replay import journals, open_journal
from sim.whatif.orders import NO_INTENT
from sim.whatif.recording import Recording, node_config
from sim.whatif.replacement import Replacement
from sim.whatif.rerun import Rerun
from sim.whatif.tape import Cue, Tape

TOKEN: Final = "whatif"  # noqa: S105  # opens a simulated door only
_WORLD: Final = "world"


class Telling(NamedTuple):
    """What the world tells a node, from `Start` to `Stop`, and where that is known from."""

    cues: list[Cue]
    source: str


def with_tokens(config: VenueConfig, guests: Sequence[Replacement]) -> VenueConfig:
    """The venue as those who replace somebody can enter it, whose secrets nobody else has: solvers show another token,
    and market makers need no key.
    """
    names = {guest.name for guest in guests}
    if config.identity is not None and any(guest.params is None for guest in guests):
        members = tuple(replace(it, key=None) if it.id in names else it for it in config.members)
        config = replace(config, members=members, identity=replace(config.identity, required=False))
    return replace(config, solvers=tuple(replace(it, token=TOKEN) if it.id in names else it for it in config.solvers))


def invite(rerun: Rerun, guest: Replacement, telling: Telling) -> None:
    """Put a guest beside the venue, and have it told what it is told."""
    config, seed = _config(rerun.config, guest), rerun.recording.header.seed
    kernel = Kernel(guest.name, components(config, seed), agenda=Tape(telling.cues, {}))
    thinking = no_compute if guest.params is None else lambda problem: (solve(problem), guest.compute)
    SimNode(rerun.env, kernel, rerun.network, on_note=lambda *_: None, solve=thinking).boot()


def telling_of(path: Path, recording: Recording, guest: Replacement) -> Telling:
    """What the guest's own journal says that it was told, or what the venue's lets one suppose."""
    for reader in map(open_journal, journals(path)):
        if reader.header.node == guest.name and not isinstance(node_config(reader), VenueConfig):
            return Telling(list(_told(reader)), "its own journal")
    if guest.params is None:
        source, parts, told = "the orders that reached the venue", ["fix", "maker"], _intents(recording, guest)
    else:
        source, parts, told = "the median of the bids in each auction", ["solver"], _prices(recording)
    cues = [Cue(recording.began, 0, part, Start()) for part in parts]
    stop = recording.stopped
    cues += [cue for cue in told if stop is None or cue.at < stop]
    return Telling(cues + [Cue(stop, 0, part, Stop()) for part in parts if stop is not None], source)


def _told(reader: JournalReader) -> Iterator[Cue]:
    """What the world told the node, each in its place among the other deliveries of its instant."""
    instant, others = -1, 0
    for delivery in reader.deliveries(unfinished=True):
        now, dst, event, _ = CODEC.delivered(delivery)
        if now != instant:
            instant, others = now, 0
        if isinstance(event, Start | Stop) or (isinstance(event, Message) and event.src == _WORLD):
            yield Cue(now, others, dst, event)
        else:
            others += 1


def _config(venue: VenueConfig, guest: Replacement) -> NodeConfig:
    if guest.params is None:
        return MakerConfig(id=guest.name, venue_comp_id=venue.fix.comp_id, address=f"{venue.name}/fix")
    return SolverConfig(id=guest.name, token=TOKEN, address=f"{venue.name}/solvers", params=guest.params)


def _intents(recording: Recording, guest: Replacement) -> Iterator[Cue]:
    """Each order and request as it was wanted, so long before it arrived that it would arrive then again."""
    orders = _Orders(recording, guest.name)
    for wish in recording.wishes:
        wanted = orders.wanted(wish.message) if wish.owner == guest.name else None
        if wanted is not None:
            yield _cue(max(recording.began, wish.at - guest.latency), "maker", wanted)


class _Orders:
    """The orders of a market maker by the names that it gave them: which of those that it sends anew each one is."""

    def __init__(self, recording: Recording, owner: str) -> None:
        facts = (noted.fact for noted in recording.notes if isinstance(noted.fact, OrderSequenced | OrderRefused))
        self._fates = deque(fact for fact in facts if _owner(fact) == owner)
        self._names = {
            fact.order.order_id: fact.order.cl_ord_id for fact in self._fates if isinstance(fact, OrderSequenced)
        }
        self._count = 0
        self._numbers: dict[str, int] = {}

    def wanted(self, message: FixMessage) -> Intent | None:
        """The intent behind a message; None for one that no intent gives. Messages come in order."""
        if isinstance(message, NewOrderSingle):
            return self._order(message)
        if isinstance(message, OrderStatusRequest):
            name = message.cl_ord_id
            nth = self._numbers.get(name) or self._numbers.get(self._names.get(message.order_id or "", ""))
            return StatusWanted(nth) if nth else None
        nth = self._numbers.get(getattr(message, "orig_cl_ord_id", ""))
        if nth is None:
            return None
        if isinstance(message, OrderCancelRequest):
            return CancelWanted(nth)
        return self._replace(message, nth) if isinstance(message, OrderCancelReplaceRequest) else None

    def _order(self, message: NewOrderSingle) -> OrderWanted | None:
        fate = self._fates.popleft() if self._fates and _name(self._fates[0]) == message.cl_ord_id else None
        wanted = _wanted(message)
        if wanted is None or (isinstance(fate, OrderRefused) and fate.reason in NO_INTENT):
            return None
        self._count += 1
        self._numbers[message.cl_ord_id] = self._count
        return wanted

    def _replace(self, message: OrderCancelReplaceRequest, nth: int) -> ReplaceWanted | None:
        """Under its own name the order goes on if it is obeyed, and under the old one if not."""
        if message.ord_type != OrdType.LIMIT or message.order_qty is None or message.price is None:
            return None
        self._numbers.setdefault(message.cl_ord_id, nth)
        return ReplaceWanted(nth, message.order_qty, message.price)


def _owner(fact: OrderSequenced | OrderRefused) -> str:
    """Of an order that was accepted or refused."""
    return fact.order.owner if isinstance(fact, OrderSequenced) else fact.owner


def _name(fate: OrderSequenced | OrderRefused) -> str:
    return fate.order.cl_ord_id if isinstance(fate, OrderSequenced) else fate.cl_ord_id


def _wanted(message: NewOrderSingle) -> OrderWanted | None:
    """The intent behind an order, or None for an order that no intent gives."""
    side, force, expires = MARKET_SIDE.get(message.side), message.time_in_force, message.expire_time
    if side is None or message.ord_type != OrdType.LIMIT or message.order_qty is None or message.price is None:
        return None
    return OrderWanted(
        symbol=message.symbol,
        side=side,
        quantity=message.order_qty,
        limit_price=message.price,
        lifetime=None if expires is None else expires - message.transact_time,
        immediate=force in (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL),
        whole=force == TimeInForce.FILL_OR_KILL,
    )


def _prices(recording: Recording) -> Iterator[Cue]:
    """Where nobody wrote prices down: what those who bid in an auction thought that the pair was worth."""
    orders: dict[str, Order] = {}
    seen: dict[tuple[int, str], tuple[Nanos, list[Decimal]]] = {}
    for noted in recording.notes:
        fact = noted.fact
        if isinstance(fact, OrderSequenced):
            orders[fact.order.order_id] = fact.order
        elif isinstance(fact, BidReceived):
            order, rate = orders[fact.order_id], fact.conversion_rate
            _, prices = seen.get((fact.height, order.symbol), (0, []))
            price = rate if order.side == "sell" else MONEY.divide(Decimal(1), rate)
            seen[fact.height, order.symbol] = noted.time, [*prices, price]
    for (_, symbol), (at, prices) in sorted(seen.items(), key=lambda item: (item[1][0], item[0])):
        yield _cue(at, "solver", PriceMoved(symbol, median(prices)))


def _cue(at: Nanos, dst: str, body: Record) -> Cue:
    return Cue(at, 0, dst, Message(_WORLD, body))
