"""Ids are remembered for ever, and in little room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.index.remembered import remember, remembers


@given(st.lists(st.text(min_size=1, max_size=8)), st.lists(st.text(min_size=1, max_size=8)))
def test_what_was_added_is_remembered_and_nothing_else(added: list[str], others: list[str]) -> None:
    ids = bytearray()
    for text in added:
        remember(ids, text)
    assert all(remembers(ids, text) for text in added)
    assert [text for text in others if remembers(ids, text)] == [text for text in others if text in added]
    assert len(ids) == 16 * len(set(added))
    digests = [bytes(ids[at : at + 16]) for at in range(0, len(ids), 16)]
    assert digests == sorted(digests)
