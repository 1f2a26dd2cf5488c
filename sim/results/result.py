"""The result of a run: the same object from the run itself and from the directory that it left.

manifest.json         what was run; written last, so a directory without it is not whole
summary.json          the outcome in numbers
report.html           the outcome for people, in one file
tables/<name>.parquet
plots/<name>.png
journal/<node>.romer  written by the run
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError
from sim.results.columns import columns_of, schema_of, to_frame
from sim.results.desk.kind import DeskKind
from sim.results.facts import Noted
from sim.results.kind import Kind, Outcome
from sim.results.manifest import MANIFEST, Manifest
from sim.results.place import publish
from sim.results.rows import Row
from sim.results.stored import StoredTables, read_manifest
from sim.results.summary import as_data, as_text
from sim.results.venue_kind import VenueKind
from sim.results.wire import Carried

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.metrics import Metrics
    from sim.results.plots import Plots

REPORT: Final = "report.html"


class RunResult:
    """Tables as DataFrames (made when first asked for), measures, pictures, and how it was made.

    In the frames money is float64 and an integer that may be missing is `Int64`; the files, and
    `table`, have money exact. `dir` is the directory of the run, None if nothing was written.
    """

    def __init__(self, manifest: Manifest, tables: Mapping[str, pa.Table], directory: Path | None = None) -> None:
        self.manifest = manifest
        self.dir = directory
        self.kind = kind_of(manifest)
        self._tables = tables

    @classmethod
    def of(cls, manifest: Manifest, notes: Sequence[Noted], carried: Sequence[Carried] = ()) -> RunResult:
        """The result of a run that stated these facts and whose FIX engines wrote these messages."""
        return cls(manifest, kind_of(manifest).build(notes, carried))

    @property
    def digest(self) -> str:
        """Equal for equal runs, and for nothing else."""
        return self.manifest.digest

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row per order; `describe("orders")` says what each column means."""
        return self._frame("orders")

    @cached_property
    def bids(self) -> pd.DataFrame:
        """One row per bid."""
        return self._frame("bids")

    @cached_property
    def commitments(self) -> pd.DataFrame:
        """One row per commitment."""
        return self._frame("commitments")

    @cached_property
    def blocks(self) -> pd.DataFrame:
        """One row per sealed block."""
        return self._frame("blocks")

    @cached_property
    def placements(self) -> pd.DataFrame:
        """One row per message of a block."""
        return self._frame("placements")

    @cached_property
    def fills(self) -> pd.DataFrame:
        """One row per fill, of a venue's order or of an index desk's exchange order."""
        return self._frame("fills")

    @cached_property
    def escrow(self) -> pd.DataFrame:
        """One row per transfer on the venue's ledger."""
        return self._frame("escrow")

    @cached_property
    def fix_messages(self) -> pd.DataFrame:
        """One row per FIX message."""
        return self._frame("fix_messages")

    @cached_property
    def latency(self) -> pd.DataFrame:
        """One row per wait that was measured."""
        return self._frame("latency")

    @cached_property
    def notes(self) -> pd.DataFrame:
        """Every fact that was stated, in order."""
        return self._frame("notes")

    @cached_property
    def index_orders(self) -> pd.DataFrame:
        """One row per index order."""
        return self._frame("index_orders")

    @cached_property
    def index_fills(self) -> pd.DataFrame:
        """One row per report on an index order."""
        return self._frame("index_fills")

    @cached_property
    def index_batches(self) -> pd.DataFrame:
        """One row per batch of the index desk."""
        return self._frame("index_batches")

    @cached_property
    def exchange_orders(self) -> pd.DataFrame:
        """One row per exchange order of the index desk."""
        return self._frame("exchange_orders")

    @cached_property
    def lots(self) -> pd.DataFrame:
        """One row per step of a lot."""
        return self._frame("lots")

    @cached_property
    def collateral(self) -> pd.DataFrame:
        """One row per movement of collateral."""
        return self._frame("collateral")

    @cached_property
    def hops(self) -> pd.DataFrame:
        """One row per step of money on its way over a hop."""
        return self._frame("hops")

    @cached_property
    def invoices(self) -> pd.DataFrame:
        """One row per invoice."""
        return self._frame("invoices")

    @cached_property
    def chain_events(self) -> pd.DataFrame:
        """One row per event of the chain that index tokens live on."""
        return self._frame("chain_events")

    @cached_property
    def reconciliations(self) -> pd.DataFrame:
        """One row per comparison with the account at the exchange, and per asset that differs or does so no more."""
        return self._frame("reconciliations")

    @cached_property
    def nav(self) -> pd.DataFrame:
        """One row per index and look at its value."""
        return self._frame("nav")

    @cached_property
    def quotes(self) -> pd.DataFrame:
        """One row per answer to a request for a quote."""
        return self._frame("quotes")

    @cached_property
    def disputes(self) -> pd.DataFrame:
        """One row per thing that cannot be, or should not, and has to be looked at."""
        return self._frame("disputes")

    @cached_property
    def metrics(self) -> Metrics:
        """Measures, one DataFrame each."""
        from sim.results.metrics import Metrics  # noqa: PLC0415  # pandas is slow to import

        return Metrics(self)

    @cached_property
    def plot(self) -> Plots:
        """Pictures; each method returns a matplotlib Axes."""
        from sim.results.plots import Plots  # noqa: PLC0415  # so is matplotlib

        return Plots(self)

    @cached_property
    def outcome(self) -> Outcome:
        """The run in a dozen numbers: a `Summary` or, of an index desk, a `DeskSummary`."""
        return self.kind.summarise(self._tables)

    @property
    def summary(self) -> dict[str, Any]:
        """The run and its outcome as plain data, as `--json` prints it."""
        return as_data(self.manifest, self.outcome)

    def __str__(self) -> str:
        return as_text(self.manifest, self.outcome, str(self.dir / REPORT) if self.dir else "")

    def table(self, name: str) -> pa.Table:
        """A table as in its file, money exact. Raises InputError for a name that no table has."""
        self._row(name)
        return self._tables[name]

    def describe(self, name: str) -> pd.DataFrame:
        """The columns of a table: name, type in the file, unit, meaning."""
        import pandas as pd  # noqa: PLC0415

        row = self._row(name)
        schema = schema_of(row)
        rows = [(c.name, str(schema.field(c.name).type), c.unit, c.meaning) for c in columns_of(row)]
        return pd.DataFrame(rows, columns=["column", "type", "unit", "meaning"])

    def write(self, directory: Path) -> None:
        """Write everything but the journals below `directory`, the manifest last."""
        self.dir = directory
        tables, manifest = directory / "tables", directory / MANIFEST
        tables.mkdir(parents=True, exist_ok=True)
        manifest.unlink(missing_ok=True)
        for name in self.kind.TABLES:
            pq.write_table(self._tables[name], tables / f"{name}.parquet", compression="zstd")
        self.write_report(directory)
        unfinished = manifest.with_suffix(".tmp")
        unfinished.write_bytes(_json(self.manifest))
        unfinished.replace(manifest)

    def publish(self, runs: Path) -> None:
        """Move what was written to its place below `runs`, instead of an equal run that is there already.

        Raises InputError where that cannot be done; the result stays where it is.
        """
        assert self.dir is not None
        place = runs / self.manifest.run_name
        publish(self.dir, place)
        self.dir = place

    def write_report(self, directory: Path) -> None:
        """Write what is drawn from the tables: summary, pictures and report."""
        pictures = self.plot.render_all()
        (directory / "plots").mkdir(exist_ok=True)
        for picture, png in pictures.items():
            (directory / "plots" / f"{picture}.png").write_bytes(png)
        (directory / "summary.json").write_bytes(_json(self.outcome))
        (directory / REPORT).write_text(self.kind.report(self, pictures), encoding="utf-8")

    def _frame(self, name: str) -> pd.DataFrame:
        return to_frame(self._row(name), self._tables[name])

    def _row(self, name: str) -> type[Row]:
        if name not in self.kind.TABLES:
            raise InputError(f"no table `{name}` in this run", f"one of {', '.join(self.kind.TABLES)}")
        return self.kind.TABLES[name]


def load(directory: Path) -> RunResult:
    """The result that a run left in `directory`, with equal frames.

    Raises InputError when it is not a run directory, not whole, or of another format.
    """
    manifest = read_manifest(directory)
    return RunResult(manifest, StoredTables(directory / "tables", kind_of(manifest).TABLES), directory)


def kind_of(manifest: Manifest) -> Kind:
    """What kind of run it was."""
    return DeskKind() if "desk" in manifest.scenario else VenueKind()


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
