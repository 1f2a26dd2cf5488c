"""Journals are read back whole, or not at all: every kind of damage is named with its offset."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import JournalDamaged
from core.kernel.journal import WRITE_BYTES, Header, Journal, combined_digest
from core.kernel.reader import Delivery, JournalReader
from core.kernel.record import Note, Start, TimerFired
from core.units import SECOND
from tests.helpers.runs import reader, recorded
from tests.helpers.toys import CODEC, Seen

DATA, DIGEST = recorded(SECOND // 5)
WHOLE = list(reader(DATA).deliveries())


def test_what_was_written_is_read_back_with_its_digest() -> None:
    whole = reader(DATA)
    deliveries = list(whole.deliveries())
    assert whole.header == Header("toy", 1, b"", "")
    assert whole.end is not None
    assert (whole.end.count, whole.end.digest) == (len(deliveries), DIGEST)
    assert CODEC.delivered(deliveries[0]) == (0, "asker", Start(), CODEC.delivered(deliveries[0])[3])
    assert [delivery.seq for delivery in deliveries] == list(range(1, len(deliveries) + 1))


def test_the_digest_does_not_depend_on_where_it_was_flushed() -> None:
    digests = set()
    for every in (1, 7, 1000):
        journal = Journal("n", BytesIO())
        for i in range(600):
            journal.append(i, "a", TimerFired("t", i), [Note(Seen(str(i)))])
            if i % every == 0:
                journal.flush()
        digests.add(journal.digest())
    assert len(digests) == 1


def test_a_pump_that_does_much_is_written_in_parts_that_fit_anywhere() -> None:
    writes: list[bytes] = []

    class Sink:
        def write(self, data: bytes) -> None:
            writes.append(data)

    journal = Journal("n", Sink())
    journal.open(Header("n", 1, b"", ""))
    for n in range(200):
        journal.append(n, "c", Start(), [Note(Seen("x" * 5_000))])
    journal.flush()
    assert len(writes) == 5
    assert max(map(len, writes)) < WRITE_BYTES + 6_000
    assert len(list(reader(b"".join(writes)).deliveries(unfinished=True))) == 200


def test_digests_of_different_nodes_or_effects_differ() -> None:
    digests = set()
    for node, fact in (("n", "x"), ("m", "x"), ("n", "y")):
        journal = Journal(node)
        journal.append(1, "a", Start(), [Note(Seen(fact))])
        digests.add(journal.digest())
    assert len(digests) == 3


def test_the_combined_digest_depends_on_every_node_and_their_order() -> None:
    one, two = ("venue", "aa"), ("mm1", "bb")
    assert len({combined_digest([one, two]), combined_digest([two, one]), combined_digest([one])}) == 3


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(0, 7))
def test_any_flipped_bit_is_reported_with_an_offset_at_or_before_it(position: int, bit: int) -> None:
    damaged = bytearray(DATA)
    damaged[position] ^= 1 << bit
    with pytest.raises(JournalDamaged) as caught:
        list(JournalReader("toy.romer", bytes(damaged)).deliveries())
    assert caught.value.offset <= position
    assert str(caught.value).startswith(f"toy.romer: damaged at byte {caught.value.offset}: ")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DATA) - 1))
def test_any_truncation_is_reported_after_the_last_whole_frame(length: int) -> None:
    seen: list[Delivery] = []
    with pytest.raises(JournalDamaged) as caught:
        seen.extend(JournalReader("toy.romer", DATA[:length]).deliveries())
    assert caught.value.offset <= length
    assert seen == [delivery for delivery in WHOLE if delivery.offset + 8 + len(delivery.payload) <= length]


def test_bytes_after_the_end_are_reported() -> None:
    with pytest.raises(JournalDamaged, match="bytes after the end frame"):
        list(reader(DATA + b"\0").deliveries())


def test_a_frame_left_out_is_reported_by_the_end_frame() -> None:
    first, second = (delivery.offset for delivery in WHOLE[3:5])
    with pytest.raises(JournalDamaged, match="end frame says"):
        list(reader(DATA[:first] + DATA[second:]).deliveries())


def test_another_file_is_not_a_journal() -> None:
    with pytest.raises(JournalDamaged, match="not a journal"):
        reader(b"PAR1 something else")


@pytest.mark.parametrize("length", range(9))
def test_a_journal_that_was_killed_before_its_header_is_a_truncated_one(length: int) -> None:
    with pytest.raises(JournalDamaged, match=f"byte {length}: truncated: no header"):
        reader(DATA[:length])


def test_a_journal_of_another_format_is_refused() -> None:
    sink = BytesIO()
    Journal("toy", sink).open(Header("toy", 1, b"", "", format=99))
    with pytest.raises(JournalDamaged, match="format 99; this version reads 2"):
        reader(sink.getvalue())


def test_a_resumed_journal_writes_only_what_comes_after() -> None:
    sink = BytesIO()
    first = Journal("n")
    first.append(1, "a", Start(), [])
    second = Journal("n", sink)
    second.resume(first.chain())
    second.flush()
    assert sink.getvalue() == b""
    second.append(2, "a", Start(), [])
    first.append(2, "a", Start(), [])
    assert second.digest() == first.digest()


class HalfFull:
    """Takes some bytes of a write, fails, and then would take more."""

    def __init__(self, room: int) -> None:
        self.room, self.data = room, b""

    def write(self, data: bytes) -> None:
        fits, self.room = data[: self.room], self.room - len(data)
        self.data += fits
        if self.room < 0:
            self.room = 1 << 20
            raise OSError("no space left")


def test_after_a_failed_write_nothing_more_is_written() -> None:
    sink = HalfFull(200)
    journal = Journal("toy", sink)
    journal.open(Header("toy", 1, b"", ""))
    journal.append(1, "a", Start(), [Note(Seen("x" * 200))])
    with pytest.raises(OSError, match="no space"):
        journal.flush()
    written = len(sink.data)
    journal.close()
    assert len(sink.data) == written
    with pytest.raises(JournalDamaged, match="truncated"):
        list(reader(sink.data).deliveries())


def test_an_effect_that_cannot_be_encoded_leaves_the_journal_whole() -> None:
    sink = BytesIO()
    journal = Journal("toy", sink)
    journal.open(Header("toy", 1, b"", ""))
    journal.append(1, "a", Start(), [])
    with pytest.raises(OverflowError):
        journal.append(2, "a", TimerFired("t", 1 << 70), [])
    journal.close()
    assert len(list(reader(sink.getvalue()).deliveries())) == 1


def test_a_delivery_after_a_crash_is_damage() -> None:
    sink = BytesIO()
    journal = Journal("toy", sink)
    journal.open(Header("toy", 1, b"", ""))
    journal.crash(1, "a", Start(), "boom")
    journal.append(2, "a", Start(), [])
    journal.close()
    with pytest.raises(JournalDamaged, match="a delivery after the crash"):
        list(reader(sink.getvalue()).deliveries())
