"""Wherever a node is cut off, it goes on as if it had never been."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import JournalDamaged
from core.kernel.agenda import Agenda, Ties
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel, Outgoing, Snapshot
from core.kernel.reader import JournalReader
from core.kernel.recover import recover
from core.units import MILLISECOND, Nanos
from tests.helpers.toys import CODEC, Answerer, Asker

LIMIT = 200 * MILLISECOND


class Life(NamedTuple):
    """What a node had become by `LIMIT`."""

    states: dict[str, bytes]
    pending: list[tuple[Nanos, str, bytes]]
    deliveries: int
    digest: str


def pumped(kernel: Kernel, step: Nanos, since: Nanos, until: Nanos) -> list[Outgoing]:
    """Pump like a driver that is late: only every `step`, so that one pump has many things due."""
    outgoing = []
    for now in range(since + step, until + 1, step):
        outgoing += kernel.pump(now)
    return outgoing


def life(kernel: Kernel) -> Life:
    assert kernel.journal is not None
    states = {name: component.snapshot() for name, component in kernel.components.items()}
    _, entries = kernel.agenda.snapshot()
    pending = [(entry.at, entry.dst + (entry.key or ""), bytes(entry.event)) for entry in entries]
    return Life(states, pending, kernel.journal.count, kernel.journal.digest())


class Disk:
    """A node's journal and snapshots, as a process leaves them when it is killed."""

    def __init__(self, ties: Ties) -> None:
        self.ties = ties
        self.data = BytesIO()
        self.snapshots: list[bytes] = []
        Journal("toy", self.data).open(Header("toy", 1, b"", ""))

    def cut(self, at: int) -> None:
        """Keep so much of the journal, and the whole frames of it only; and no snapshot from later."""
        data = self.data.getvalue()[:at]
        reader = JournalReader("toy", data)
        end = reader._offset
        for delivery in whole(reader):
            end = delivery
        self.data = BytesIO(data[:end])
        self.data.seek(0, 2)
        count = len(list(JournalReader("toy", data[:end]).deliveries(unfinished=True)))
        self.snapshots = [it for it in self.snapshots if load(it).chain.count <= count]

    def kernel(self, snapshot: Snapshot | None) -> Kernel:
        """A node that is recovered from here."""
        kernel = Kernel("toy", [Asker(), Answerer()], agenda=Agenda(self.ties), journal=Journal("toy"))
        reader = JournalReader("toy", self.data.getvalue(), since=snapshot.chain if snapshot else None)
        recover(kernel, reader, CODEC, snapshot)
        assert kernel.journal is not None
        kernel.journal.attach(self.data)
        kernel.resume()
        return kernel


def whole(reader: JournalReader) -> list[int]:
    """Where whole frames end."""
    ends = []
    with suppress(JournalDamaged):
        for delivery in reader.deliveries(unfinished=True):
            ends.append(delivery.offset + 8 + len(delivery.payload))  # noqa: PERF401  # keeps those before the damage
    return ends


def load(data: bytes) -> Snapshot:
    return msgspec.msgpack.decode(data, type=Snapshot)


def flush(kernel: Kernel) -> None:
    assert kernel.journal is not None
    kernel.journal.flush()


def unbroken(ties: Ties, step: Nanos) -> tuple[Life, bytes]:
    disk = Disk(ties)
    kernel = disk.kernel(None)
    pumped(kernel, step, 0, LIMIT)
    flush(kernel)
    return life(kernel), disk.data.getvalue()


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(["fifo", "shuffled"]), st.sampled_from([1, 7, 20]))
def test_a_node_killed_at_any_byte_goes_on_to_the_digest_of_the_unbroken_run(
    data: st.DataObject, ties: Ties, step_ms: int
) -> None:
    step = step_ms * MILLISECOND
    end = LIMIT // step * step
    expected, journal = unbroken(ties, step)
    disk = Disk(ties)
    disk.data = BytesIO(journal)
    start = len(Disk(ties).data.getvalue())
    disk.cut(data.draw(st.integers(start, len(journal)), "cut at"))
    kernel = disk.kernel(None)
    # the pump that was cut goes on at its own time, then those that never came
    cut_at = kernel.at or step
    kernel.pump(cut_at)
    pumped(kernel, step, cut_at, end)
    flush(kernel)
    assert life(kernel) == expected
    assert disk.data.getvalue() == journal


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["pump", "snapshot", "restart", "restart from snapshot"]), max_size=60),
    st.sampled_from(["fifo", "shuffled"]),
)
def test_any_schedule_of_snapshots_and_restarts_is_as_if_nothing_had_happened(schedule: list[str], ties: Ties) -> None:
    step = 5 * MILLISECOND
    disk, twin = Disk(ties), Disk(ties)
    subject, unstopped = disk.kernel(None), twin.kernel(None)
    now = 0
    for action in schedule:
        if action == "pump":
            now += step
            assert subject.pump(now) == unstopped.pump(now)
            flush(subject)
        elif action == "snapshot":
            disk.snapshots.append(msgspec.msgpack.encode(subject.snapshot()))
        else:
            newest = load(disk.snapshots[-1]) if disk.snapshots and action.endswith("snapshot") else None
            subject = disk.kernel(newest)
        assert life(subject) == life(unstopped)
    assert pumped(subject, step, now, now + LIMIT) == pumped(unstopped, step, now, now + LIMIT)


@pytest.mark.parametrize("ties", ["fifo", "shuffled"])
def test_a_journal_without_deliveries_is_a_node_about_to_start(ties: Ties) -> None:
    kernel = Disk(ties).kernel(None)
    assert len(kernel.agenda) == 2
    assert kernel.journal is not None
    assert kernel.journal.count == 0
