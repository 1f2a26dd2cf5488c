"""Who has to leave when a connection is made: those who have not said who they are never keep others out.

A silent connection costs its peer nothing, so nothing that such connections can do may fill a door: they
are counted by address, and the oldest of them yields. Whoever speaks at once is let in before it is old.
"""

from __future__ import annotations

from collections.abc import Mapping


def address_of(peer: str) -> str:
    """Where a peer is, of the `address:port` that a driver describes it by."""
    return peer.rpartition(":")[0] or peer


def who_yields(conn: str, peer: str, waiting: Mapping[str, str], *, full: bool, per_address_max: int) -> str:
    """The connection that has to leave when `conn` is made; empty when all may stay.

    `waiting` has those that have not said who they are, oldest first, and the peer of each. In a door that is `full`
    of others it is `conn` itself.
    """
    address = address_of(peer)
    neighbours = [name for name, other in waiting.items() if address_of(other) == address]
    if len(neighbours) >= per_address_max:
        return neighbours[0]
    return next(iter(waiting), conn) if full else ""
