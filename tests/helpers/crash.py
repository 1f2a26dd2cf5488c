"""A venue that is killed again and again under load, and those who trade with it meanwhile."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, Self

from tests.helpers.customer import Customer, Told
from tests.helpers.dying import CALLS, PARTS, PARTS_OF_OTHERS
from tests.helpers.venue import PATIENCE, Running, changed, python, romer_live

PORTS: Final = range(20_000, 32_000)
"""Below those that the system gives out by itself, so that nobody takes one while the venue is down."""
CUSTOMER: Final = "MM1"
MAKER: Final = "MM2"
QUICKFIX: Final = "QF"
"""Has an account, and is there in `tests.interop` only."""
BALANCE: Final = {"ETH": 10_000, "USDC": 20_000_000}
BOND: Final = 10_000_000
PENALTY: Final = 100
LIFE_SECONDS_MAX: Final = 3.0
"""How long a venue lives that was to die by itself and does not come to it."""
RETRY_SECONDS_MAX: Final = 90.0
"""A market maker that was unlucky often enough waits a minute before it dials again."""
DRAIN_SECONDS_MAX: Final = 120.0
"""How long it may take until each of the thousands of orders that a market maker had no session for has ended."""
_UNRELIABLE: Final = ("--strategy", "unreliable", "--set", "default_per_mille=300")
_TRADERS: Final = {
    "s1": ("solver", "--token-env", "S1_TOKEN", "--price", "ETHUSDC=2000"),
    "s2": ("solver", "--token-file", "s2.token", "--price", "ETHUSDC=2000", *_UNRELIABLE),
    MAKER: ("market-maker", "--want", "buy 0.01 ETHUSDC at 2010 every 30ms", "--quiet"),
}


class Death(NamedTuple):
    """How a venue ends: in the `nth` call of a system call, or else after so many seconds with a session, or of its
    start."""

    call: str = ""
    nth: int = 0
    part: str = ""
    seconds: float = LIFE_SECONDS_MAX
    starting: bool = False

    @classmethod
    def draw(cls, rng: Random) -> Self:
        """Any of them."""
        draw = rng.random()
        if draw < 0.15:
            return cls(seconds=rng.uniform(0.2, 1.5), starting=True)
        if draw < 0.5:
            return cls(seconds=rng.uniform(0, 2.0))
        call = rng.choice(sorted(CALLS))
        return cls(call, rng.randint(1, CALLS[call]), rng.choice(PARTS if call == "pwrite" else PARTS_OF_OTHERS))


class Storm:
    """The venue of `folder`, a FIX client with a store of its own, and a market maker and solvers as processes."""

    def __init__(self, folder: Path, rng: Random, *, windows: str = "150ms", orders_per_second: float = 100) -> None:
        self.folder, self._rng = folder, rng
        self.places = _free_places()
        (folder / "venue.toml").write_text(_venue(self.places, windows))
        (folder / "s2.token").write_text("the token of s2")
        self._stack = ExitStack()
        self._traders: dict[str, tuple[ExitStack, Running]] = {}
        self._lives = 0
        self.deaths: Counter[str] = Counter()
        """How the venue has died, and how often."""
        self.killed: Counter[str] = Counter()
        """Who else was killed, or lost its connection."""
        self.said: dict[str, Any] = {}
        """What the traders said at their end."""
        self.customer = Customer(
            folder / "customer.store", self.places["fix"], CUSTOMER, Random(rng.random()), orders_per_second
        )

    def __enter__(self) -> Self:
        for name in _TRADERS:
            self._start(name)
        self.customer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.customer.trading = False
        for stack, _running in self._traders.values():
            stack.close()

    def live_and_die(self, death: Death) -> None:
        """One life of the venue."""
        call, nth, part, seconds, starting = death
        with self.venue(*(("tests.helpers.dying", call, str(nth), part) if call else ())) as running:
            if not starting:
                self._wait_for_logon(running)
                self._disturb()
            self._kill(running, death, seconds)

    def venue(self, *module: str) -> AbstractContextManager[Running]:
        """A process that serves the venue."""
        self._lives += 1
        command = ("serve", "venue.toml", "--json", "--log", "json")
        return python(self.folder, "-m", *(module or ("live",)), *command, name=f"venue-{self._lives}")

    def wind_up(self, running: Running) -> None:
        """Trade until there is something to count, let everything end that is under way, with a venue that lives, and
        everybody leave but the venue."""
        http = json.loads(running.line())["http"]
        self.wait(
            lambda: bool(Told(self.customer.path).fills) and _defaults(http) > 0,
            lambda: f"nothing is traded, or nobody defaults; see {running.log}",
            RETRY_SECONDS_MAX,
        )
        self.customer.trading = False
        self.wait(
            lambda: Told(self.customer.path).settled,
            lambda: f"not all orders end; see {running.log}",
            RETRY_SECONDS_MAX,
        )
        self.wait(lambda: _sessions(http) == 2, lambda: f"{MAKER} does not come back", RETRY_SECONDS_MAX)
        for name in (MAKER, "s1", "s2"):
            self._traders[name][1].signal(signal.SIGTERM)
            self.said[name] = self.ended(self._traders[name][1], DRAIN_SECONDS_MAX)
            assert self.said[name]["ended"]["drained"], f"{name} has orders without an end"
        self.customer.leave(PATIENCE)

    def ended(self, running: Running, seconds: float = PATIENCE) -> Any:
        """What a process says at its end, once it was asked to end."""
        code, lines = running.ended(seconds)
        assert code == 0, running.log.read_text()
        return json.loads(lines[-1])

    def wait(self, until: Callable[[], bool], problem: Callable[[], str], seconds: float = PATIENCE) -> None:
        """Wait for something."""
        deadline = time.monotonic() + seconds
        while not until():
            assert self.customer.error is None, self.customer.error
            assert time.monotonic() < deadline, problem()
            time.sleep(0.05)

    def _wait_for_logon(self, running: Running) -> None:
        """Wait for the customer to be in, or the venue to be dead."""
        before = self.customer.logons
        self.wait(
            lambda: self.customer.logons > before or running.process.poll() is not None,
            lambda: f"nobody gets in; see {running.log}",
        )

    def _disturb(self) -> None:
        """Kill somebody else too, now and then."""
        name = self._rng.choice([*_TRADERS, CUSTOMER, "", ""])
        if name == CUSTOMER:
            self.customer.crash()
        elif name:
            self._traders[name][1].process.kill()
            self._traders.pop(name)[0].close()
            self._start(name)
        if name:
            self.killed[name] += 1

    def _kill(self, running: Running, death: Death, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while running.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        by_itself = running.process.poll() is not None
        running.process.kill()
        assert running.process.wait(PATIENCE) == -signal.SIGKILL, running.log.read_text()
        assert death.call or not by_itself, running.log.read_text()
        self.deaths[f"{death.part} {death.call}" if by_itself else "at its start" if death.starting else "busy"] += 1

    def _start(self, name: str) -> None:
        kind, *options = _TRADERS[name]
        places = self.places
        dials = ["--connect", places["fix"]]
        if kind == "solver":
            dials = ["--connect", places["orders"], "--bids", places["bids"], "--claims", places["claims"]]
        stack = ExitStack()
        lives = self.killed[name]
        process = romer_live(
            self.folder, kind, "--id", name, *dials, "--journal", self.folder / name, "--json", *options,
            name=f"{name}-{lives}",
        )  # fmt: skip
        self._traders[name] = stack, stack.enter_context(process)


def _sessions(http: str) -> int:
    """How many FIX sessions a venue's /metrics count as active."""
    return _count(http, r'romer_fix_sessions\{state="active"\}')


