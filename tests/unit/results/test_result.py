from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.errors import InputError
from sim.results.result import RunResult, load
from sim.results.rows import TABLES
from tests.unit.results.markets import small_market
from tests.unit.results.stories import manifest


def test_a_loaded_result_equals_the_one_that_was_written(small: RunResult, written: Path) -> None:
    loaded = load(written)
    assert loaded.manifest == small.manifest
    assert loaded.summary == small.summary
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(small, name))


def test_a_directory_holds_everything_and_nothing_unfinished(written: Path) -> None:
    found = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    pictures = ("surplus", "time_to_fill", "timeline", "bid_ladder", "solver_share", "batches", "escrow")
    assert found == {
        "manifest.json",
        "summary.json",
        "report.html",
        *(f"tables/{name}.parquet" for name in TABLES),
        *(f"plots/{name}.png" for name in pictures),
    }


def test_equal_runs_leave_equal_bytes(written: Path, tmp_path: Path) -> None:
    RunResult.of(manifest(wall_time=7), small_market()).write(tmp_path)
    for path in written.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / path.relative_to(written)).read_bytes(), path.name


def test_tables_are_compressed_and_exact_in_their_files(written: Path) -> None:
    file = pq.ParquetFile(written / "tables" / "orders.parquet")
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert str(file.schema_arrow.field("surplus_quote").type) == "decimal128(38, 18)"


def test_an_empty_run_can_be_written_and_read(tmp_path: Path) -> None:
    RunResult.of(manifest(), []).write(tmp_path)
    loaded = load(tmp_path)
    assert loaded.orders.empty
    assert loaded.summary["summary"]["orders"] == 0


def test_a_write_that_was_killed_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            RunResult.of(manifest(), []).write(tmp_path)
    with pytest.raises(InputError, match=r"no manifest.json .*killed"):
        load(tmp_path)


def test_a_report_made_anew_from_the_files_is_the_same_and_leaves_the_tables_alone(written: Path) -> None:
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in written.rglob("*") if path.is_file()}
    load(written).write_report(written)
    assert {path: path.read_bytes() for path in before} == {path: data for path, (data, _) in before.items()}
    kept = [path for path, (_, changed) in before.items() if path.stat().st_mtime_ns == changed]
    assert {path.name for path in kept} == {"manifest.json", *(f"{name}.parquet" for name in TABLES)}


@pytest.mark.parametrize(("text", "message"), [("{", "manifest.json: "), ("{}", "missing required field")])
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=message):
        load(tmp_path)


def test_a_file_is_no_run_directory(written: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"a file, not the directory of a run \(did you mean {written}\?\)"):
        load(written / "report.html")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"a file, not the directory of a run \(give a directory"):
        load(tmp_path / "notes.txt")


def test_a_directory_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such directory \(give a directory"):
        load(tmp_path / "nowhere")


def test_a_directory_of_runs_is_none_but_says_what_is_in_it(tmp_path: Path) -> None:
    runs = [manifest(seed=seed) for seed in (1, 2)]
    for each in runs:
        RunResult.of(each, []).write(tmp_path / each.run_name)
    first = tmp_path / runs[0].run_name
    for directory in (tmp_path, first.parent):
        with pytest.raises(InputError, match=rf"no manifest.json \(give one run, such as {first}\)"):
            load(directory)
    with pytest.raises(InputError, match=rf"no manifest.json \(did you mean {first}\?\)"):
        load(first / "tables")
    with pytest.raises(InputError, match=rf"a file, not the directory of a run \(did you mean {first}\?\)"):
        load(first / "tables" / "orders.parquet")


def test_a_directory_of_something_else_gets_no_hint_at_what_happens_to_be_in_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "extension"
    elsewhere.mkdir()
    (elsewhere / "manifest.json").write_text('{"manifest_version": 3}')
    RunResult.of(manifest(), []).write(tmp_path / "a copy of a run")
    with pytest.raises(InputError, match=r"no manifest.json \(give a directory that `romer-sim run` made; a run that"):
        load(tmp_path)
    with pytest.raises(InputError, match=r"manifest.json: not the manifest of a run: .* \(give a directory"):
        load(elsewhere)


def test_a_directory_of_journals_alone_says_who_reads_those(tmp_path: Path) -> None:
    (tmp_path / "venue").mkdir()
    (tmp_path / "venue" / "000001.romer").touch()
    for directory in (tmp_path, tmp_path / "venue"):
        with pytest.raises(InputError, match=rf"journals alone, and `romer-sim replay {directory}` reads those"):
            load(directory)


def test_a_directory_of_another_format_is_refused(written: Path, tmp_path: Path) -> None:
    data = json.loads((written / "manifest.json").read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps(data | {"format": 99}))
    with pytest.raises(InputError, match="format 99"):
        load(tmp_path)


def test_a_table_that_is_missing_damaged_or_of_other_columns_is_named(tmp_path: Path) -> None:
    RunResult.of(manifest(), []).write(tmp_path)
    tables = tmp_path / "tables"
    (tables / "orders.parquet").unlink()
    (tables / "bids.parquet").write_bytes(b"not a table")
    (tables / "fills.parquet").write_bytes((tables / "blocks.parquet").read_bytes())
    for name in ("orders", "bids", "fills"):
        with pytest.raises(InputError, match=rf"{name}\.parquet"):
            load(tmp_path).table(name)


def test_a_published_run_takes_its_place_also_over_an_equal_one(tmp_path: Path) -> None:
    for attempt in ("one", "two"):
        result = RunResult.of(manifest(command=attempt), [])
        result.write(tmp_path / f"unfinished-{attempt}")
        result.publish(tmp_path)
        assert result.dir == tmp_path / "quickstart" / "1-01234567"
        assert load(result.dir).manifest.command == attempt
    assert [path.name for path in tmp_path.iterdir()] == ["quickstart"]


def test_describe_says_what_each_column_means(small: RunResult) -> None:
    described = small.describe("orders").set_index("column")
    assert list(described.index) == list(small.orders.columns)
    assert described.loc["surplus_quote", "unit"] == "quote"
    with pytest.raises(InputError, match=r"no table `oders` in this run \(one of orders"):
        small.describe("oders")
    with pytest.raises(InputError, match="no table"):
        small.table("oders")


def test_a_result_prints_its_summary_and_where_the_report_is(small: RunResult, written: Path) -> None:
    assert "1 filled" in str(small)
    assert str(written / "report.html") in str(load(written))
