"""The settings that docs/fix.md lists are those that there are, with their defaults and QuickFIX's names."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.config import MemberSessionOptions
from core.fix.quickfix_names import KNOWN, ONLY, SESSION_KEYS, VALIDATION_KEYS, WITHOUT_EFFECT, WITHOUT_PLACE
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.validation import Validation
from core.units import format_duration
from tests.helpers.markdown import codes, read

DOCUMENT = read(Path(__file__).parents[3] / "docs" / "fix.md")
ROWS = [row for section in DOCUMENT.sections() for rows in section.tables() if "Key" in rows[0] for row in rows]
BY_KEY = {key: row for row in ROWS for key in codes(row["Key"])}


@pytest.mark.parametrize("kind", [SessionConfig, EngineConfig, Validation])
def test_every_key_is_listed(kind: type[msgspec.Struct]) -> None:
    assert {field.name for field in msgspec.structs.fields(kind)} <= BY_KEY.keys()


def test_no_other_key_is_listed() -> None:
    kinds = (SessionConfig, EngineConfig, Validation)
    assert BY_KEY.keys() == {field.name for kind in kinds for field in msgspec.structs.fields(kind)}


def test_the_defaults_are_those_of_the_code() -> None:
    for kind in (SessionConfig, Validation):
        for field in msgspec.structs.fields(kind):
            listed, default = BY_KEY[field.name]["Default"], field.default
            if isinstance(default, bool):
                assert listed == ("yes" if default else "no"), field.name
            elif isinstance(default, int):
                is_span = not field.name.endswith(("max", "size", "batch")) or field.name in (
                    "heartbeat_interval_max",
                    "latency_max",
                    "reconnect_interval_max",
                )
                shown = format_duration(default).replace("ms", " ms") if is_span else f"{default:,}"
                shown = shown if shown.endswith(" ms") or not is_span else shown.replace("s", " s")
                assert listed.split(", ")[0] == shown, field.name


def test_what_a_venue_can_set_is_a_key_of_a_session_or_its_strictness() -> None:
    names = {field.name for field in msgspec.structs.fields(MemberSessionOptions)}
    assert names - {"dictionary", "schedule"} <= BY_KEY.keys()


def test_names_of_quickfix_stand_beside_their_keys() -> None:
    for name, key in (*SESSION_KEYS.items(), *VALIDATION_KEYS.items()):
        listed = [code for row in ROWS if key.name in codes(row["Key"]) for code in codes(row["QuickFIX"])]
        assert name in listed, name


def test_every_name_of_quickfix_is_mentioned() -> None:
    assert set(KNOWN) <= set(codes(DOCUMENT.text))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (ONLY, "**One value is how it is here,**"),
        (WITHOUT_PLACE, "**No place here,**"),
        (WITHOUT_EFFECT, "**No effect,**"),
    ],
)
def test_names_without_a_key_are_listed_as_such(names: dict[str, object], words: str) -> None:
    (paragraph,) = (block for block in DOCUMENT.text.split("\n\n") if block.startswith(words))
    assert set(codes(paragraph)) == set(names)
