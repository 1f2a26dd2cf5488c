"""The determinism gate: the same scenario in many processes, and one digest, the one that is pinned.

    python -m tests.determinism          # compare
    python -m tests.determinism --pin    # write golden.toml anew, when a digest is meant to move

Every scenario that `scenarios/golden.toml` pins runs once on every Python found; quickstart runs there
under PYTHONHASHSEED 0, 1 and random, with and without -O. A Python other than this one gets its own
environment from requirements.lock; one that cannot have it is reported and skipped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
GOLDEN: Final = ROOT / "scenarios" / "golden.toml"
AT_ONCE: Final = 2
INSTALL_SECONDS_MAX: Final = 900
RUN_SECONDS_MAX: Final = 300
HASH_SEEDS: Final = ("0", "1", "random")
OLDEST_MINOR: Final = 11


class Pin(NamedTuple):
    """What `golden.toml` says of one scenario."""

    scenario: str
    seed: int
    digest: str


class Variant(NamedTuple):
    """One process: which Python, which scenario, under what."""

    version: str
    python: Path
    pin: Pin
    hash_seed: str = "0"
    optimised: bool = False


class Outcome(NamedTuple):
    """What a process printed as its digest, or else what went wrong."""

    variant: Variant
    digest: str
    problem: str


def pins() -> list[Pin]:
    """Every pinned scenario."""
    tables = tomllib.loads(GOLDEN.read_text())
    return [Pin(name, table["seed"], table["digest"]) for name, table in tables.items()]


def other_pythons() -> dict[str, Path]:
    """One interpreter for each supported version but this one: `{"3.12": path}`. PATH first, then pyenv's."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path.home().glob(".pyenv/versions/*/bin"), reverse=True)
    found: dict[str, Path] = {}
    for path in (path for folder in folders if folder.is_dir() for path in sorted(folder.glob("python3.*"))):
        match = re.fullmatch(r"python(3\.(\d+))", path.name)
        if match and int(match[2]) >= OLDEST_MINOR and match[1] not in found and runs(path):
            found[match[1]] = path
    found.pop(f"3.{sys.version_info.minor}", None)
    return dict(sorted(found.items(), key=lambda item: int(item[0].removeprefix("3."))))


def runs(python: Path) -> bool:
    """False for a shim that leads nowhere."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def environment(version: str, python: Path) -> Path | None:
    """The interpreter of that version's own environment, made by the Makefile; None when that fails."""
    folder = f".venv-{version}"
    command = ["make", "--silent", f"VENV={folder}", f"PYTHON={python}", f"{folder}/base"]
    _, problem = attempt(command, INSTALL_SECONDS_MAX, PIP_ONLY_BINARY=":all:")
    if problem:
        print(f"SKIPPED Python {version}: cannot install requirements.lock: {problem}")
        return None
    return ROOT / folder / "bin" / "python"


def variants(pythons: dict[str, Path], pinned: list[Pin]) -> Iterator[Variant]:
    """All that is to run."""
    for version, python in pythons.items():
        for pin in pinned:
            if pin.scenario != "quickstart":
                yield Variant(version, python, pin)
                continue
            for hash_seed in HASH_SEEDS:
                yield Variant(version, python, pin, hash_seed)
                yield Variant(version, python, pin, hash_seed, optimised=True)


def run(variant: Variant) -> Outcome:
    """Run one variant in a process of its own."""
    command = [str(variant.python), *(["-O"] if variant.optimised else [])]
    ran, problem = simulate(command, variant.pin.scenario, variant.hash_seed, "--seed", str(variant.pin.seed))
    if not problem and ran.digest != variant.pin.digest:
        problem = f"pinned is {variant.pin.digest}, not {ran.digest}"
    return Outcome(variant, ran.digest, problem)


def simulate(python: list[str], scenario: str, hash_seed: str, *arguments: str) -> tuple[Pin, str]:
    """What a run of a scenario would pin, or else what went wrong."""
    with TemporaryDirectory() as out:
        command = [*python, "-m", "sim", "run", f"scenarios/{scenario}.toml", "--json", "--out", out, *arguments]
        printed, problem = attempt(command, RUN_SECONDS_MAX, PYTHONHASHSEED=hash_seed)
    if problem:
        return Pin(scenario, 0, ""), problem
    told = json.loads(printed)
    return Pin(scenario, told["seed"], told["digest"]), ""


def attempt(command: list[str], seconds_max: int, **environ: str) -> tuple[str, str]:
    """What a command printed, and the last line of its complaint when it failed."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | environ,
            capture_output=True,
            text=True,
            timeout=seconds_max,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return "", str(error)
    if done.returncode == 0:
        return done.stdout, ""
    complaints = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("make")]
    return "", (complaints or [f"exit code {done.returncode}"])[-1]


def write_pins() -> int:
    """Pin what every scenario gives now, under its own seed; 1 when one fails."""
    scenarios = sorted(path.stem for path in GOLDEN.parent.glob("*.toml") if path != GOLDEN)
    ran = [simulate([sys.executable], scenario, "0") for scenario in scenarios]
    for pin, problem in ran:
        print(f"{pin.scenario:20}{problem or pin.digest}")
    if any(problem for _, problem in ran):
        return 1
    tables = (f'[{pin.scenario}]\nseed = {pin.seed}\ndigest = "{pin.digest}"\n' for pin, _ in ran)
    GOLDEN.write_text("# Written by `make golden`.\n\n" + "\n".join(tables))
    return 0


def compare() -> int:
    """Print the table; 1 when a run failed or has another digest than its pin."""
    pinned = pins()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        others = other_pythons()
        installed = zip(others, pool.map(environment, others, others.values()), strict=True)
        pythons = {f"3.{sys.version_info.minor}": Path(sys.executable)}
        pythons |= {version: python for version, python in installed if python}
        outcomes = list(pool.map(run, variants(pythons, pinned)))
    print(f"{'python':8}{'scenario':20}{'hash seed':11}{'-O':5}{'digest':18}ok")
    for (version, _, pin, hash_seed, optimised), digest, problem in outcomes:
        row = f"{version:8}{pin.scenario:20}{hash_seed:11}{'yes' if optimised else 'no':5}{digest[:16]:18}"
        print(row + (f"NO: {problem}" if problem else "yes"))
    wrong = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"{len(outcomes)} runs on Python {', '.join(pythons)}: {wrong} not as pinned")
    return 1 if wrong or not outcomes else 0


if __name__ == "__main__":
    sys.exit(write_pins() if sys.argv[1:] == ["--pin"] else compare())
