"""The tables of a scenario about keys: who has one, what it may do, and what operators do with the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, field

from core.config import Duration, IdentityConfig, KeyConfig, PermissionsConfig, Section
from core.faults import Fault, KeyPath, unknown
from core.founders import permission_faults
from core.identity.checking import Check, CheckBlock, CheckOrders
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    ChangePermissions,
    Command,
    RegisterMaker,
    ResumeMaker,
    RevokeMaker,
    Signing,
    StageKey,
    SuspendMaker,
)
from core.market.orders import Name
from core.units import MILLISECOND, SECOND, Nanos
from sim.keys import public_half

WHO: Final = "scenario"
Do: TypeAlias = Literal[
    "register", "activate_maker", "suspend", "resume", "revoke", "stage", "activate_key", "permit", "use_key"
]
_WITH_KEY: Final = ("register", "stage", "use_key")
_STEPS: Final[dict[str, Any]] = {
    "activate_maker": ActivateMaker,
    "suspend": SuspendMaker,
    "resume": ResumeMaker,
    "revoke": RevokeMaker,
    "activate_key": ActivateKey,
}


class KeySection(Section, frozen=True, kw_only=True):
    """A market maker that is registered from the start, with a key that the scenario makes: its name is the id's."""

    signing: Signing = "logon"
    permissions: PermissionsConfig = PermissionsConfig()
    spoil_every: Annotated[int, Meta(ge=0)] = 0
    """With `order`: every so many orders and requests the signature is not good; 0 is never."""

    def config(self, seed: int, maker: str) -> KeyConfig:
        """As the venue has it."""
        public, proof = public_half(seed, maker)
        return KeyConfig(public=public.hex(), proof=proof.hex(), signing=self.signing, permissions=self.permissions)


class Step(Section, frozen=True, kw_only=True):
    """Something that an operator does with the registry; or, `use_key`, a market maker, which logs on anew with it."""

    at: Duration
    """After the market opens."""
    do: Do
    market_maker: Name
    key: Name | None = None
    """The name of the key that is registered, staged or used; keys follow from their names and the seed."""
    permissions: PermissionsConfig | None = None
    """With `permit`: what the market maker may do from then on, all of it."""

    def command(self, seed: int) -> Command | None:
        """What the registry is told; None if it is told nothing."""
        if self.do in _STEPS:
            command: Command = _STEPS[self.do](self.market_maker, WHO, self.do)
            return command
        if self.permissions is not None:
            return ChangePermissions(self.market_maker, self.permissions.permissions(), WHO, self.do)
        if self.do == "use_key" or self.key is None:
            return None
        kind = RegisterMaker if self.do == "register" else StageKey
        return kind(self.market_maker, *public_half(seed, self.key), WHO, self.do)


class IdentitySection(Section, frozen=True, kw_only=True):
    """Logons are signed, and what that takes."""

    required: bool = False
    """Whether a market maker without a key may not log on."""
    receive_window: Duration = Duration(5 * SECOND)
    sign: Duration = Duration(MILLISECOND)
    """How long a market maker needs to sign a Logon,"""
    check: Duration = Duration(3 * MILLISECOND)
    """and the venue's worker to check it, or a proof of possession,"""
    check_order: Duration = Duration(MILLISECOND // 2)
    """and besides, each signed order of a block."""
    check_timeout: Duration = Duration(10 * SECOND)
    """How long the check of a block of signed orders may take; then these orders are refused."""
    steps: tuple[Step, ...] = field(name="step", default=())

    def config(self) -> IdentityConfig:
        """As the venue has it."""
        return IdentityConfig(
            required=self.required, receive_window=self.receive_window, check_timeout=self.check_timeout
        )

    def checking(self, problem: Check) -> Nanos:
        """How long the venue's worker is busy with it."""
        orders = len(problem.signed) if isinstance(problem, CheckBlock | CheckOrders) else 0
        return int(self.check) + orders * int(self.check_order)


def step_faults(identity: IdentitySection, makers: list[str], symbols: list[str], end: Duration) -> Iterator[Fault]:
    """Steps that nobody could take, at a venue that has these market makers and pairs."""
    for index, step in enumerate(identity.steps):
        path: KeyPath = ("identity", "step", index)
        if step.market_maker not in makers:
            yield unknown((*path, "market_maker"), "market maker", step.market_maker, makers)
        if (step.key is not None) != (step.do in _WITH_KEY):
            problem = f"`{step.do}` needs the name of a key" if step.key is None else f"`{step.do}` takes no key"
            yield Fault((*path, "key"), problem)
        yield from _step_permission_faults(path, step, symbols)
        if step.at > end:
            yield Fault((*path, "at"), f"{step.at.written} is after the end of the run, {end.written}")


def _step_permission_faults(path: KeyPath, step: Step, symbols: list[str]) -> Iterator[Fault]:
    if (step.permissions is not None) != (step.do == "permit"):
        problem = "needs a table of them; {} is no restriction" if step.permissions is None else "takes none"
        yield Fault((*path, "permissions"), f"`{step.do}` {problem}")
    elif step.permissions is not None:
        yield from permission_faults((*path, "permissions"), step.permissions, symbols)
