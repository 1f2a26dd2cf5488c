"""What to say to somebody who gave something else than a run directory: what it is, and which run he may have meant.

A run is named only if it is one, and if it lies where a run of its name belongs, or above what was given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from core.errors import InputError
from core.kernel.segments import SUFFIX
from sim.results.manifest import MANIFEST, Manifest

_GIVE: Final = "give a directory that `romer-sim run` made"


def not_a_run(path: Path) -> InputError:
    """The error for a path without a manifest."""
    if not path.exists():
        return InputError(f"{path}: no such directory", _GIVE)
    problem = f"no {MANIFEST}" if path.is_dir() else "a file, not the directory of a run"
    return InputError(f"{path}: {problem}", nearest_run(path) or _instead(path))


def unreadable(path: Path, error: msgspec.DecodeError) -> InputError:
    """The error for a manifest that is none of a run's."""
    return InputError(f"{path / MANIFEST}: not the manifest of a run: {error}", _GIVE)


def nearest_run(path: Path) -> str:
    """A hint that names the run that `path` is in, or those that `romer-sim run` has put below it; or nothing."""
    above = next((one for one in (path.parent, path.parent.parent) if _manifest_in(one) is not None), None)
    if above is not None:
        return f"did you mean {above}?"
    found = [at.parent for pattern in ("*", "*/*") for at in sorted(path.glob(f"{pattern}/{MANIFEST}"))]
    runs = [run for run in found if _is_in_place(run)]
    if len(runs) > 1:
        return f"give one run, such as {runs[0]}"
    return f"did you mean {runs[0]}?" if runs else ""


def _instead(path: Path) -> str:
    if not path.is_dir():
        return _GIVE
    if any(True for pattern in ("*", "*/*") for _ in path.glob(f"{pattern}{SUFFIX}")):
        return f"{_GIVE}; this has journals alone, and `romer-sim replay {path}` reads those"
    return f"{_GIVE}; a run that was killed while it wrote has none"


def _is_in_place(run: Path) -> bool:
    manifest = _manifest_in(run)
    return manifest is not None and run.resolve().parts[-2:] == Path(manifest.run_name).parts


def _manifest_in(directory: Path) -> Manifest | None:
    try:
        return msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None
