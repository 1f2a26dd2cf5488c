"""A venue's journal taken apart: what came from outside and when, what it stated, and when timers rang late."""

from __future__ import annotations

from pathlib import Path
from statistics import median_low
from typing import NamedTuple

import msgspec

from core.config import DeskConfig, NodeConfig, VenueConfig, decode_node
from core.errors import InputError
from core.fix.message import FixMessage
from core.fix.records import FromPeer
from core.kernel.agenda import Ties
from core.kernel.journal import Chain, Crash, Header
from core.kernel.reader import JournalReader
from core.kernel.record import (
    Close,
    Compute,
    Computed,
    Disconnected,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Resume,
    Stop,
    TimerFired,
)
from core.kernel.rng import stream
from core.units import Nanos
from core.wiring import CODEC, components
from sim.replay import journals, open_journal
from sim.results.facts import Noted
from sim.results.manifest import MANIFEST
from sim.whatif.tape import NEVER, Cue, Cut, PassedOver, Ring, Tape


class Wish(NamedTuple):
    """An order or a cancel request as it reached the sequencer."""

    at: Nanos
    owner: str
    message: FixMessage


class Recording:
    """All that a rerun needs of a journal. `began` and `ended` are the instants of its first and last delivery."""

    def __init__(self, source: str, header: Header, config: VenueConfig, ties: Ties) -> None:
        self.source, self.header, self.config, self.ties = source, header, config, ties
        self.cues: list[Cue] = []
        self.rang: dict[Ring, Nanos] = {}
        self.cuts: dict[Nanos, Cut] = {}
        self.passed_over: list[PassedOver] = []
        """Of the venue's own making, what crashed it and is passed over."""
        self.notes: list[Noted] = []
        self.wishes: list[Wish] = []
        self.chain = Chain(0, b"", b"")
        self.externals = 0
        self.began: Nanos = 0
        self.ended: Nanos = 0
        self.stopped: Nanos | None = None
        """When the venue was told to wind down for good, if it was."""
        self._computing: dict[tuple[str, str], tuple[Nanos, Record]] = {}
        """By component and job, since when it computes what."""
        self._spans: dict[type[Record], dict[Record, Nanos]] = {}
        """By kind, how long each problem took it."""
        self._inside = {component.name for component in components(config, header.seed)}
        self._own = 0

    def tape(self, cues: list[Cue]) -> Tape:
        """An agenda for a rerun of this node with these cues."""
        seed = stream(self.header.seed, f"ties.{self.header.node}").bits64()
        return Tape(cues, self.rang, self.ties, seed, cuts=self.cuts, passed_over=self.passed_over)

    def span_of(self, problem: Record) -> Nanos:
        """How long the venue took for that problem; for one that it did not have, the median of its kind."""
        spans = self._spans.get(type(problem), {})
        return spans[problem] if problem in spans else median_low(spans.values() or [0])

    def pass_over(self, crash: Crash) -> None:
        """An event that crashed the venue was not handled, then or ever. One from outside is simply not given."""
        event = CODEC.events.decode(crash.event)
        if not self._is_external(event):
            self.passed_over.append(PassedOver(crash.now, crash.dst, event))

    def crashed(self) -> None:
        """The venue went down here and did not come back: nothing more of its own came."""
        self.cuts[self.ended] = Cut(self._own, NEVER)

    def restart(self, now: Nanos) -> None:
        """A process took the node up again; its first delivery, which comes next, is at `now`."""
        self.cuts[self.ended] = Cut(self._own, now)

    def take(self, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        """Add the next delivery."""
        if now != self.ended:
            self._own = 0
        self.began, self.ended = self.began or now, now
        if isinstance(event, Computed) and (dst, event.job_id) in self._computing:
            since, problem = self._computing.pop((dst, event.job_id))
            self._spans.setdefault(type(problem), {})[problem] = now - since
        if self._is_external(event):
            self.externals += 1
            self.cues.append(Cue(now, self._own, dst, event))
            if isinstance(event, Stop | Resume):
                self.stopped = now if isinstance(event, Stop) else None
        else:
            self._take_own(now, dst, event)
        for effect in effects:
            if isinstance(effect, Compute):
                self._computing[dst, effect.job_id] = now, effect.problem
            elif isinstance(effect, Note):
                self.notes.append(Noted(len(self.notes) + 1, now, self.header.node, dst, effect.fact))
            elif isinstance(effect, Close):
                # Should a rerun not close it, the peer is gone all the same: it never spoke on it again.
                self.cues.append(Cue(now, self._own, dst, Disconnected(effect.conn, "as recorded")))

    def _is_external(self, event: Event) -> bool:
        if isinstance(event, Message):
            return event.src not in self._inside
        return not isinstance(event, TimerFired)

    def _take_own(self, now: Nanos, dst: str, event: Event) -> None:
        self._own += 1
        if isinstance(event, TimerFired):
            if now != event.at:
                self.rang[dst, event.key, event.at] = now
        elif isinstance(event, Message) and isinstance(event.body, FromPeer):
            self.wishes.append(Wish(now, event.body.session, event.body.message))


def read_recording(path: Path) -> Recording:
    """The venue's journal at `path`, or among those of a run directory.

    Raises InputError when there is none, and JournalDamaged where it is not whole.
    """
    configs = [(each, node_config(open_journal(each))) for each in journals(path)]
    found = [(each, config) for each, config in configs if isinstance(config, VenueConfig)]
    if not found and any(isinstance(config, DeskConfig) for _, config in configs):
        raise InputError(f"{path}: of an index desk; what-if is for venues", "run the scenario again with --set")
    if len(found) != 1:
        problem = "no journal of a venue" if not found else f"journals of {len(found)} venues"
        raise InputError(f"{path}: {problem}", "give the journal of a venue, or the directory of one run")
    source, config = found[0]
    reader = open_journal(source)
    recording = Recording(str(source), reader.header, config, _ties(path))
    boots = 1
    for delivery in reader.deliveries(unfinished=True):
        for crash in reader.take_passed_over():
            recording.pass_over(crash)
        now, dst, event, effects = CODEC.delivered(delivery)
        if len(reader.boots) > boots:
            boots = len(reader.boots)
            recording.restart(now)
        recording.take(now, dst, event, effects)
    if not reader.chain().count:
        raise InputError(f"{source}: nothing happened in it")
    if reader.crash is not None:
        recording.crashed()
    recording.chain = reader.chain()
    return recording


def node_config(reader: JournalReader) -> NodeConfig:
    """The configuration of the node that a journal is of. Raises InputError when it is of another version."""
    try:
        return decode_node(reader.header.config)
    except msgspec.DecodeError as error:
        raise InputError(f"{reader.name}: its node cannot be built by this version: {error}") from None


def _ties(path: Path) -> Ties:
    """The tie policy of a simulated run, which its manifest knows; a live venue has none but `fifo`."""
    folder = path if path.is_dir() else path.parent.parent
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
        ties: Ties = manifest["scenario"]["run"]["ties"]
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return "fifo"
    return ties
