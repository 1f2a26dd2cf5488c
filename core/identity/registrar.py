"""The registrar: keeps the registry, obeys operators, and says whether a Logon is who it says it is.

Whatever takes arithmetic on curves is done elsewhere (`Compute`), and everything is looked at again when its answer
comes: a key that was revoked while its signature was being checked lets nobody in.
"""

from __future__ import annotations

from typing import ClassVar

from core.fix.records import LogonAttempted, LogonConcluded, LogonWithdrawn
from core.identity.checking import CheckPossession, PossessionChecked, SignatureChecked
from core.identity.logons import Logons, NewKey
from core.identity.reasons import RegistryRefusal
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    ChangePermissions,
    Command,
    CommandRefused,
    MakerBarred,
    PermissionsChanged,
    RegisterMaker,
    RegistryChanged,
    ResumeMaker,
    RevokeMaker,
    StageKey,
    SuspendMaker,
)
from core.identity.states import MakerStatus
from core.kernel.component import Handler
from core.kernel.record import Compute, Computed, Message, Note, Record, Resume, Send, Start, Stop, TimerFired
from core.units import Nanos


class Registrar(Logons):
    """No key logs on that is not an active market maker's, and none stays logged on that has ceased to be."""

    __slots__ = ()

    def _on_start(self, now: Nanos, _event: Start) -> None:
        for founder in self.settings.founders:
            for command in (founder, ActivateMaker(founder.maker, founder.who, founder.why)):
                refusal = self.state.registry.objection(command)
                assert refusal is None, f"{self.name}: founder {founder.maker}: {refusal}"
                self._obey(now, command)

    def _on_stop(self, _now: Nanos, _event: Stop | Resume) -> None:
        """Whoever logs on or out of a node that winds down is the engine's business."""

    # --- commands --------------------------------------------------------------------------------

    def _on_new_key(self, _now: Nanos, event: Message[NewKey]) -> None:
        command = event.body
        if refusal := self.state.registry.objection(command):
            self._refuse(command, refusal, _detail(command, refusal))
        elif len(self.state.new_keys) >= self.settings.proofs_max:
            self._refuse(command, RegistryRefusal.BUSY)
        else:
            job = self.state.ids.next("key")
            self.state.new_keys[job] = command
            self.emit(Compute(job, CheckPossession(command.public_key, command.proof)))

    def _on_possession(self, now: Nanos, event: Computed[PossessionChecked]) -> None:
        command, checked = self.state.new_keys.pop(event.job_id), event.result
        if checked.malformed:
            self._refuse(command, RegistryRefusal.INVALID_KEY, checked.malformed)
        elif not checked.proven:
            self._refuse(command, RegistryRefusal.UNPROVEN_KEY)
        else:
            self._decide(now, command)

    def _on_command(self, now: Nanos, event: Message[Command]) -> None:
        self._decide(now, event.body)

    def _decide(self, now: Nanos, command: Command) -> None:
        if refusal := self.state.registry.objection(command):
            self._refuse(command, refusal, _detail(command, refusal))
        else:
            self._obey(now, command)
            self._part(command.maker)
            if isinstance(command, ChangePermissions):
                permissions = self.state.registry.makers[command.maker].permissions
                self.emit(Send(self.settings.app, PermissionsChanged(command.maker, permissions)))

    def _obey(self, now: Nanos, command: Command) -> None:
        self.emit(Note(RegistryChanged(self.state.registry.obey(now, command))))

    def _part(self, maker: str) -> None:
        """End the sessions of a market maker whose key is not accepted any more; they may come back with another."""
        record, state = self.state.registry.makers[maker], self.state
        is_active = record.status is MakerStatus.ACTIVE
        ousted = [
            who
            for who in (*state.logged_on.values(), *state.believed.values())
            if who.maker == maker and not (is_active and record.accepts(who.public_key))
        ]
        state.believed = {conn: who for conn, who in state.believed.items() if who not in ousted}
        sessions = dict.fromkeys(who.session for who in ousted)
        state.leaving.update(dict.fromkeys(sessions, maker))
        if not is_active:
            self._bar(maker, record.status)
        for session in sessions:
            state.logged_on.pop(session, None)
            text = "This key was revoked" if is_active else f"{maker} is {record.status}"
            self.emit(Send(self.settings.engine, LogonWithdrawn(session, text)))

    def _bar(self, maker: str, status: MakerStatus) -> None:
        """Let nothing count that a market maker sends, on sessions that end for another reason either."""
        for session in [session for session, who in self.state.leaving.items() if who == maker]:
            self.emit(Send(self.settings.app, MakerBarred(session, maker, status)))

    def _refuse(self, command: Command, reason: RegistryRefusal, detail: str = "") -> None:
        self.emit(Note(CommandRefused(command.maker, type(command).__name__, command.who, reason, detail)))

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_stop,
        RegisterMaker: _on_new_key,
        StageKey: _on_new_key,
        ActivateMaker: _on_command,
        SuspendMaker: _on_command,
        ResumeMaker: _on_command,
        RevokeMaker: _on_command,
        ActivateKey: _on_command,
        ChangePermissions: _on_command,
        PossessionChecked: _on_possession,
        SignatureChecked: Logons._on_checked,  # noqa: SLF001  # its own
        TimerFired: Logons._on_timer,  # noqa: SLF001
        LogonAttempted: Logons._on_attempted,  # noqa: SLF001
        LogonConcluded: Logons._on_concluded,  # noqa: SLF001
    }


def _detail(command: Command, refusal: RegistryRefusal) -> str:
    """What there is to say of a refusal besides its reason."""
    if refusal is RegistryRefusal.INVALID_PERMISSIONS and isinstance(command, RegisterMaker | ChangePermissions):
        return command.flaw
    return ""
