"""Logons as the registrar judges them: whose is checked next, who is let in, and when the others hear of it.

Everything is looked at again when a check is done: a key that was revoked meanwhile lets nobody in, and of two equal
Logons the second is a replay. Logons that were signed by a market maker's key are remembered for as long as their
SendingTime would pass, let in or not: a Logon that was refused while its sender was suspended, or because it came too
early, is no use to whoever replays it later.

Checks take turns (`core.identity.turns`): each market maker that is claimed has a lane, strangers have one together,
and whoever comes from where the market maker has proven itself before has another, so that others who claim to be it
do not keep it out. So the wait for a check says whom others claim to be, and which of them are registered. Therefore
nobody is told of a refusal but when `refusal_delay` has passed since the Logon came. Who was not checked by then is
refused as well; who is being checked, or comes from such an address, may wait on.

The engine is given one Logon of a session at a time: so the application knows for certain who it is that opens it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from core.fix.records import LogonAttempted, LogonConcluded, LogonJudged
from core.identity.checking import SignatureChecked
from core.identity.logon import LogonClaim, PendingLogon, Seen, check_of, judge, objection, read_claim, untimely
from core.identity.reasons import LogonRefusal
from core.identity.records import LogonDenied, LogonProven, MakerAdmitted, RegisterMaker, StageKey
from core.identity.registry import Maker, Registry
from core.identity.scheme import key_id
from core.identity.settings import IdentitySettings
from core.identity.turns import Turns
from core.kernel.component import Component
from core.kernel.doorway import address_of
from core.kernel.ids import Ids
from core.kernel.record import CancelTimer, Compute, Computed, Message, Note, Send, SetTimer, TimerFired
from core.units import Nanos

ADDRESSES_KEPT: Final = 8
"""Of a market maker, those that it has proven itself from last."""
_STRANGERS: Final = ""
_PROVEN: Final = "{}|proven"

NewKey: TypeAlias = RegisterMaker | StageKey


class Admitted(msgspec.Struct, frozen=True):
    """Who the Logon on `conn` was believed to be, and by which key; by none where none was needed."""

    session: str
    maker: str
    public_key: bytes
    conn: str


class RegistrarState(msgspec.Struct):
    """All that changes. Checks that are under way are kept by their job."""

    registry: Registry = msgspec.field(default_factory=Registry)
    ids: Ids = msgspec.field(default_factory=Ids)
    logons: dict[str, PendingLogon] = {}
    """Those that are not answered yet, oldest first; each has a timer by its job."""
    turns: Turns = msgspec.field(default_factory=Turns)
    checking: dict[str, PendingLogon] = {}
    """Those that are being checked, answered or not."""
    proven_from: dict[str, list[str]] = {}
    """By market maker, addresses, the last one last."""
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
    leaving: dict[str, str] = {}
    """By session: the market maker that was logged out last, and may still be on its way."""


class Logons(Component[RegistrarState]):
    """A registrar without operators."""

    __slots__ = ("settings",)

    def __init__(self, name: str, settings: IdentitySettings) -> None:
        super().__init__(name, RegistrarState())
        self.settings = settings

    def _on_attempted(self, now: Nanos, event: Message[LogonAttempted]) -> None:
        attempt = event.body
        unsigned = self.settings.unsigned.get(attempt.session)
        if unsigned is not None and self._maker(unsigned) is None:
            self._believe(Admitted(attempt.session, unsigned, b"", attempt.conn))
            return
        claim = read_claim(attempt.raw)
        if isinstance(claim, LogonRefusal):
            self._deny(attempt.session, attempt.conn, "", claim, claim.text)
            return
        refusal = untimely(now, claim, self.settings.receive_window)
        if refusal is LogonRefusal.STALE:
            self._deny(attempt.session, attempt.conn, claim.sender_comp_id, refusal, refusal.text)
            return
        if len(self.state.logons) >= self.settings.logons_max:
            self._make_room()
        job = self.state.ids.next("logon")
        self.state.logons[job] = self._pending(attempt, claim, refusal)
        self.emit(SetTimer(job, now + self.settings.refusal_delay))
        self._line_up(now, job)

    def _pending(self, attempt: LogonAttempted, claim: LogonClaim, refusal: LogonRefusal | None) -> PendingLogon:
        name, address = claim.sender_comp_id, address_of(attempt.peer)
        is_proven = address in self.state.proven_from.get(name, ())
        lane = _STRANGERS if self._maker(name) is None else _PROVEN.format(name) if is_proven else name
        is_early = refusal is LogonRefusal.EARLY
        return PendingLogon(attempt.session, attempt.conn, claim, lane, address, is_proven, is_early, refusal)

    def _line_up(self, now: Nanos, job: str) -> None:
        """Have a Logon checked in its turn, unless it was before."""
        pending = self.state.logons[job]
        if self.state.seen.knows(now, pending.claim.signature):
            pending.refusal = pending.refusal or LogonRefusal.REPLAYED
            return
        if yields := self.state.turns.add(pending.lane, pending.address, job):
            self._yield(yields)
        self._check_next()

    def _yield(self, job: str) -> None:
        """Let a Logon be refused that has lost its place: at its time, which may have passed."""
        pending = self.state.logons[job]
        pending.refusal = pending.refusal or LogonRefusal.BUSY
        if pending.is_overdue:
            self._refuse_logon(job)

    def _check_next(self) -> None:
        state = self.state
        while len(state.checking) < self.settings.checks_at_once and (job := state.turns.take()):
            pending = state.checking[job] = state.logons[job]
            check = check_of(pending.claim, self._maker(pending.claim.sender_comp_id))
            pending.public_keys = check.public_keys
            self.emit(Compute(job, check))

    def _make_room(self) -> None:
        logons = self.state.logons
        job = next((job for job, it in logons.items() if not it.is_proven), None) or next(iter(logons))
        self._refuse_logon(job)

    def _on_timer(self, _now: Nanos, event: TimerFired) -> None:
        """A Logon that is not believed by now is refused, unless that is still to be found out."""
        pending = self.state.logons[event.key]
        if pending.refusal is None and (pending.is_proven or event.key in self.state.checking):
            pending.is_overdue = True
        else:
            self._refuse_logon(event.key)

    def _refuse_logon(self, job: str) -> None:
        pending = self.state.logons.pop(job)
        self.state.turns.drop(pending.lane, pending.address, job)
        self.emit(CancelTimer(job))
        reason = pending.refusal or LogonRefusal.BUSY
        self._deny(pending.session, pending.conn, pending.claim.sender_comp_id, reason, pending.text)

    def _on_checked(self, now: Nanos, event: Computed[SignatureChecked]) -> None:
        job = event.job_id
        verdict = self._judge(now, self.state.checking.pop(job), event.result)
        pending = self.state.logons.get(job)
        if pending is not None and not isinstance(verdict, LogonRefusal):
            self._prove(job, verdict)
        elif pending is not None and isinstance(verdict, LogonRefusal):
            pending.refusal = verdict
            if pending.is_overdue:
                self._refuse_logon(job)
        self._check_next()

    def _judge(self, now: Nanos, pending: PendingLogon, checked: SignatureChecked) -> bytes | LogonRefusal:
        """The key that a Logon is proven with, or why it is refused. If it is somebody's, it is remembered."""
        claim, maker = pending.claim, self._maker(pending.claim.sender_comp_id)
        until = claim.sending_time + self.settings.receive_window
        if pending.is_early:
            if checked.signers and maker is not None:
                self.state.seen.remember_early(now, maker.maker, claim.signature, until)
            return LogonRefusal.EARLY
        if checked.signers and not self.state.seen.remember(now, claim.signature, until):
            return LogonRefusal.REPLAYED
        return judge(pending, checked, maker, self.settings.comp_id)

    def _prove(self, job: str, public_key: bytes) -> None:
        pending = self.state.logons.pop(job)
        maker = pending.claim.sender_comp_id
        self.emit(CancelTimer(job))
        addresses = [it for it in self.state.proven_from.get(maker, ()) if it != pending.address]
        self.state.proven_from[maker] = [*addresses, pending.address][-ADDRESSES_KEPT:]
        self.emit(Note(LogonProven(maker, pending.conn, key_id(public_key))))
        self._believe(Admitted(pending.session, maker, public_key, pending.conn))

    def _believe(self, who: Admitted) -> None:
        if who.session in self.state.asked:
            self.state.queued[who.conn] = who
            return
        self.state.asked[who.session] = None
        self.state.believed[who.conn] = who
        self._introduce(who)
        self.emit(Send(self.settings.engine, LogonJudged(who.session, who.conn, True)))

    def _introduce(self, who: Admitted) -> None:
        """Tell the application before anything arrives from them."""
        maker = self._maker(who.maker)
        if maker is not None:
            may, signing = maker.permissions, maker.signing
            admitted = MakerAdmitted(who.session, who.maker, who.public_key, may, signing, who.conn)
            self.emit(Send(self.settings.app, admitted))

    def _on_concluded(self, _now: Nanos, event: Message[LogonConcluded]) -> None:
        """One who was believed is logged on; or is not, and whoever was before them still may be."""
        who = self.state.believed.pop(event.body.conn, None)
        if who is not None and event.body.logged_on:
            self.state.logged_on[who.session] = who
            self.state.leaving.pop(who.session, None)
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
                self._believe(who)
                return
            self._deny(session, conn, who.maker, refusal, refusal.text)

    def _deny(self, session: str, conn: str, comp_id: str, reason: LogonRefusal, text: str) -> None:
        self.emit(Note(LogonDenied(comp_id, conn, reason)))
        self.emit(Send(self.settings.engine, LogonJudged(session, conn, False, reason, text)))

    def _maker(self, comp_id: str) -> Maker | None:
        return self.state.registry.makers.get(comp_id)
