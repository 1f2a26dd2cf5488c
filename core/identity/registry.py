"""The registry: who may log on, with which keys, and how that came about. Plain data and what may be done to it.

A command is asked about first (`objection`, which needs no arithmetic on curves), then its proof of possession is
checked by whoever can, and then it is obeyed (`obey`). What is in here was proven.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.identity.audit import next_entry
from core.identity.reasons import RegistryRefusal
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    AuditEntry,
    ChangePermissions,
    Command,
    Permissions,
    RegisterMaker,
    ResumeMaker,
    RevokeMaker,
    Signing,
    StageKey,
    SuspendMaker,
)
from core.identity.states import KEYS, MAKERS, KeyStatus, KeyStep, MakerStatus, MakerStep
from core.kernel.record import Record
from core.units import Nanos

_STEPS: Final[dict[type[Record], MakerStep]] = {
    ActivateMaker: MakerStep.ACTIVATED,
    SuspendMaker: MakerStep.SUSPENDED,
    ResumeMaker: MakerStep.RESUMED,
    RevokeMaker: MakerStep.REVOKED,
}


class Key(msgspec.Struct):
    """A public key whose possession was proven at `staged_at`."""

    public_key: bytes
    staged_at: Nanos
    status: KeyStatus = KeyStatus.STAGED

    def step(self, step: KeyStep, maker: str) -> None:
        """Move along the table of keys."""
        self.status = KEYS.after(self.status, step, f"of {maker}")


class Maker(msgspec.Struct):
    """A market maker. `keys` has all that it ever had, oldest first; nothing is forgotten."""

    maker: str
    registered_at: Nanos
    permissions: Permissions
    signing: Signing
    keys: list[Key]
    status: MakerStatus = MakerStatus.PENDING
    retired: bytes = b""
    """The key that was active last, of those that are revoked; empty when there is none."""

    def step(self, step: MakerStep) -> None:
        """Move along the table of market makers."""
        self.status = MAKERS.after(self.status, step, self.maker)

    def key(self, status: KeyStatus) -> Key | None:
        """The key that is staged, or active. There is one of each at most."""
        assert status is not KeyStatus.REVOKED
        return next((key for key in self.keys if key.status is status), None)

    def accepts(self, public_key: bytes) -> bool:
        """Whether a signature by this key is the market maker's, today."""
        return any(key.public_key == public_key and key.status is not KeyStatus.REVOKED for key in self.keys)

    def revoke(self, status: KeyStatus) -> None:
        """Revoke the key in that status, if there is one."""
        key = self.key(status)
        if key is not None:
            key.step(KeyStep.REVOKED, self.maker)
            self.retired = key.public_key if status is KeyStatus.ACTIVE else self.retired


class Registry(msgspec.Struct):
    """All market makers by SenderCompID, whose each key is, and the audit log."""

    makers: dict[str, Maker] = {}
    owners: dict[bytes, str] = {}
    audit: list[AuditEntry] = []

    def objection(self, command: Command) -> RegistryRefusal | None:
        """Why a command cannot be obeyed as things stand, whatever its proof says. None when it can."""
        if isinstance(command, RegisterMaker | ChangePermissions) and command.flaw:
            return RegistryRefusal.INVALID_PERMISSIONS
        maker = self.makers.get(command.maker)
        if isinstance(command, RegisterMaker):
            if maker is not None:
                return RegistryRefusal.ALREADY_REGISTERED
            return RegistryRefusal.KEY_IN_USE if command.public_key in self.owners else None
        return RegistryRefusal.UNKNOWN_MAKER if maker is None else self._objection_to(maker, command)

    def obey(self, now: Nanos, command: Command) -> AuditEntry:
        """Do what `command` says, which has no objection and whose proof, if it has one, holds."""
        if isinstance(command, RegisterMaker):
            self._register(now, command)
        else:
            maker = self.makers[command.maker]
            if isinstance(command, StageKey):
                self._stage(now, maker, command)
            elif isinstance(command, ActivateKey):
                _activate_key(maker)
            elif isinstance(command, ChangePermissions):
                maker.permissions = command.after(maker.permissions)
            else:
                _move(maker, _STEPS[type(command)])
        entry = next_entry(self.audit[-1] if self.audit else None, now, command)
        self.audit.append(entry)
        return entry

    def _objection_to(self, maker: Maker, command: Command) -> RegistryRefusal | None:
        """Why what `command` says cannot be done to a market maker that there is."""
        step = _STEPS.get(type(command))
        if MAKERS.is_terminal(maker.status) or (step is not None and step not in MAKERS.table[maker.status]):
            return RegistryRefusal.WRONG_STATUS
        if isinstance(command, StageKey) and command.public_key in self.owners:
            return RegistryRefusal.KEY_IN_USE
        if isinstance(command, ActivateKey) and maker.key(KeyStatus.STAGED) is None:
            return RegistryRefusal.NO_STAGED_KEY
        return None

    def _register(self, now: Nanos, command: RegisterMaker) -> None:
        key = Key(command.public_key, now)
        key.step(KeyStep.ACTIVATED, command.maker)
        self.makers[command.maker] = Maker(command.maker, now, command.permissions, command.signing, [key])
        self.owners[command.public_key] = command.maker

    def _stage(self, now: Nanos, maker: Maker, command: StageKey) -> None:
        maker.revoke(KeyStatus.STAGED)
        maker.keys.append(Key(command.public_key, now))
        self.owners[command.public_key] = command.maker


def _activate_key(maker: Maker) -> None:
    staged = maker.key(KeyStatus.STAGED)
    assert staged is not None, f"{maker.maker}: no key is staged"
    maker.revoke(KeyStatus.ACTIVE)
    staged.step(KeyStep.ACTIVATED, maker.maker)


def _move(maker: Maker, step: MakerStep) -> None:
    maker.step(step)
    if MAKERS.is_terminal(maker.status):
        maker.revoke(KeyStatus.STAGED)
        maker.revoke(KeyStatus.ACTIVE)
