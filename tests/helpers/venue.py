"""A small venue as a file for `romer-live serve`, on any free ports, and processes that always end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
TOKEN = "open sesame"

VENUE = """\
[listen]
fix = "127.0.0.1:0"
orders = "127.0.0.1:0"
bids = "127.0.0.1:0"
claims = "127.0.0.1:0"

[observe]
http = "127.0.0.1:0"

[drain]
deadline = "10s"
goodbye = "500ms"

[venue]
sequencer = { batch_window = "50ms" }
auction = { bid_window = "100ms", fulfil_window = "100ms", bond_token = "USDC", default_penalty = "100" }

[[venue.pairs]]
symbol = "ETHUSDC"
base = { id = "ETH", decimals = 8 }
quote = { id = "USDC", decimals = 6 }
tick = "0.01"
lot = "0.0001"
quantity_max = "1000"

[[venue.members]]
id = "MM1"
balance = { ETH = "100" }

[[venue.solvers]]
id = "s1"
token = { env = "S1_TOKEN" }
capital = { ETH = "100", USDC = "200000" }
bond = "10000"
"""


def changed(*edits: tuple[str, str]) -> str:
    """`VENUE` with parts of it replaced; each part must be there."""
    text = VENUE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


class Running:
    """A `romer-live` process. What it prints can be waited for; what it logs is in `log`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self.log = process, log
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def line(self) -> str:
        """The next line that it prints."""
        try:
            return self._lines.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError(f"it printed nothing; its log:\n{self.log.read_text()}") from None

    def told(self) -> Any:
        """The next line, which is JSON."""
        return json.loads(self.line())

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float = PATIENCE) -> tuple[int, list[str]]:
        """Its exit code and the lines that it has printed since, once it ends."""
        code = self.process.wait(seconds)
        self._reader.join(PATIENCE)
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return code, lines


@contextmanager
def python(folder: Path, *arguments: str, name: str = "live") -> Iterator[Running]:
    """Run Python in `folder`, with this checkout to import from; the process is killed at the end if it still runs."""
    log = folder / f"{name}.err"
    environment = {**os.environ, "S1_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            if process.poll() is None:
                process.kill()


def romer_live(folder: Path, *arguments: str | Path, name: str = "live") -> AbstractContextManager[Running]:
    """Run `romer-live` in `folder`."""
    return python(folder, "-m", "live", *map(str, arguments), name=name)


@contextmanager
def served(folder: Path, text: str = VENUE, *options: str) -> Iterator[tuple[Running, Any]]:
    """A venue that listens, and what it says of itself."""
    (folder / "venue.toml").write_text(text)
    with romer_live(folder, "serve", "venue.toml", "--json", "--log", "json", *options, name="venue") as running:
        yield running, running.told()


@contextmanager
def solving(folder: Path, places: dict[str, str]) -> Iterator[Running]:
    """A solver of the venue whose doors are there."""
    doors = ("--connect", places["orders"], "--bids", places["bids"], "--claims", places["claims"])
    arguments = ("--id", "s1", *doors, "--token-env", "S1_TOKEN", "--price", "ETHUSDC=2000")
    with romer_live(folder, "solver", *arguments, "--journal", folder / "s1", "--json", name="s1") as running:
        yield running
