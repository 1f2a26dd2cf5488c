"""Gaps, both ways: asking for what is missing, and repeating what the peer has missed.

What is missing is asked for once a gap, all at once or in chunks; what arrives meanwhile waits, up to a
limit. A gap that does not get smaller in time ends the session.

What the peer asks for again goes out in batches with pauses, so that a large resend neither fills its
buffers nor ours; new messages of the application wait for its end, so that the peer gets everything in order.
Gap fills stand for the session's own messages and for those no longer kept. A peer that asks for the same
again and again is logged out.
"""

from __future__ import annotations

from typing import Final

from core.fix.messages import ResendRequest, SequenceReset
from core.fix.outbound import Outbound
from core.fix.states import TALKING
from core.fix.store import Asked, duplicate
from core.fix.tags import MsgType
from core.units import SECOND

RESEND_REPEATS_MAX: Final = 32
"""How often in a row a peer may ask for what it has just asked for."""
RESEND_ROW: Final = 60 * SECOND
"""Requests that lie further apart are not in a row, nor are those between which something new was sent."""
RESENT_TIMES_MAX: Final = 4
RESENT_SPARE: Final = 1_000
RESENT_WINDOW: Final = 3_600 * SECOND
"""In such a time a peer may ask for so many messages, and RESENT_TIMES_MAX times for all that were ever sent."""


class Recovery(Outbound):
    """Closes the gaps of either side."""

    __slots__ = ()

    # --- what we miss ----------------------------------------------------------------------------

    def request_resend(self, gap_end: int) -> None:
        """Ask for everything from the next expected number on, or for the first chunk of it."""
        own, state = self.own, self.state
        chunk, open_end = own.resend_request_chunk_size, self.dialect.version.open_end
        state.gap_end = gap_end
        state.asked_end = min(gap_end, state.next_in + chunk - 1) if chunk else gap_end
        self.answer(ResendRequest(state.next_in, state.asked_end if self.asks_up_to_an_end else open_end))
        self.extend_gap_deadline()

    @property
    def asks_up_to_an_end(self) -> bool:
        """Whether requests name their last number, so that what is dropped beyond it does not come by itself."""
        return bool(self.own.resend_request_chunk_size or self.own.closed_resend_interval)

    def await_resend(self, gap_end: int) -> None:
        """The peer knows what is missing, and sends it without being asked."""
        self.state.gap_end = self.state.asked_end = gap_end
        self.extend_gap_deadline()

    def gap_shrunk(self) -> bool:
        """The next expected number has moved on: ask for more if it is time to. Whether the gap is closed."""
        state = self.state
        if state.next_in > state.gap_end:
            self.forget_gap()
            return True
        if state.next_in > state.asked_end and state.next_in not in state.early and state.status in TALKING:
            self.request_resend(state.gap_end)
        self.extend_gap_deadline()
        return False

    def extend_gap_deadline(self) -> None:
        """Give an open gap its full time again. A Logout under way keeps its own deadline."""
        if self.state.status in TALKING:
            self.state.deadline = self.now + self.own.resend_timeout

    def forget_gap(self) -> None:
        """Nothing is missing any more."""
        self.state.gap_end = self.state.asked_end = 0
        if self.state.status in TALKING:
            self.state.deadline = 0

    # --- what the peer misses --------------------------------------------------------------------

    def resend(self, begin: int, end: int) -> None:
        """Repeat what was sent from `begin` to `end`. What an earlier request has not got yet is not forgotten."""
        state = self.state
        if begin > end:
            return
        if state.resend_end:
            begin, end = min(begin, state.resend_next), max(end, state.resend_end)
        state.resend_next, state.resend_end = begin, end
        self.resend_batch()

    def resend_batch(self) -> None:
        """Repeat the next messages: application messages as they were, gap fills for the rest."""
        state = self.state
        skipped, end, left = state.resend_next, state.resend_end, self.own.resend_batch
        sending_time = self._write_time(self.now).encode()
        for number in range(max(skipped, state.next_out - self.own.kept_messages_max), end + 1):
            raw = state.sent.get(number)
            if raw is None:
                continue
            if not left:
                self._fill(skipped, number)
                state.resend_next, state.resend_at = number, self.now + self.own.resend_pause
                return
            self._fill(skipped, number)
            self.write(duplicate(raw, sending_time))
            skipped, left = number + 1, left - 1
        self._fill(skipped, end + 1)
        self.forget_resend()
        self.send_pending()

    def forget_resend(self) -> None:
        """The peer gets nothing again any more."""
        self.state.resend_next = self.state.resend_end = self.state.resend_at = 0

    def is_loop(self, begin: int, end: int) -> bool:
        """Whether a peer that asks for `begin` to `end` goes round.

        One that makes progress asks for something higher or for something else, or something new was sent to it in the
        meantime, or time has passed. Whoever asks so that this does not show is given only so much in a time.
        """
        state, asked = self.state, self.state.asked
        if asked.repeats > RESEND_REPEATS_MAX:
            return True
        is_repeat = begin <= asked.begin <= max(begin, end) and state.next_out == asked.next_out
        repeats = asked.repeats + 1 if is_repeat and self.now - asked.at < RESEND_ROW else 0
        is_recent = self.now - asked.since < RESENT_WINDOW
        messages = max(0, end - begin + 1) + (asked.messages if is_recent else 0)
        since = asked.since if is_recent else self.now
        state.asked = Asked(begin, self.now, state.next_out, repeats, messages, since)
        return repeats > RESEND_REPEATS_MAX or messages > RESENT_TIMES_MAX * state.next_out + RESENT_SPARE

    def _fill(self, begin: int, new_seq_no: int) -> None:
        """A gap fill in place of the messages from `begin` to before `new_seq_no`, if there are any."""
        if begin < new_seq_no:
            body = self.dressed(SequenceReset(new_seq_no, gap_fill_flag=True))
            raw = self.compose(MsgType.SEQUENCE_RESET, begin, body)
            self.write(duplicate(raw, self._write_time(self.now).encode()))
