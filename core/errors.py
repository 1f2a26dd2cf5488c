"""Every exception that Romer raises on purpose.

    RomerError
    |-- InputError           what a person gave us cannot be used: says what, where, how to mend it
    |-- JournalError
    |   |-- JournalDamaged   bytes of a journal are missing or changed: names file and offset
    |   `-- ReplayDiverged   the code no longer does what the journal says it did: holds both sides
    |-- KeyRefused           bytes that are no key or signature: says which rule they break
    |-- FactViolated         a checker saw something that must never happen
    `-- DefectError          our own bug; stops the run
        |-- UnhandledEvent   a component was handed what it does not declare
        |-- UnknownComponent an effect names a component that this node does not have
        |-- IllegalTransition  a state machine was asked for a step that its table lacks
        `-- ComponentFailed  a component raised; names it, the event and the time

All arguments are positional: SimPy rebuilds exceptions as `type(exc)(*exc.args)`.
"""

from __future__ import annotations


class RomerError(Exception):
    """Base of all of them."""


class InputError(RomerError):
    """A file, key or argument that cannot be used. `hint` says how to mend it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class JournalError(RomerError):
    """Something is wrong with a journal, or with the code that should reproduce it."""


class JournalDamaged(JournalError):
    """A journal that is truncated or corrupted. Frames before `offset` are whole."""

    def __init__(self, name: str, offset: int, reason: str) -> None:
        super().__init__(name, offset, reason)
        self.name, self.offset, self.reason = name, offset, reason

    def __str__(self) -> str:
        return f"{self.name}: damaged at byte {self.offset}: {self.reason}"


class ReplayDiverged(JournalError):
    """Replaying delivery `seq` gave other effects than the journal holds."""

    def __init__(self, seq: int, where: str, recorded: str, replayed: str) -> None:
        super().__init__(seq, where, recorded, replayed)
        self.seq, self.where, self.recorded, self.replayed = seq, where, recorded, replayed

    def __str__(self) -> str:
        return f"delivery {self.seq} ({self.where}) diverged\n  recorded: {self.recorded}\n  replayed: {self.replayed}"


class KeyRefused(RomerError):
    """Bytes that cannot be used as the key or signature that they should be, for a stable `reason` code."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


class FactViolated(RomerError):
    """An invariant of the market does not hold. `checker` names the rule, `detail` the evidence."""

    def __init__(self, checker: str, detail: str) -> None:
        super().__init__(checker, detail)
        self.checker, self.detail = checker, detail

    def __str__(self) -> str:
        return f"{self.checker}: {self.detail}"


class DefectError(RomerError):
    """A bug in Romer itself."""


class UnhandledEvent(DefectError):
    """A component was handed an event or message type that it does not declare."""


class UnknownComponent(DefectError):
    """A `Send` names a component that is not on this node."""


class IllegalTransition(DefectError):
    """A state machine was asked for a step that its table does not have."""


class ComponentFailed(DefectError):
    """A component raised while handling an event; the cause is chained."""
