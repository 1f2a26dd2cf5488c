"""The people around an index desk, as SimPy processes: they deposit, order, cancel and sell; curators set weights.

Every user draws from streams of its own. What a user can sell is what the chain says that he holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from simpy import Environment

from core.collateral.records import CHAIN, COLLATERAL, DepositSeen, WithdrawalRequested
from core.index.records import (
    AmendIndexOrder,
    CancelIndexOrder,
    CancelQuoteRequest,
    CuratorWeightsSet,
    DelistAsset,
    NewIndexOrder,
    NewQuoteRequest,
)
from core.index.rounding import cut
from core.kernel.record import Message, Record
from core.kernel.rng import stream
from core.units import SECOND, Nanos
from sim.chain import SimChain
from sim.driver import SimNode
from sim.scenario.users import DeskStep, UserSection
from sim.world import Process, start

DESK: Final = "desk"
_CENT: Final = Decimal("0.01")
_SECOND_THOUGHTS: Final = 30 * SECOND
"""An order is cancelled within this time, or not at all."""
_SOLD_DECIMALS: Final = 6
"""Of tokens that a user sells: nobody sells the dust that is left of an order before."""


class People(NamedTuple):
    """Who there is, which indexes there are, and what happens when."""

    users: Sequence[UserSection]
    indexes: Sequence[str]
    steps: Sequence[DeskStep]
    seed: int


class Doors:
    """How people and chains reach the node of the desk. Deposits are numbered per chain."""

    def __init__(self, env: Environment, node: SimNode, chain: SimChain) -> None:
        self.env, self.chain = env, chain
        self._node = node
        self._numbers: dict[str, int] = {}

    def say(self, body: Record) -> None:
        """A user or a curator says something to the desk."""
        self._node.tell(DESK, body)

    def deposit(self, user: str, amount: Decimal) -> None:
        """A deposit is final on its chain."""
        self._from_chain(COLLATERAL, DepositSeen(user, self._number(user, "in"), amount))

    def withdraw(self, user: str, amount: Decimal) -> None:
        """A request for withdrawal is final on its chain."""
        self._from_chain(COLLATERAL, WithdrawalRequested(user, self._number(user, "out"), amount))

    def sell(self, user: str, order: str, symbol: str, amount: Decimal) -> None:
        """Give tokens into custody, if the user has as many, and sell them."""
        given = self.chain.give(symbol, user, amount)
        if given is not None:
            self._from_chain(DESK, given)
        self.say(NewIndexOrder(user, order, symbol, "sell", amount))

    def _from_chain(self, dst: str, body: Record) -> None:
        self._node.post(int(self.env.now), CHAIN, dst, Message(CHAIN, body))

    def _number(self, user: str, count: str) -> int:
        key = f"{user.partition(':')[0]}.{count}"
        self._numbers[key] = self._numbers.get(key, -1) + 1
        return self._numbers[key]


class Customer:
    """A user who deposits and orders again and again."""

    def __init__(self, doors: Doors, section: UserSection, indexes: Sequence[str], seed: int) -> None:
        self._doors, self._section = doors, section
        self._indexes = section.indexes or tuple(indexes)
        self._times = stream(seed, f"user.{section.id}.times")
        self._draws = stream(seed, f"user.{section.id}.orders")
        self._sent: list[str] = []

    def arrive(self, until: Nanos) -> Process:
        """Order at each arrival before `until`."""
        env, lead = self._doors.env, int(self._section.deposit_lead)
        while True:
            yield env.timeout(self._gap())
            if env.now >= until:
                return
            symbol = self._draws.choice(self._indexes)
            held = cut(self._doors.chain.balance(symbol, self._section.user), _SOLD_DECIMALS)
            if self._draws.chance(self._section.sell_per_mille) and held > 0:
                self._doors.sell(self._section.user, self._name(), symbol, held)
            else:
                amount = self._amount()
                self._doors.deposit(self._section.user, amount)
                if lead:
                    yield env.timeout(lead)
                self._buy(symbol, amount)
            self._perhaps_cancel()

    def _buy(self, symbol: str, amount: Decimal) -> None:
        if self._draws.chance(self._section.quote_per_mille):
            quote = f"Q-{len(self._sent) + 1}"
            self._doors.say(NewQuoteRequest(self._section.user, quote, symbol, "buy", amount))
        self._doors.say(NewIndexOrder(self._section.user, self._name(), symbol, "buy", amount))

    def _perhaps_cancel(self) -> None:
        if self._draws.chance(self._section.cancel_per_mille):
            start(self._doors.env, self._cancel(self._sent[-1], self._draws.between(0, _SECOND_THOUGHTS)))

    def _cancel(self, order: str, after: Nanos) -> Process:
        yield self._doors.env.timeout(after)
        self._doors.say(CancelIndexOrder(self._section.user, order))

    def _gap(self) -> Nanos:
        arrivals = self._section.arrivals
        assert arrivals is not None
        if arrivals.poisson is not None:
            return self._times.exponential(int(arrivals.poisson))
        assert arrivals.fixed is not None
        return int(arrivals.fixed)

    def _amount(self) -> Decimal:
        least, most = (int(amount / _CENT) for amount in (self._section.amount.min, self._section.amount.max))
        return self._draws.between(max(least, 1), max(most, 1)) * _CENT

    def _name(self) -> str:
        self._sent.append(f"{self._section.id}-{len(self._sent) + 1}")
        return self._sent[-1]


def start_users(doors: Doors, people: People, until: Nanos) -> None:
    """Let people and curators do what the scenario says; no new orders after `until`."""
    users = {section.id: section.user for section in people.users}
    for section in people.users:
        if section.arrivals is not None:
            start(doors.env, Customer(doors, section, people.indexes, people.seed).arrive(until))
    start(doors.env, _take_steps(doors, people.steps, users))


def _take_steps(doors: Doors, steps: Sequence[DeskStep], users: dict[str, str]) -> Process:
    """What is to be done at its time; what falls on one instant in the order of the file."""
    env = doors.env
    began = int(env.now)
    for step in sorted(steps, key=lambda step: step.at):
        yield env.timeout(began + int(step.at) - env.now)
        _take(doors, step, users.get(step.user or "", ""), began)


def _take(doors: Doors, step: DeskStep, user: str, began: Nanos) -> None:
    values: Any = step  # what each step needs was checked when the scenario was read
    if step.do == "deposit":
        doors.deposit(user, values.amount)
    elif step.do == "withdraw":
        doors.withdraw(user, values.amount)
    elif step.do == "sell":
        doors.sell(user, values.order, values.index, values.amount)
    else:
        doors.say(_REQUESTS[step.do](step, user, began))


_REQUESTS: Final[dict[str, Callable[[Any, str, Nanos], Record]]] = {
    "buy": lambda step, user, _: NewIndexOrder(user, step.order, step.index, "buy", step.amount),
    "amend": lambda step, user, _: AmendIndexOrder(user, step.order, step.amount),
    "cancel": lambda step, user, _: CancelIndexOrder(user, step.order),
    "quote": lambda step, user, _: NewQuoteRequest(user, step.order, step.index, "buy", step.amount),
    "cancel_quote": lambda step, user, _: CancelQuoteRequest(user, step.order),
    "weights": lambda step, *_: CuratorWeightsSet(step.index, tuple(step.weights.items())),
    "delist": lambda step, _, began: DelistAsset(step.asset, began + int(step.deadline)),
}
