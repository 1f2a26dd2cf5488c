"""A solver that connects again: what it says in a rerun comes on a connection that is open then."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from core.kernel.journal import Journal
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Connected, Disconnected, Start
from core.units import SECOND
from core.wiring import components
from sim.whatif.recording import Recording
from sim.whatif.speech import DOOR
from sim.whatif.tape import Cue
from tests.unit.sim.whatif.conftest import compare


def reconnected(recording: Recording, path: Path, solver: str) -> None:
    """A journal of the same market in which a solver changes its connection after a second."""
    conn, hello = next(
        (cue.event.conn, cue.event)
        for cue in recording.cues
        if cue.dst == DOOR and isinstance(cue.event, Bytes) and f'"solver":"{solver}"'.encode() in cue.event.data
    )
    turn = recording.began + SECOND + 1
    cues = [
        replace(cue, event=replace(cue.event, conn="again"))
        if cue.at >= turn and getattr(cue.event, "conn", "") == conn
        else cue
        for cue in recording.cues
        if not isinstance(cue.event, Start)
    ]
    news = (Disconnected(conn, "lost"), Connected("again", solver), replace(hello, conn="again"))
    cues += [Cue(turn, 0, DOOR, event) for event in news]
    with path.open("wb") as file:
        journal = Journal("venue", file)
        journal.open(recording.header)
        kernel = Kernel("venue", components(recording.config, recording.header.seed), journal=journal)
        kernel.boot(recording.began)
        for cue in sorted(cues, key=lambda cue: cue.at):
            kernel.agenda.post(cue.at, getattr(cue.event, "conn", "world"), cue.dst, cue.event)
        while (at := kernel.agenda.next_at()) is not None and at <= recording.ended:
            kernel.pump(at)
        journal.close()


def test_answers_that_were_not_recorded_come_on_the_connection_of_their_time(
    recording: Recording, tmp_path: Path
) -> None:
    reconnected(recording, tmp_path / "venue.romer", "s1")
    assert compare(tmp_path / "venue.romer", "solver.s1.latency=0s").changed == []
    comparison = compare(tmp_path / "venue.romer", "solver.s3.latency=1s")
    won = {row.solver: (row.awards_before, row.awards_after, row.defaults_after) for row in comparison.solvers}
    before, after, defaults = won["s1"]
    assert after > before > 0
    assert defaults <= 1  # of an award whose answer was under way when the connection changed
