"""Where peers are that this environment may lack: QuickFIX's Python binding, which `make interop` builds beside it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_INTEROP: Final = ROOT / ".venv-interop"


def quickfix_python() -> str | None:
    """An interpreter that has QuickFIX, if there is one."""
    if find_spec("quickfix") is not None:
        return sys.executable
    python = _INTEROP / "bin" / "python"
    return str(python) if (_INTEROP / "quickfix").exists() and python.exists() else None


def run_quickfix(module: str, text: str, *arguments: str) -> str | None:
    """What a module prints that is given `text` and needs QuickFIX; None without it."""
    python = quickfix_python()
    if python is None:
        return None
    command = [python, "-m", module, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout
