"""`romer-live fix explain`: a session's life out of its node's journal."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from simpy import Environment

from core.units import SECOND
from live.cli import main
from live.fix_story import explain_session
from tests.helpers.fix import LOGON, NOW, Hand, acceptor_config
from tests.helpers.storms import BadNetwork, Ghost, Mortal, Storm


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


def test_resend_requests_are_found_however_they_were_cut(tmp_path: Path) -> None:
    env, network = Environment(NOW), BadNetwork(Random(1))
    venue, ghost, peer = Mortal(env, network, "venue", acceptor_config()), Ghost(), Hand(acceptor_config())
    network.connect(NOW, ghost, "", "c", "venue/fix")
    peer.number = 1
    said = peer.compose("A", LOGON) + peer.compose("2", "7=1|16=0") + peer.compose("0", n=9)
    said += peer.compose("2", "7=1|16=1", n=10) + peer.compose("2", "7=2|16=2", n=11)
    for at in range(0, len(said), 40):
        network.transmit(NOW + at, ghost, "c", said[at : at + 40])
    env.run(until=NOW + SECOND)
    venue.node.kernel.journal.flush()  # type: ignore[union-attr]
    (tmp_path / "000001.romer").write_bytes(venue.disk.getvalue())
    told = [stated.text for stated in explain_session(tmp_path, "MM1").stated if stated.kind == "ResendAsked"]
    assert told == [
        "the peer asks for messages again: 1 to 0",
        "this side asks for messages again: 3 to 0",
        "the peer asks for messages again: 1 to 1",
        "the peer asks for messages again: 2 to 2",
    ]


def test_the_command_tells_it_and_names_what_there_is(journal: Path) -> None:
    told = CliRunner().invoke(main, ["fix", "explain", str(journal), "MM1"])
    assert told.exit_code == 0
    assert told.stdout.startswith("session MM1: ")
    assert told.stdout.splitlines()[2].startswith("20231114-22:13:2")
    unknown = CliRunner().invoke(main, ["fix", "explain", str(journal), "MM2"])
    assert unknown.exit_code == 2
    assert "did you mean MM1?" in unknown.stderr
