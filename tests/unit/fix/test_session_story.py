"""The life of a FIX session in words, and the texts of its reasons."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from core.fix.codec import GarbledReason
from core.fix.reason_texts import TEXTS
from core.fix.rejects import RejectReason, code_of
from core.fix.session_story import SessionStory, Stated, is_about
from core.fix.states import Reason
from core.fix.tags import BusinessRejectReason, SessionRejectReason
from core.fix.unsent import UnsentReason
from core.units import MILLISECOND
from tests.helpers.fix import NOW
from tests.helpers.markdown import codes, read

ROOT = Path(__file__).parents[3]
TITLES = (
    "FIX sessions",
    "Messages that are rejected",
    "Messages that the application does not take",
    "Messages that are not sent",
    "Bytes that are no message",
)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def documented() -> dict[str, str]:
    """What docs/reasons.md says of each code, the first time that it is listed."""
    texts: dict[str, str] = {}
    sections = {section.title: section for section in read(ROOT / "docs" / "reasons.md").sections()}
    for row in [row for title in TITLES for rows in sections[title].tables() for row in rows]:
        meaning, remedy = (_LINK.sub(r"\1", row[name]) for name in ("Meaning", "Remedy"))
        for code in codes(row["Code"]):
            texts.setdefault(code, f"{meaning}." if remedy == "none" else f"{meaning}. Remedy: {remedy}.")
    return texts


def test_reasons_are_told_in_the_words_of_the_documents() -> None:
    assert documented() == TEXTS


@pytest.mark.parametrize("kind", [Reason, RejectReason, GarbledReason, UnsentReason])
def test_every_reason_has_a_text(kind: type[StrEnum]) -> None:
    assert {member.value for member in kind} <= TEXTS.keys()


def test_every_code_of_a_refusal_has_a_text() -> None:
    by_session = {code_of(reason, is_business=False) for reason in SessionRejectReason}
    by_application = {code_of(reason, is_business=True) for reason in BusinessRejectReason}
    assert {*by_session, *by_application} <= TEXTS.keys()


def test_why_a_message_was_not_sent_is_told() -> None:
    dropped = {"type": "MessageDropped", "session": "MM1", "msg_type": "D", "reason": "unsendable", "detail": "no 1"}
    assert Stated(NOW, "a", dropped).text == "message of type D of the application was not sent: no 1 (unsendable)"
    full = dropped | {"reason": "queue_full", "detail": ""}
    assert Stated(NOW, "a", full).text == "message of type D of the application was not sent (queue_full)"


def changed(before: str, after: str, reason: str) -> dict[str, str]:
    return {"type": "SessionChanged", "session": "MM1", "before": before, "after": after, "reason": reason}


def test_a_story_has_times_counts_and_each_reason_once() -> None:
    steps = [
        changed("logon_received", "active", "logon_accepted"),
        changed("active", "resync_required", "sequence_gap"),
        changed("resync_required", "active", "gap_filled"),
        changed("active", "active", "reset_by_sequence_reset"),
        changed("active", "resync_required", "sequence_gap"),
        {"type": "InputIgnored", "conn": "c", "reason": "check_sum", "detail": "8=FIX.4.2|49=MM1|\x1b"},
    ]
    story = SessionStory("MM1", [Stated(NOW + at * MILLISECOND, "venue/fix", step) for at, step in enumerate(steps)])
    assert story.counts() == {
        "logons": 1,
        "gaps": 2,
        "resend requests": 0,
        "resets": 1,
        "rejects": 0,
        "ignored": 1,
    }
    lines = str(story).splitlines()
    assert lines[3] == "20231114-22:13:20.001            +1.000 ms  venue/fix  active -> resync_required (sequence_gap)"
    assert lines[7] == "20231114-22:13:20.005            +5.000 ms  venue/fix  ignored: 8=FIX.4.2|49=MM1|? (check_sum)"
    assert [line.partition(":")[0] for line in lines[9:]] == [
        "logon_accepted",
        "sequence_gap",
        "gap_filled",
        "reset_by_sequence_reset",
        "check_sum",
    ]
    row = story.rows()[1]
    assert (row["time"], row["utc"]) == (NOW + MILLISECOND, "20231114-22:13:20.001")
    assert row["meaning"] == TEXTS["sequence_gap"]


def test_what_was_ignored_is_about_whom_it_names() -> None:
    ignored = {"type": "InputIgnored", "conn": "c", "reason": "not_logon", "detail": "8=FIX.4.2|35=D|49=MM1|56=X|"}
    assert is_about("MM1", ignored)
    assert not is_about("MM", ignored)
    assert not is_about("MM1", changed("", "", "") | {"session": "MM2"})
    assert not is_about("MM1", {"type": "OrderFilled", "session": "MM1"})
