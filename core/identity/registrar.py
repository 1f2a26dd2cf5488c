"""The registrar: keeps the registry, obeys operators, and says whether a Logon is who it says it is.

Whatever takes arithmetic on curves is done elsewhere (`Compute`), and everything is looked at again when its answer
comes: a key that was revoked while its signature was being checked lets nobody in, and of two equal Logons that are
checked at a time the second is a replay.

Logons that were signed by a market maker's key are remembered for as long as their SendingTime would pass, let in or
not: a Logon that was refused while its sender was suspended, or because it came too early, is no use to whoever replays
it later.

The engine is given one Logon of a session at a time: so the application knows for certain who it is that opens it.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec

from core.fix.records import LogonAttempted, LogonConcluded, LogonJudged, LogOut
from core.identity.checking import CheckPossession, PossessionChecked, SignatureChecked
from core.identity.logon import PendingLogon, Seen, check_of, judge, objection, read_claim, untimely
from core.identity.reasons import LogonRefusal, RegistryRefusal
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    ChangePermissions,
    Command,
    CommandRefused,
    LogonDenied,
    LogonProven,
    MakerAdmitted,
    MakerBarred,
    PermissionsChanged,
    RegisterMaker,
    RegistryChanged,
    ResumeMaker,
    RevokeMaker,
    StageKey,
    SuspendMaker,
)
from core.identity.registry import Maker, Registry
from core.identity.scheme import key_id
from core.identity.settings import IdentitySettings
from core.identity.states import MakerStatus
from core.kernel.component import Component, Handler
from core.kernel.ids import Ids
from core.kernel.record import Compute, Computed, Message, Note, Record, Resume, Send, Start, Stop
from core.units import Nanos

NewKey: TypeAlias = RegisterMaker | StageKey


class Admitted(msgspec.Struct, frozen=True):
    """Who a Logon was believed to be, and by which key; by none where none was needed."""

    session: str
    maker: str
    public_key: bytes


class RegistrarState(msgspec.Struct):
    """All that changes. Checks that are under way are kept by their job."""

    registry: Registry = msgspec.field(default_factory=Registry)
    ids: Ids = msgspec.field(default_factory=Ids)
    logons: dict[str, PendingLogon] = {}
    new_keys: dict[str, NewKey] = {}
    seen: Seen = msgspec.field(default_factory=Seen)
    believed: dict[str, Admitted] = {}
    """By connection: those of whom the engine has not said yet whether they are logged on now."""
    asked: dict[str, None] = {}
    """Sessions of which the engine has not said yet what became of a Logon that was believed."""
    queued: dict[str, Admitted] = {}
    """By connection: those whose Logons are proven, and wait until that is said."""
    logged_on: dict[str, Admitted] = {}
    """By session: who logged on last, and may still be."""


class Registrar(Component[RegistrarState]):
    """No key logs on that is not an active market maker's, and none stays logged on that has ceased to be."""

    __slots__ = ("settings",)

    def __init__(self, name: str, settings: IdentitySettings) -> None:
        super().__init__(name, RegistrarState())
        self.settings = settings

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
        elif len(self.state.new_keys) >= self.settings.checks_max:
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
                self.emit(Send(self.settings.app, PermissionsChanged(command.maker, command.permissions)))

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
        for session in dict.fromkeys(who.session for who in ousted):
            state.logged_on.pop(session, None)
            if not is_active:
                self.emit(Send(self.settings.app, MakerBarred(session, maker, record.status)))
            text = "This key was revoked" if is_active else f"{maker} is {record.status}"
            self.emit(Send(self.settings.engine, LogOut(session, text, keep_down=False)))

    def _refuse(self, command: Command, reason: RegistryRefusal, detail: str = "") -> None:
        self.emit(Note(CommandRefused(command.maker, type(command).__name__, command.who, reason, detail)))

    # --- logons ----------------------------------------------------------------------------------

    def _on_attempted(self, now: Nanos, event: Message[LogonAttempted]) -> None:
        attempt = event.body
        unsigned = self.settings.unsigned.get(attempt.session)
        if unsigned is not None and self._maker(unsigned) is None:
            self._believe(attempt.conn, Admitted(attempt.session, unsigned, b""))
            return
        claim = read_claim(attempt.raw)
        if isinstance(claim, LogonRefusal):
            self._deny(attempt.session, attempt.conn, "", claim)
            return
        refusal = untimely(now, claim, self.settings.receive_window)
        is_early = refusal is LogonRefusal.EARLY
        if (refusal is None or is_early) and len(self.state.logons) >= self.settings.checks_max:
            refusal, is_early = LogonRefusal.BUSY, False
        if refusal is not None and not is_early:
            self._deny(attempt.session, attempt.conn, claim.sender_comp_id, refusal)
            return
        check = check_of(claim, self._maker(claim.sender_comp_id))
        job = self.state.ids.next("logon")
        self.state.logons[job] = PendingLogon(attempt.session, attempt.conn, claim, check.public_keys, is_early)
        self.emit(Compute(job, check))

    def _on_checked(self, now: Nanos, event: Computed[SignatureChecked]) -> None:
        pending = self.state.logons.pop(event.job_id)
        claim, maker = pending.claim, self._maker(pending.claim.sender_comp_id)
        verdict = judge(pending, event.result, maker, self.settings.comp_id)
        until = claim.sending_time + self.settings.receive_window
        if pending.is_early:
            verdict = LogonRefusal.EARLY
            if event.result.signers and maker is not None:
                self.state.seen.remember_early(now, maker.maker, claim.signature, until)
        elif event.result.signers and not self.state.seen.remember(now, claim.signature, until):
            verdict = LogonRefusal.REPLAYED
        if isinstance(verdict, LogonRefusal):
            self._deny(pending.session, pending.conn, claim.sender_comp_id, verdict)
        else:
            assert maker is not None
            self.emit(Note(LogonProven(maker.maker, pending.conn, key_id(verdict))))
            self._believe(pending.conn, Admitted(pending.session, maker.maker, verdict))

    def _believe(self, conn: str, who: Admitted) -> None:
        if who.session in self.state.asked:
            self.state.queued[conn] = who
            return
        self.state.asked[who.session] = None
        self.state.believed[conn] = who
        self._introduce(who)
        self.emit(Send(self.settings.engine, LogonJudged(who.session, conn, True)))

    def _introduce(self, who: Admitted) -> None:
        """Tell the application before anything arrives from them."""
        maker = self._maker(who.maker)
        if maker is not None:
            admitted = MakerAdmitted(who.session, who.maker, who.public_key, maker.permissions, maker.signing)
            self.emit(Send(self.settings.app, admitted))

    def _on_concluded(self, _now: Nanos, event: Message[LogonConcluded]) -> None:
        """One who was believed is logged on; or is not, and whoever was before them still may be."""
        who = self.state.believed.pop(event.body.conn, None)
        if who is not None and event.body.logged_on:
            self.state.logged_on[who.session] = who
        elif who is not None and who.session in self.state.logged_on:
            self._introduce(self.state.logged_on[who.session])
        self.state.asked.pop(event.body.session, None)
        self._take_next(event.body.session)

    def _take_next(self, session: str) -> None:
        """Believe the next one of a session, if its key is still accepted."""
        for conn in [conn for conn, who in self.state.queued.items() if who.session == session]:
            who = self.state.queued.pop(conn)
            maker = self._maker(who.maker)
            refusal = objection(maker, who.public_key) if maker is not None else None
            if refusal is None:
                self._believe(conn, who)
                return
            self._deny(session, conn, who.maker, refusal)

    def _deny(self, session: str, conn: str, comp_id: str, reason: LogonRefusal) -> None:
        self.emit(Note(LogonDenied(comp_id, conn, reason)))
        self.emit(Send(self.settings.engine, LogonJudged(session, conn, False, reason, reason.text)))

    def _maker(self, comp_id: str) -> Maker | None:
        return self.state.registry.makers.get(comp_id)

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
        SignatureChecked: _on_checked,
        LogonAttempted: _on_attempted,
        LogonConcluded: _on_concluded,
    }


def _detail(command: Command, refusal: RegistryRefusal) -> str:
    """What there is to say of a refusal besides its reason."""
    if refusal is RegistryRefusal.INVALID_PERMISSIONS and isinstance(command, RegisterMaker | ChangePermissions):
        return command.permissions.flaw
    return ""
