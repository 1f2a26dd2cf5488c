"""A whole market on this machine: a venue, two market makers and three solvers, each a process, on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from secrets import token_hex
from signal import SIGINT, SIGTERM
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.units import SECOND, Nanos, format_duration
from live.children import Child, Children

START_SECONDS: Final = 60.0
VENUE: Final = """\
# The venue of `romer-live demo`; `romer-live serve` can serve it too.

[listen]
fix = "127.0.0.1:0"
orders = "127.0.0.1:0"
bids = "127.0.0.1:0"
claims = "127.0.0.1:0"

[observe]
http = "127.0.0.1:0"

[venue.sequencer]
batch_window = "100ms"

[venue.auction]
bid_window = "100ms"
fulfil_window = "100ms"
bond_token = "USDC"
default_penalty = "100"

[[venue.pairs]]
symbol = "ETHUSDC"
base = { id = "ETH", decimals = 8 }
quote = { id = "USDC", decimals = 6 }
tick = "0.01"
lot = "0.0001"
quantity_max = "1000"

[[venue.members]]
id = "MM1"
balance = { ETH = "100000" }

[[venue.members]]
id = "MM2"
balance = { USDC = "200000000" }
"""
SOLVER: Final = """
[[venue.solvers]]
id = "{name}"
token = {{ file = "{name}.token" }}
capital = {{ ETH = "100000", USDC = "200000000" }}
bond = "100000"
"""
SOLVERS: Final = {
    "s1": ("--strategy", "cost_plus", "--set", "margin_bps=2"),
    "s2": ("--strategy", "cost_plus", "--set", "margin_bps=3"),
    "s3": ("--strategy", "unreliable", "--set", "default_per_mille=200"),
}
MAKERS: Final = {
    "MM1": "sell 0.5 ETHUSDC at 1995 every 50ms",
    "MM2": "buy 0.3 ETHUSDC at 2005 every 50ms",
}
_PRICE: Final = "ETHUSDC=2000"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, as each process tells it."""

    seconds: float
    interrupted: bool
    folder: str
    venue: dict[str, Any]
    solvers: dict[str, dict[str, Any]]
    makers: dict[str, dict[str, Any]]

    def __str__(self) -> str:
        traded = self.venue["traded"]
        orders = ", ".join(f"{what} {count:,}" for what, count in traded["orders"].items())
        lines = [
            f"{self.seconds:.0f} s of a venue, {len(self.makers)} market makers and {len(self.solvers)} solvers",
            f"orders    {orders}; in {traded['blocks']:,} blocks",
        ]
        for name in self.solvers:
            bids, settled, defaulted = (traded[kind].get(name, 0) for kind in ("bids", "settled", "defaulted"))
            lines.append(f"{name:<9} {bids:,} bids, {settled:,} fills, {defaulted:,} defaults")
        for name, told in self.makers.items():
            lines.append(f"{name:<9} " + ", ".join(f"{what} {count:,}" for what, count in told["orders"].items()))
        lines.append(f"journals and logs: {self.folder}; `romer-sim replay {self.folder}/venue` replays the venue")
        return "\n".join(lines)


async def demo(span: Nanos, out: Path, *, log: Any) -> Report:
    """Run the market for so long, or until SIGINT or SIGTERM, in a new folder below `out`, and report.

    `log` is told what goes on, a line at a time. Raises ChildFailed when a process ends before its time, and
    InputError when the folder cannot be made.
    """
    folder = _new_folder(out)
    _write_files(folder)
    interrupted = asyncio.Event()
    for number in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    async with Children(folder) as children:
        venue = await children.start("venue", "serve", str(folder / "venue.toml"))
        listening = await venue.said(START_SECONDS)
        solvers = [await _solver(children, name, listening["places"], folder) for name in SOLVERS]
        makers = [await _maker(children, name, listening["places"]["fix"], folder) for name in MAKERS]
        for child in (*solvers, *makers):
            await child.said(START_SECONDS)
        log(f"venue on {listening['places']['fix']} (FIX) and {listening['places']['orders']} (solvers),")
        log(
            f"metrics on http://{listening['http']}/metrics; running for {format_duration(span)}, Ctrl-C ends it before"
        )
        began = asyncio.get_running_loop().time()
        await _until(interrupted, children, span / SECOND)
        seconds = asyncio.get_running_loop().time() - began
        return Report(
            seconds=seconds,
            interrupted=interrupted.is_set(),
            folder=str(folder),
            makers=await _stop(makers),
            venue=(await _stop([venue]))["venue"],
            solvers=await _stop(solvers),
        )


async def _until(interrupted: asyncio.Event, children: Children, seconds: float) -> None:
    first = asyncio.create_task(children.first_end())
    waits = [first, asyncio.create_task(interrupted.wait())]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if first.done():
        await first


async def _stop(children: list[Child]) -> dict[str, Any]:
    told = await asyncio.gather(*(child.stop() for child in children))
    return {child.name: said for child, said in zip(children, told, strict=True)}


async def _solver(children: Children, name: str, places: dict[str, str], folder: Path) -> Child:
    token = ("--token-file", str(folder / f"{name}.token"))
    doors = ("--connect", places["orders"], "--bids", places["bids"], "--claims", places["claims"])
    where = (*doors, "--journal", str(folder / name))
    return await children.start(name, "solver", "--id", name, *where, *token, "--price", _PRICE, *SOLVERS[name])


async def _maker(children: Children, name: str, address: str, folder: Path) -> Child:
    where = ("--connect", address, "--journal", str(folder / name))
    return await children.start(name, "market-maker", "--id", name, *where, "--want", MAKERS[name], "--quiet")


def _new_folder(out: Path) -> Path:
    """The next of `out/1`, `out/2`, ..., made."""
    numbers = [int(path.name) for path in out.glob("*") if path.name.isdecimal()]
    folder = out / str(max(numbers, default=0) + 1)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"cannot make {folder}: {error.strerror}") from None
    return folder


def _write_files(folder: Path) -> None:
    solvers = "".join(SOLVER.format(name=name) for name in SOLVERS)
    (folder / "venue.toml").write_text(f'{VENUE}{solvers}\n[journal]\ndir = "venue"\n')
    for name in SOLVERS:
        path = folder / f"{name}.token"
        path.touch(0o600)
        path.write_text(token_hex())
