"""Who may pay whom: every unit that leaves an account goes to the one it is meant for, whole."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple

from core.auction.facts import CommitmentCreated, CommitmentDefaulted, CommitmentSettled, OrderAdded
from core.kernel.record import Record
from core.market.ledger import WORLD, Transferred
from core.market.orders import OrderCancelled, OrderExpired, OrderFilled, OrderReplaced
from core.units import EXACT
from sim.checkers import Checker

_ZERO: Final = Decimal(0)


class _Promise(NamedTuple):
    order_id: str
    solver: str


class Payments(Checker):
    """An order's input goes to its solver or back to its owner, an escrow to the owner, a bond to the penalties.

    What a settlement says is what was transferred for it, a bond pays `penalty` of `bond_token` for each default
    and nothing else, and the account of an ended order or commitment is empty. Reads transfers and facts, never
    the ledger.
    """

    name = "payments"

    def __init__(self, bond_token: str, penalty: Decimal) -> None:
        self._bond_token, self._penalty = bond_token, penalty
        self._owners: dict[str, str] = {}
        self._promises: dict[str, _Promise] = {}
        self._solvers: dict[str, str] = {}
        self._held: dict[str, Decimal] = {}
        self._paid: dict[tuple[str, str], Decimal] = {}
        self._taken: dict[str, Decimal] = {}
        self._penalties: dict[str, Decimal] = {}
        self._ended: list[str] = []

    def _on_added(self, fact: OrderAdded) -> None:
        order_id, owner = fact.order.order_id, fact.order.owner
        self._owners[order_id] = owner
        if self._paid.get((f"user:{owner}", f"order:{order_id}")) != fact.order.input_amount:
            self.violated(f"{order_id} of {owner} is open without its owner's input")

    def _on_replaced(self, fact: OrderReplaced) -> None:
        held = self._held.get(f"order:{fact.order_id}", _ZERO)
        if held != fact.input_amount:
            self.violated(f"{fact.order_id} is to give {fact.input_amount} by its new terms and holds {held}")

    def _on_created(self, fact: CommitmentCreated) -> None:
        self._promises[fact.commitment_id] = _Promise(fact.order_id, fact.solver)
        self._solvers[fact.order_id] = fact.solver

    def _on_transfer(self, fact: Transferred) -> None:
        if fact.src != WORLD and fact.dst not in self._receivers(fact.src, fact.dst):
            self.violated(f"{fact.amount} {fact.token} of {fact.src} go to {fact.dst} ({fact.reason})")
        self._held[fact.src] = EXACT.subtract(self._held.get(fact.src, _ZERO), fact.amount)
        self._held[fact.dst] = EXACT.add(self._held.get(fact.dst, _ZERO), fact.amount)
        self._paid[fact.src, fact.dst] = EXACT.add(self._paid.get((fact.src, fact.dst), _ZERO), fact.amount)
        if fact.src.startswith("bond:"):
            self._taken[fact.src] = EXACT.add(self._taken.get(fact.src, _ZERO), fact.amount)
            if fact.token != self._bond_token:
                self.violated(f"{fact.src} pays in {fact.token}, bonds are in {self._bond_token}")

    def _on_settled(self, fact: CommitmentSettled) -> None:
        owner = f"user:{self._owners.get(fact.order_id)}"
        order, escrow = f"order:{fact.order_id}", f"escrow:{fact.commitment_id}"
        legs = ((order, f"solver:{fact.solver}", fact.input_amount), (escrow, owner, fact.output_amount))
        for src, dst, amount in legs:
            paid = self._paid.get((src, dst), _ZERO)
            if paid != amount:
                self.violated(f"{fact.commitment_id} settles {amount} from {src} to {dst}, but {paid} moved")
        self._ended.append(escrow)

    def _on_defaulted(self, fact: CommitmentDefaulted) -> None:
        self._ended.append(f"escrow:{fact.commitment_id}")
        if fact.penalty != self._penalty:
            self.violated(f"{fact.commitment_id} costs its solver {fact.penalty}, a default costs {self._penalty}")
        promise = self._promises.get(fact.commitment_id)
        bond = f"bond:{promise.solver if promise else fact.solver}"
        self._penalties[bond] = EXACT.add(self._penalties.get(bond, _ZERO), fact.penalty)

    def _on_end(self, fact: OrderExpired | OrderCancelled) -> None:
        self._ended.append(f"order:{fact.order_id}")

    def _on_filled(self, fact: OrderFilled) -> None:
        if not fact.leaves_quantity:
            self._ended.append(f"order:{fact.order_id}")

    def delivered(self, dst: str) -> None:
        """What ended in this event must be empty by its end, and bonds have paid what was due."""
        if dst != "auction":
            return
        if self._taken or self._penalties:
            self._compare_penalties()
        for account in self._ended:
            if held := self._held.pop(account, _ZERO):
                self.violated(f"{account} has ended and still holds {held}")
        self._ended.clear()
        self._paid.clear()

    def _compare_penalties(self) -> None:
        for bond in self._taken.keys() | self._penalties.keys():
            taken, due = self._taken.get(bond, _ZERO), self._penalties.get(bond, _ZERO)
            if taken != due:
                self.violated(f"{bond} has paid {taken}, its defaults cost {due}")
        self._taken.clear()
        self._penalties.clear()

    def _receivers(self, src: str, dst: str) -> tuple[str, ...]:
        kind, _, whose = src.partition(":")
        if kind == "order":
            return f"solver:{self._solvers.get(whose)}", f"user:{self._owners.get(whose)}"
        if kind == "escrow":
            promise = self._promises.get(whose)
            return (f"user:{self._owners.get(promise.order_id)}",) if promise else ()
        if kind == "solver":
            promise = self._promises.get(dst.removeprefix("escrow:"))
            return (dst,) if promise and promise.solver == whose else ()
        return (dst,) if (kind, dst.partition(":")[0]) in (("user", "order"), ("bond", "venue")) else ()

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        OrderAdded: _on_added,
        OrderReplaced: _on_replaced,
        CommitmentCreated: _on_created,
        Transferred: _on_transfer,
        CommitmentSettled: _on_settled,
        CommitmentDefaulted: _on_defaulted,
        OrderFilled: _on_filled,
        OrderExpired: _on_end,
        OrderCancelled: _on_end,
    }
