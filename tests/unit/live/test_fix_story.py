"""`romer-live fix explain`: a session's life out of its node's journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from live.cli import main
from live.fix_story import explain_session
from tests.helpers.storms import Storm


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    storm = Storm(3)
    storm.run()
    folder = tmp_path_factory.mktemp("journal")
    storm.venue.node.kernel.journal.flush()  # type: ignore[union-attr]
    (folder / "000001.romer").write_bytes(storm.venue.disk.getvalue())
    return folder


def test_a_stormy_life_is_told_with_gaps_resends_and_what_was_ignored(journal: Path) -> None:
    story = explain_session(journal, "MM1")
    counts = story.counts()
    assert min(counts["logons"], counts["gaps"], counts["resend requests"]) > 0
    asked = [stated.text for stated in story.stated if stated.kind == "ResendAsked"]
    assert any(text.startswith("this side asks for messages again: ") for text in asked)
    assert [stated.time for stated in story.stated] == sorted(stated.time for stated in story.stated)
    assert "sequence_gap: A MsgSeqNum was too high" in str(story)


def test_the_command_tells_it_and_names_what_there_is(journal: Path) -> None:
    told = CliRunner().invoke(main, ["fix", "explain", str(journal), "MM1"])
    assert told.exit_code == 0
    assert told.stdout.startswith("session MM1: ")
    unknown = CliRunner().invoke(main, ["fix", "explain", str(journal), "MM2"])
    assert unknown.exit_code == 2
    assert "did you mean MM1?" in unknown.stderr
