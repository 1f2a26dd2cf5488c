"""Where results go, when several processes want the same place at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import InputError
from sim.results.place import give_up, publish, start

FILES = ("journal/venue.romer", "tables/orders.parquet", "manifest.json")


@pytest.fixture
def umask() -> Iterator[int]:
    mask = 0o027
    before = os.umask(mask)
    yield mask
    os.umask(before)


def written(runs: Path, text: str) -> Path:
    """A whole result that says `text` everywhere."""
    place = start(runs)
    for name in FILES:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    return place


def said(place: Path) -> set[str]:
    return {(place / name).read_text() for name in FILES}


def test_a_result_takes_its_place_also_over_one_that_is_there(tmp_path: Path) -> None:
    place = tmp_path / "market" / "1-01234567"
    for text in ("one", "two"):
        publish(written(tmp_path, text), place)
        assert said(place) == {text}
    assert [path.name for path in tmp_path.iterdir()] == ["market"]


def test_of_many_that_finish_together_each_is_published_and_one_stays_whole(tmp_path: Path) -> None:
    place = tmp_path / "market" / "1-01234567"
    for attempt in range(20):
        results = [written(tmp_path, f"{attempt}.{nth}") for nth in range(8)]
        with ThreadPoolExecutor(len(results)) as threads:
            list(threads.map(lambda result: publish(result, place), results))
        (text,) = said(place)
        assert text.startswith(f"{attempt}.")
        assert [path.name for path in tmp_path.iterdir()] == ["market"]


def test_a_place_that_cannot_be_taken_leaves_the_result_where_it_is(tmp_path: Path) -> None:
    result = written(tmp_path, "one")
    (tmp_path / "market").write_text("a file")
    with pytest.raises(InputError, match=r"1-01234567: .* \(the result is whole, in .*unfinished-"):
        publish(result, tmp_path / "market" / "1-01234567")
    assert said(result) == {"one"}


def test_a_directory_has_the_rights_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    place = start(tmp_path / "runs")
    assert place.stat().st_mode & 0o777 == (tmp_path / "runs").stat().st_mode & 0o777 == 0o777 & ~umask


def test_a_run_that_failed_keeps_its_evidence_and_nothing_else(tmp_path: Path) -> None:
    give_up(start(tmp_path), "journal")
    assert not list(tmp_path.iterdir())
    give_up(written(tmp_path, "one"), "journal")
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("failed-")
    assert said(kept) == {"one"}
