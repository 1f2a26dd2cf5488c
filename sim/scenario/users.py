"""The tables of an index scenario about people: who buys and sells index tokens, and what is done at which time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from core.config import Duration, Section
from core.faults import Fault, KeyPath, unknown
from core.market.orders import Name
from core.solver.problem import PerMille
from sim.scenario.models import above_zero

Do: TypeAlias = Literal[
    "deposit", "withdraw", "buy", "sell", "amend", "cancel", "quote", "cancel_quote", "weights", "delist"
]

_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "deposit": ("user", "amount"),
    "withdraw": ("user", "amount"),
    "buy": ("user", "order", "index", "amount"),
    "sell": ("user", "order", "index", "amount"),
    "amend": ("user", "order", "amount"),
    "cancel": ("user", "order"),
    "quote": ("user", "order", "index", "amount"),
    "cancel_quote": ("user", "order"),
    "weights": ("index", "weights"),
    "delist": ("asset", "deadline"),
}
"""What each step takes: all of it, and nothing else."""
_KEYS: Final = ("user", "order", "index", "amount", "weights", "asset", "deadline")


class AmountSection(Section, frozen=True, kw_only=True):
    """Collateral of an order, uniform between two amounts and rounded to cents."""

    min: Decimal = Decimal(10)
    max: Decimal = Decimal(1000)


class UserArrivals(Section, frozen=True, kw_only=True):
    """When a user's orders arrive: random with a mean interval, or evenly."""

    poisson: Duration | None = None
    fixed: Duration | None = None

    def __post_init__(self) -> None:
        if (self.poisson is None) == (self.fixed is None):
            raise ValueError("expected exactly one of poisson, fixed")
        above_zero(poisson=self.poisson, fixed=self.fixed)


class UserSection(Section, frozen=True, kw_only=True):
    """Somebody who deposits collateral and buys index tokens; and, with arrivals, does so again and again."""

    id: Name
    chain: str = "1"
    address: str | None = None
    """Made from the id if not given."""
    arrivals: UserArrivals | None = None
    """Without it, only steps are taken."""
    amount: AmountSection = AmountSection()
    indexes: tuple[Name, ...] = ()
    """Empty: every index."""
    deposit_lead: Duration = Duration(0)
    """How long before its order a deposit is made."""
    sell_per_mille: PerMille = 0
    """The chance that instead of buying the user sells all tokens that he holds of an index, if any."""
    cancel_per_mille: PerMille = 0
    """The chance of each order that it is cancelled, within half a minute."""
    quote_per_mille: PerMille = 0
    """The chance before each order that a quote is asked for."""

    @property
    def user(self) -> str:
        """As the desk knows the user."""
        address = self.address or f"0x{sha256(self.id.encode()).hexdigest()[:40]}"
        return f"{self.chain}:{address}"


class DeskStep(Section, frozen=True, kw_only=True):
    """Something that a user, a curator or an exchange does, at its time."""

    at: Duration
    """After the market opens."""
    do: Do
    user: Name | None = None
    order: Name | None = None
    """The user's own id of the order or quote."""
    index: Name | None = None
    amount: Decimal | None = None
    """Collateral; index tokens of a sell."""
    weights: dict[Name, Decimal] | None = None
    asset: Name | None = None
    deadline: Duration | None = None
    """After the market opens: until when the asset is traded."""


def step_faults(steps: tuple[DeskStep, ...], known: Mapping[str, tuple[str, ...]], end: Duration) -> Iterator[Fault]:
    """Steps that nobody could take; `known` names the users, indexes and assets that there are."""
    for number, step in enumerate(steps):
        path: KeyPath = ("step", number)
        for key in _KEYS:
            yield from _given(path, step, key)
        for what, names in known.items():
            name = getattr(step, what)
            if name is not None and name not in names:
                yield unknown((*path, what), what, name, names)
        yield from _weights(path, step, known["asset"])
        if step.amount is not None and step.amount <= 0:
            yield Fault((*path, "amount"), f"must be above zero, got {step.amount}")
        if step.at > end:
            yield Fault((*path, "at"), f"{step.at.written} is after the end of the run, {end.written}")
        if step.deadline is not None and step.deadline <= step.at:
            yield Fault((*path, "deadline"), f"{step.deadline.written} is not after the step, at {step.at.written}")


def _weights(path: KeyPath, step: DeskStep, assets: tuple[str, ...]) -> Iterator[Fault]:
    if step.weights == {}:
        yield Fault((*path, "weights"), "name at least one asset")
    for asset, weight in (step.weights or {}).items():
        if asset not in assets:
            yield unknown((*path, "weights"), "asset", asset, assets)
        if weight <= 0:
            yield Fault((*path, "weights", asset), f"must be above zero, got {weight}")


def _given(path: KeyPath, step: DeskStep, key: str) -> Iterator[Fault]:
    value: Any = getattr(step, key)
    if (value is not None) == (key in _NEEDS[step.do]):
        return
    problem = f"`{step.do}` needs `{key}`" if value is None else f"`{step.do}` takes no `{key}`"
    yield Fault((*path, key), problem, f"it takes {', '.join(_NEEDS[step.do])}")
