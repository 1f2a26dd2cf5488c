"""Runs one scenario file from beginning to end and keeps what came of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter_ns

from core.kernel.journal import Header, Sink
from sim.course import Progress, Watch
from sim.desk_simulation import DeskSimulation
from sim.interrupt import CtrlC, OnInterrupt, Stage, StoppedAtOnce, ctrl_c
from sim.results.manifest import Manifest, provenance
from sim.results.place import abandon, give_up, start
from sim.results.result import RunResult
from sim.scenario.desk import DeskScenario
from sim.scenario.files import path_of
from sim.scenario.load import Loaded, load
from sim.scenario.recorded import recordings
from sim.simulation import Simulation

JOURNALS = "journal"


def run(
    source: Path | str,
    *,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    out: Path | str | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_interrupt: OnInterrupt = lambda _stage: None,
) -> RunResult:
    """Run a scenario file; `seed` and `path=value` overrides replace what it says.

    With `out`, everything is written to `<out>/<scenario>/<seed>-<digest8>/`; without, nothing is.
    Ctrl-C ends the run in order, and `on_interrupt` hears at which stage: what happened until then is written,
    and marked as interrupted unless the market had closed already. A second Ctrl-C stops at once, with a
    KeyboardInterrupt that says what was left in an `unfinished-` directory.

    Raises InputError for a scenario that cannot be used, FactViolated when a checker objects and
    ComponentFailed for a bug; with `out`, the journals up to that point stay in a `failed-` directory.
    """
    runs = None if out is None else path_of("out", out)
    loaded = load(source, seed=seed, overrides=overrides)
    command = _command(source, seed, overrides)
    with ctrl_c(on_interrupt) as interrupt:

        def watch(progress: Progress) -> bool:
            on_progress(progress)
            return not interrupt.pressed

        if runs is None:
            return _simulate(loaded, command, lambda _node: None, watch, interrupt)
        return _write(loaded, command, runs, watch, interrupt)


def _write(loaded: Loaded, command: str, runs: Path, watch: Watch, interrupt: CtrlC) -> RunResult:
    place = start(runs)
    try:
        with ExitStack() as files:
            result = _simulate(loaded, command, lambda node: _open(files, place, node), watch, interrupt)
        result.write(place)
        interrupt.stage = Stage.PUBLISHING
    except KeyboardInterrupt:
        left = f"{place} holds journals but no whole result, and can be deleted"
        raise StoppedAtOnce(left if abandon(place, JOURNALS) else "nothing was left behind") from None
    except Exception:
        give_up(place, JOURNALS)
        raise
    result.publish(runs)
    return result


def _simulate(
    loaded: Loaded, command: str, sinks: Callable[[str], Sink | None], watch: Watch, interrupt: CtrlC
) -> RunResult:
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
    simulation = _course(loaded, header, sinks)
    whole = simulation.run(watch)
    interrupt.stage = Stage.RESULTS
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
    carried = simulation.fix.carried if isinstance(simulation, Simulation) else ()
    return RunResult.of(manifest, simulation.notes, carried)


def _course(loaded: Loaded, header: Header, sinks: Callable[[str], Sink | None]) -> Simulation | DeskSimulation:
    scenario = loaded.scenario
    if isinstance(scenario, DeskScenario):
        return DeskSimulation(scenario, recordings(loaded), header, sinks)
    return Simulation(scenario, recordings(loaded), header, sinks)


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
