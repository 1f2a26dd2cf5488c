"""A lane that is full of one kind of work keeps no other kind waiting."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from core.identity.checking import CheckOrders, CheckPossession, CheckSignature
from core.kernel.record import Record
from core.sequencer.signing import SignBlock
from live.lanes import Lanes

SECONDS = 10.0
KINDS = (CheckOrders(()), CheckSignature((), b"", b""), CheckPossession(b"", b""), SignBlock(1, b"", b""))


def test_each_kind_of_work_goes_on_while_another_is_stuck() -> None:
    for stuck in KINDS:
        released = threading.Event()

        def solve(problem: Record, stuck: Any = stuck, released: threading.Event = released) -> str:
            assert problem is not stuck or released.wait(SECONDS)
            return type(problem).__name__

        lanes = Lanes()
        try:
            waiting: list[Future[str]] = [lanes.submit(solve, stuck) for _ in range(64)]
            others = [it for it in KINDS if it is not stuck]
            assert [lanes.submit(solve, it).result(SECONDS) for it in others] == [type(it).__name__ for it in others]
            assert not any(job.done() for job in waiting)
        finally:
            released.set()
            lanes.shutdown()
        assert all(job.done() for job in waiting)
