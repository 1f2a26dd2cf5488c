"""How many files and sockets a process may have open, and how many of them the doors of a venue may take.

A process that runs out of descriptors can neither rotate its journal nor take a snapshot. So the limit is raised as far
as the system lets it be, what journal and pages need is kept free, and a venue whose doors do not fit does not start.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from core.config import DoorsConfig
from core.errors import InputError

RESERVE: Final = 128
"""For the journal, the pages, and whatever a process has open anyway."""
LINGERING_MAX: Final = 1_024
"""In one door, beyond those that its component admits: connections in a handshake, or about to end."""
_ENOUGH: Final = 1 << 16
_SOLVER_DOORS: Final = ("orders", "bids", "claims")


def raise_limit() -> int:
    """Raise this process's limit of open files as far as it may, and say where it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # some systems have a lower limit than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft


def shares(limit: int, doors: DoorsConfig) -> Mapping[str, int]:
    """How many sockets each door may have, of `limit` open files. Raises InputError when that is too few.

    Any solver door may be where all solver connections are.
    """
    admitted = {"fix": doors.fix_connections_max, **dict.fromkeys(_SOLVER_DOORS, doors.solver_connections_max)}
    spare = limit - RESERVE - sum(admitted.values())
    if spare < 0:
        needed = RESERVE + sum(admitted.values())
        raise InputError(
            f"venue.doors: up to {needed - RESERVE:,} connections, and this process may open {limit:,} files",
            f"`ulimit -n {needed}`, or lower fix_connections_max or solver_connections_max",
        )
    lingering = min(LINGERING_MAX, spare // len(admitted))
    return {door: count + lingering for door, count in admitted.items()}
