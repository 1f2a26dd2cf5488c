"""What was run, with what, and what came of it: all that is needed to run it again and compare."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from core.units import Nanos

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
"""Its file in a run directory."""
_PACKAGES: Final = ("romer", "msgspec", "numpy", "pandas", "pyarrow", "simpy")
_ROOT: Final = Path(__file__).parents[2]


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The code and the machine of a run. `commit` is empty when the code is not a git checkout."""

    commit: str
    dirty: bool
    python: str
    platform: str
    versions: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The first file to read in a run directory, and the last one written: without it the rest is not whole.

    `scenario` is the scenario in full, as the run used it, and `scenario_hash` the hash of that;
    `began` and `ended` are instants of the virtual clock, `wall_time` is what the run took; `digests`
    are those of the nodes, in the order of the wiring, and `digest` combines them. `interrupted` says
    that a person stopped the run before its end. `command` runs it again.
    """

    name: str
    seed: int
    command: str
    scenario: dict[str, Any]
    scenario_hash: str
    digest: str
    digests: dict[str, str]
    began: Nanos
    ended: Nanos
    deliveries: int
    wall_time: Nanos
    interrupted: bool = False
    provenance: Provenance
    format: int = FORMAT

    @property
    def solvers(self) -> list[str]:
        """The ids of the scenario's solvers in its order, also of those that were never heard of."""
        return [solver["id"] for solver in self.scenario["solver"]]

    @property
    def run_name(self) -> str:
        """Where the run belongs below a directory of runs: `<scenario>/<seed>-<digest8>`."""
        return f"{self.name}/{self.seed}-{self.digest[:8]}"


def provenance() -> Provenance:
    """The code and the machine of this process."""
    commit = _git("rev-parse", "HEAD")
    return Provenance(
        commit=commit,
        dirty=bool(commit and _git("status", "--porcelain", "--", "core", "sim")),
        python=platform.python_version(),
        platform=platform.platform(),
        versions={name: metadata.version(name) for name in _PACKAGES},
    )


def _git(*arguments: str) -> str:
    git = shutil.which("git")
    if git is None or not (_ROOT / ".git").exists():
        return ""
    done = subprocess.run([git, "-C", _ROOT, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else ""
