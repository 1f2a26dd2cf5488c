"""docs/live.md names what live mode has, and its example is a venue that could be served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from core.config import DoorsConfig, FixConfig
from live.cli import main
from live.commands.exits import Exit
from live.observe.http import Health
from live.venue_file import SignerSection, VenueFile, read
from tests.helpers.markdown import Section, codes
from tests.helpers.markdown import read as read_document
from tests.helpers.schema import Key, keys

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = read_document(ROOT / "docs" / "live.md")
SECTIONS: Final = {section.title: section for section in GUIDE.sections()}
TABLES: Final[dict[str, Any]] = {
    f"`[{info.encode_name}]`": info.type for info in msgspec.structs.fields(VenueFile) if info.encode_name != "venue"
} | {"`[signer]`": SignerSection, "`[venue.fix]`": FixConfig, "`[venue.doors]`": DoorsConfig}


def rows(section: Section) -> list[dict[str, str]]:
    (table,) = section.tables()
    return table


@pytest.mark.parametrize("title", TABLES)
def test_every_key_of_a_venue_file_has_its_type_and_default(title: str) -> None:
    documented = {codes(row["Key"])[0]: Key(row["Type"].split(",")[0], row["Default"]) for row in rows(SECTIONS[title])}
    assert documented == keys(TABLES[title])


def test_the_example_is_a_venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S1_TOKEN", "open sesame")
    (example,) = (fence.text for fence in GUIDE.fences() if fence.words == ["toml", "venue"])
    (tmp_path / "venue.toml").write_text(example)
    assert read(tmp_path / "venue.toml")[1] == []


def test_every_exit_code_is_listed() -> None:
    listed = [(int(row["Code"]), *codes(row["Name"])) for row in rows(SECTIONS["Exit codes"])]
    assert listed == [(code.value, code.name) for code in Exit]


def test_every_command_is_listed() -> None:
    listed = [codes(row["Command"])[0].split()[1] for row in rows(SECTIONS["The command line"])]
    assert sorted(listed) == sorted(main.commands)


def test_every_metric_is_listed() -> None:
    listed = [codes(row["Metric"])[0].removesuffix("_total") for row in rows(SECTIONS["Metrics"])]
    sources = "".join(path.read_text() for path in (ROOT / "live").rglob("*.py"))
    assert sorted(listed) == sorted(set(re.findall(r'"(romer_[a-z_]+)"', sources)))


def test_every_health_is_named() -> None:
    assert set(codes(SECTIONS["Metrics"].body)) >= {str(health) for health in Health}
