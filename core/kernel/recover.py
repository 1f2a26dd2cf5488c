"""Takes a node up where its journal stops: state, agenda, and what was open to the outside.

The tail of the journal is handled again and compared, as in a replay, and each delivery must also be the one
that the agenda has next: what arose within the node (starts, timers, local messages) is found there, and only
what came from outside comes from the journal alone. So a pump that was cut in the middle leaves what it still
had to deliver.

Effects that left the node, or should have, do not leave again. Bytes are lost with their connection; a `Compute`
or `Call` without an answer is the driver's to ask again (`Kernel.outside`).
"""

from __future__ import annotations

from decimal import localcontext

from core.errors import ReplayDiverged
from core.kernel.codec import Codec
from core.kernel.journal import Crash
from core.kernel.kernel import Kernel, Snapshot
from core.kernel.reader import JournalReader
from core.kernel.replay import redo
from core.units import MONEY


def recover(kernel: Kernel, reader: JournalReader, codec: Codec, since: Snapshot | None = None) -> int:
    """Bring a fresh kernel to where the journal stops; return how many deliveries were handled again.

    Its journal must have no sink yet, and `reader` must have been told of `since` too. The event of a last crash is
    left out (`reader.crash`), as are those that were quarantined. Of an empty journal, every start is pending.

    Raises JournalDamaged where the journal is not whole, ReplayDiverged where the code does something else than it
    did, and msgspec.DecodeError for a snapshot of another version. The kernel is then of no use.
    """
    assert kernel.journal is not None
    if since is None:
        kernel.boot(0)
    else:
        kernel.restore(since, codec)
    count = 0
    with localcontext(MONEY):
        for delivery in reader.deliveries(unfinished=True):
            _pass_over(kernel, reader.take_passed_over(), codec)
            now, dst, event, effects = redo(kernel.node, kernel.components, codec, delivery)
            if not kernel.adopt(now, dst, event, effects):
                where = f"{kernel.node}/{dst} <- {event!r} at {now}"
                raise ReplayDiverged(delivery.seq, where, "delivered", "not the next thing due")
            kernel.journal.absorb(delivery.payload)
            count += 1
    _pass_over(kernel, reader.take_passed_over(), codec)
    return count


def _pass_over(kernel: Kernel, crashes: list[Crash], codec: Codec) -> None:
    for crash in crashes:
        kernel.pass_over(crash.now, crash.dst, codec.events.decode(crash.event))
