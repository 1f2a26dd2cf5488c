"""The threads beside a venue's node, in lanes: what one kind of work brings about keeps no other kind waiting.

The libraries do their arithmetic without the interpreter's lock, so that the node goes on meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from core.identity.checking import CheckBlock, CheckOrders, CheckPossession, CheckSignature

Answer = TypeVar("Answer")
_LANES: Final[dict[type, str]] = {
    CheckBlock: "orders",
    CheckOrders: "orders",
    CheckSignature: "logons",
    CheckPossession: "proofs",
}
_REST: Final = "services"
"""The lane of all else: what a node calls by name, such as the signing of blocks."""


def workers(name: str = "compute") -> ThreadPoolExecutor:
    """As many threads as there is room for beside the node's own."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 2) - 1), name)


class Lanes(Executor):
    """Picks the lane by the kind of problem. Blocks of orders have all threads that there is room for; what takes
    milliseconds, one for each kind.
    """

    def __init__(self) -> None:
        short = (*dict.fromkeys(_LANES.values()), _REST)
        self._lanes = {name: workers(name) if name == "orders" else ThreadPoolExecutor(1, name) for name in short}

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Have `fn` called with a problem, in the problem's lane."""
        lane = _LANES.get(type(args[0]), _REST) if args else _REST
        return self._lanes[lane].submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all lanes."""
        for lane in self._lanes.values():
            lane.shutdown(wait, cancel_futures=cancel_futures)
