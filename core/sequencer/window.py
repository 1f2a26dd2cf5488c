"""The block timer's arithmetic: windows anchored to one instant, so that no lateness adds up.

Window k (from 1) is the half-open span that ends at `anchor + k * width`. Nothing here depends on
when an earlier window was in fact closed: a late wake-up is late once and pushes no later window.
"""

from __future__ import annotations

from core.units import Nanos


def window_at(anchor: Nanos, width: Nanos, at: Nanos) -> int:
    """Which window the instant `at` belongs to; the end of a window is the next one's first instant."""
    return (at - anchor) // width + 1


def window_end(anchor: Nanos, width: Nanos, window: int) -> Nanos:
    """When that window is over."""
    return anchor + window * width
