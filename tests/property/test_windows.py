"""The anchored windows never drift."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.sequencer.window import window_at, window_end

INSTANTS = st.integers(0, 1 << 62)
WIDTHS = st.integers(1, 10**12)


@given(INSTANTS, WIDTHS, st.integers(1, 10**9))
def test_windows_never_drift(anchor: int, width: int, window: int) -> None:
    assert window_end(anchor, width, window) == anchor + window * width


@given(INSTANTS, WIDTHS, st.integers(0, 1 << 62))
def test_every_instant_is_in_one_half_open_window(anchor: int, width: int, after: int) -> None:
    at = anchor + after
    window = window_at(anchor, width, at)
    assert window >= 1
    assert window_end(anchor, width, window - 1) <= at < window_end(anchor, width, window)


@given(INSTANTS, WIDTHS, st.lists(st.integers(0, 10**13), max_size=20))
def test_late_wake_ups_push_no_later_window(anchor: int, width: int, latenesses: list[int]) -> None:
    now = anchor
    for lateness in latenesses:
        due = window_end(anchor, width, window_at(anchor, width, now))
        assert (due - anchor) % width == 0
        assert now < due <= now + width
        now = due + lateness