def _defaults(http: str) -> int:
    """How many commitments a venue's /metrics count as not kept."""
    return _count(http, r'romer_facts_total\{[^}]*"commitment_defaulted"[^}]*\}')


def _count(http: str, sample: str) -> int:
    with urllib.request.urlopen(f"http://{http}/metrics", timeout=PATIENCE) as answer:
        found = re.findall(rf"^{sample} ([0-9]+)", answer.read().decode(), re.MULTILINE)
    return int(found[0]) if found else 0


def _free_places() -> dict[str, str]:
    doors, places = iter(("fix", "orders", "bids", "claims")), dict[str, str]()
    start = time.monotonic_ns() % (len(PORTS) - 100)
    door = next(doors)
    for port in PORTS[start:]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        places[door] = f"127.0.0.1:{port}"
        if (following := next(doors, "")) == "":
            return places
        door = following
    raise AssertionError("no free ports")


def _venue(places: dict[str, str], windows: str) -> str:
    balance = "{ " + ", ".join(f'{token} = "{amount}"' for token, amount in BALANCE.items()) + " }"
    members = "".join(f'[[venue.members]]\nid = "{name}"\nbalance = {balance}\n' for name in (MAKER, QUICKFIX))
    members += "session = { send_user_defined_fields = false }\n\n"  # QuickFIX's, which by default takes none
    solver = '[[venue.solvers]]\nid = "s1"'
    rich = f'capital = {balance}\nbond = "{BOND}"'
    return changed(
        *((f'{door} = "127.0.0.1:0"', f'{door} = "{place}"') for door, place in places.items()),
        ("[venue]", "[venue]\nfix = { session = { app_messages_per_second_max = 0 } }"),  # backlogs come at once
        ("[drain]", "[journal]\nsegment_bytes = 16777216\nsnapshot_deliveries = 397\n\n[drain]"),
        ('bid_window = "100ms", fulfil_window = "100ms"', f'bid_window = "{windows}", fulfil_window = "{windows}"'),
        ('balance = { ETH = "100" }', f"balance = {balance}"),
        ('capital = { ETH = "100", USDC = "200000" }\nbond = "10000"', rich),
        (solver, f'{members}[[venue.solvers]]\nid = "s2"\ntoken = {{ file = "s2.token" }}\n{rich}\n\n{solver}'),
    )
