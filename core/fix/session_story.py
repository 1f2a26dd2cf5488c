"""The life of a FIX session in words, from the facts that its engine has stated, wherever they were kept.

What a reason means, and what to do about it, is said once at the end; the words are those of docs/reasons.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from core.fix.reason_texts import TEXTS
from core.fix.timestamps import format_timestamp
from core.units import MILLISECOND, Nanos

RESEND_ASKED: Final = "ResendAsked"
"""No fact but a message: who asked (`by`) for which numbers (`begin`, `end`; 0 is all that follow)."""
_WORDS: Final = {
    "SessionChanged": "{before} -> {after}",
    "InputIgnored": "ignored: {detail}",
    "MessageRejected": "message {msg_seq_num} of type {msg_type} rejected: {text}",
    "PeerComplained": "the peer complains with a message of type {msg_type}: {text}",
    "LogonRefused": "logon not believed: {detail}",
    "LogonConcluded": "logon concluded",
    "OperationDone": "operator: {operation}",
    "OperationRefused": "operator: {operation} refused: {detail}",
    "MessageDropped": "message of type {msg_type} of the application was not sent: {detail}",
    RESEND_ASKED: "{by} asks for messages again: {begin} to {end}",
}
KINDS: Final = frozenset(_WORDS)
"""Types of the facts that a session's life is told by."""


class Stated(msgspec.Struct, frozen=True):
    """A fact with its time and place; `fact` has its type under `type`."""

    time: Nanos
    place: str
    fact: Mapping[str, Any]

    @property
    def utc(self) -> str:
        """Its time as FIX writes it."""
        return format_timestamp(self.time)

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.fact["type"])

    @property
    def reason(self) -> str:
        """Its reason code; empty without."""
        return str(self.fact.get("reason") or "")

    @property
    def text(self) -> str:
        """The fact as a sentence, its code in brackets."""
        words = _WORDS[self.kind].format_map(_Missing(self.fact)).removesuffix(": ")
        return f"{words} ({self.reason})" if self.reason else words


class _Missing(dict[str, Any]):
    """Fields that a fact has left out, because they have their defaults."""

    def __missing__(self, _key: str) -> str:
        return ""


class SessionStory(msgspec.Struct, frozen=True):
    """All that happened to one session, in order."""

    session: str
    stated: list[Stated]

    def counts(self) -> dict[str, int]:
        """How often the session did what people ask about."""
        changed = Counter(stated.reason for stated in self.stated if stated.kind == "SessionChanged")
        kinds = Counter(stated.kind for stated in self.stated)
        return {
            "logons": changed["logon_accepted"],
            "gaps": changed["sequence_gap"],
            "resend requests": kinds[RESEND_ASKED],
            "resets": sum(count for reason, count in changed.items() if reason.startswith("reset_")),
            "rejects": kinds["MessageRejected"],
            "ignored": kinds["InputIgnored"],
        }

    def __str__(self) -> str:
        began = self.stated[0].time
        wide = max(len(stated.place) for stated in self.stated)
        counts = ", ".join(f"{count} {what}" for what, count in self.counts().items())
        lines = [f"session {self.session}: {counts}", ""]
        lines += [
            f"{stated.utc}  {(stated.time - began) / MILLISECOND:+16,.3f} ms  {stated.place:<{wide}}  {stated.text}"
            for stated in self.stated
        ]
        reasons = dict.fromkeys(stated.reason for stated in self.stated if stated.reason in TEXTS)
        lines += ["", *(f"{reason}: {TEXTS[reason]}" for reason in reasons)]
        return "\n".join("".join(char if char.isprintable() else "?" for char in line) for line in lines)

    def rows(self) -> list[dict[str, Any]]:
        """The story as plain data."""
        return [
            {
                "time": stated.time,
                "utc": stated.utc,
                "place": stated.place,
                "kind": stated.kind,
                "reason": stated.reason or None,
                "meaning": TEXTS.get(stated.reason),
                "text": stated.text,
                "fact": dict(stated.fact),
            }
            for stated in self.stated
        ]


def is_about(session: str, fact: Mapping[str, Any]) -> bool:
    """Whether a fact is about `session`: it names it, or what was ignored has it as a CompID."""
    if fact["type"] not in KINDS:
        return False
    named = re.search(rf"\|(?:49|56)={re.escape(session)}\|", str(fact.get("detail", "")))
    return fact.get("session") == session or (fact["type"] == "InputIgnored" and named is not None)
