"""Processes that a command starts and that never outlive it.

Each holds a pipe from this process as its stdin and stops when that ends, so that it ends even when this process
is killed. On leaving the context, whoever has not stopped by itself is killed.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec

from core.errors import RomerError

STOP_SECONDS: Final = 30.0
_LINE_BYTES_MAX: Final = 1 << 20


class ChildFailed(RomerError):
    """A child process ended as it should not have. The last line of its log says why."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        super().__init__(name, code, log)
        self.name, self.code, self.log = name, code, log

    def __str__(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        problem = next((line for line in reversed(lines) if line.startswith("error: ")), "")
        return f"{self.name} ended with exit code {self.code}; its log is {self.log}: {problem.removeprefix('error: ')}"


class Child(NamedTuple):
    """A running `romer-live` that prints JSON lines."""

    name: str
    process: Process
    log: Path

    async def said(self, seconds: float) -> Any:
        """The next line that it prints. Raises ChildFailed if it ends without one."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            line = await self.process.stdout.readline()
            if not line:
                raise ChildFailed(self.name, await self.process.wait(), self.log)
        return msgspec.json.decode(line)

    async def stop(self) -> Any:
        """Ask it to stop, and return the last line that it prints. Raises ChildFailed unless it ends in order."""
        assert self.process.stdout is not None
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(STOP_SECONDS):
            lines = [line async for line in self.process.stdout]
            code = await self.process.wait()
        if code or not lines:
            raise ChildFailed(self.name, code, self.log)
        return msgspec.json.decode(lines[-1])


class Children:
    """The children of one command; their logs go to files of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Child] = []

    async def start(self, name: str, *arguments: str) -> Child:
        """Start `romer-live` with these arguments, in a session of its own, out of reach of a terminal's Ctrl-C."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "live",
                *arguments,
                "--stop-with-stdin",
                "--json",
                stdin=PIPE,
                stdout=PIPE,
                stderr=stderr,
                start_new_session=True,
                limit=_LINE_BYTES_MAX,
            )
        child = Child(name, process, log)
        self._running.append(child)
        return child

    async def first_end(self) -> None:
        """Wait until one of them ends by itself. Raises ChildFailed."""
        waits = {asyncio.create_task(child.process.wait()): child for child in self._running}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        for wait in done:
            raise ChildFailed(waits[wait].name, wait.result(), waits[wait].log)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        for child in self._running:
            if child.process.returncode is None:
                child.process.kill()
                await child.process.wait()
