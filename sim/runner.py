"""Runs one scenario file from beginning to end and keeps what came of it."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter_ns

from core.kernel.journal import Header, Sink
from sim.results.manifest import Manifest, provenance
from sim.results.place import give_up, start
from sim.results.result import RunResult
from sim.scenario.load import Loaded, load
from sim.scenario.recorded import recordings
from sim.simulation import Progress, Simulation, Watch

JOURNALS = "journal"


def run(
    source: Path | str,
    *,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    out: Path | str | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> RunResult:
    """Run a scenario file; `seed` and `path=value` overrides replace what it says.

    With `out`, everything is written to `<out>/<scenario>/<seed>-<digest8>/`; without, nothing is.
    Ctrl-C ends the run in order: what happened until then is written, and marked as interrupted unless
    the market had closed already. A second Ctrl-C stops at once.

    Raises InputError for a scenario that cannot be used, FactViolated when a checker objects and
    ComponentFailed for a bug; with `out`, the journals up to that point stay in a `failed-` directory.
    """
    loaded = load(source, seed=seed, overrides=overrides)
    command = _command(source, seed, overrides)
    with _ctrl_c() as pressed:

        def watch(progress: Progress) -> bool:
            on_progress(progress)
            return not pressed.is_set()

        if out is None:
            return _simulate(loaded, command, lambda _node: None, watch)
        return _write(loaded, command, Path(out), watch)


def _write(loaded: Loaded, command: str, runs: Path, watch: Watch) -> RunResult:
    place = start(runs)
    try:
        with ExitStack() as files:
            result = _simulate(loaded, command, lambda node: _open(files, place, node), watch)
        result.write(place)
    except Exception:
        give_up(place, JOURNALS)
        raise
    result.publish(runs)
    return result


def _simulate(loaded: Loaded, command: str, sinks: Callable[[str], Sink | None], watch: Watch) -> RunResult:
    scenario, code = loaded.scenario, provenance()
    header = Header(
        node="",
        seed=scenario.run.seed,
        config=b"",
        config_hash=loaded.hash,
        commit=code.commit,
        versions=tuple(code.versions.items()),
    )
    started = perf_counter_ns()
    simulation = Simulation(scenario, recordings(loaded), header, sinks)
    whole = simulation.run(watch)
    manifest = Manifest(
        name=loaded.name,
        seed=scenario.run.seed,
        command=command,
        scenario=json.loads(loaded.text),
        scenario_hash=loaded.hash,
        digest=simulation.digest(),
        digests=simulation.digests(),
        began=simulation.began,
        ended=int(simulation.env.now),
        deliveries=simulation.deliveries,
        wall_time=perf_counter_ns() - started,
        interrupted=not whole,
        provenance=code,
    )
    return RunResult.of(manifest, simulation.notes, simulation.fix.carried)


def _open(files: ExitStack, place: Path, node: str) -> Sink:
    path = place / JOURNALS / f"{node}.romer"
    path.parent.mkdir(exist_ok=True)
    return files.enter_context(path.open("xb"))


def _command(source: Path | str, seed: int | None, overrides: Sequence[str]) -> str:
    words = ["romer-sim", "run", str(source)]
    if seed is not None:
        words += ["--seed", str(seed)]
    for override in overrides:
        words += ["--set", override]
    return shlex.join(words)


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; a second one is a KeyboardInterrupt. Inert outside the main thread."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def press(_signal: int, _frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    usual = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, usual)
