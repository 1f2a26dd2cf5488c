"""The determinism gate: the same scenario in many processes, and one digest, the one that is pinned.

    python -m tests.determinism          # compare
    python -m tests.determinism --pin    # move the pins, when they are meant to move

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
    pin = variant.pin
    with TemporaryDirectory() as out:
        command = [str(variant.python), *(["-O"] if variant.optimised else []), "-m", "sim"]
        command += ["run", f"scenarios/{pin.scenario}.toml", "--seed", str(pin.seed), "--json", "--out", out]
        printed, problem = attempt(command, RUN_SECONDS_MAX, PYTHONHASHSEED=variant.hash_seed)
    if problem:
        return Outcome(variant, "", problem)
    digest = json.loads(printed)["digest"]
    return Outcome(variant, digest, "" if digest == pin.digest else f"{digest} is not the pinned {pin.digest}")


def attempt(command: list[str], seconds_max: int, **environ: str) -> tuple[str, str]:
    """What a command printed, and the end of its complaint when it failed."""
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
    return "", " ".join(complaints[-2:]) or f"exit code {done.returncode}"


def repin() -> int:
    """Write the digests that the pinned scenarios have now; 1 when one does not run."""
    outcomes = [run(Variant("", Path(sys.executable), pin)) for pin in pins()]
    for (*_, pin, _, _), digest, problem in outcomes:
        print(f"{pin.scenario:20}{digest or problem}")
    if not all(digest for _, digest, _ in outcomes):
        return 1
    pinned = [(variant.pin.scenario, variant.pin.seed, digest) for variant, digest, _ in outcomes]
    tables = (f'\n[{scenario}]\nseed = {seed}\ndigest = "{digest}"\n' for scenario, seed, digest in pinned)
    GOLDEN.write_text(GOLDEN.read_text().partition("\n[")[0] + "".join(tables))
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
    sys.exit(repin() if sys.argv[1:] == ["--pin"] else compare())
