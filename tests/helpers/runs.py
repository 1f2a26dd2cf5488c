"""Runs toy nodes without any driver, as a plain loop over the agenda."""

from __future__ import annotations

from io import BytesIO

from core.kernel.agenda import Agenda, Ties
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel, Outgoing
from core.kernel.reader import JournalReader
from core.units import SECOND, Nanos
from tests.helpers.toys import Answerer, Asker


def toy_kernel(sink: BytesIO | None = None, ties: Ties = "fifo") -> Kernel:
    """An asker and an answerer on one node, with a journal."""
    journal = Journal("toy", sink)
    journal.open(Header("toy", 1, b"", ""))
    return Kernel("toy", [Asker(), Answerer()], agenda=Agenda(ties), journal=journal)


def run(kernel: Kernel, until: Nanos) -> list[Outgoing]:
    """Pump at every due instant up to `until`, as SimPy would."""
    outgoing = []
    while (at := kernel.agenda.next_at()) is not None and at <= until:
        outgoing += kernel.pump(at)
    return outgoing


def recorded(until: Nanos = SECOND) -> tuple[bytes, str]:
    """The journal and digest of one toy run."""
    sink = BytesIO()
    kernel = toy_kernel(sink)
    kernel.boot(0)
    run(kernel, until)
    assert kernel.journal is not None
    kernel.journal.close()
    return sink.getvalue(), kernel.journal.digest()


def reader(data: bytes) -> JournalReader:
    """A reader that calls its input `toy.romer`."""
    return JournalReader("toy.romer", data)
