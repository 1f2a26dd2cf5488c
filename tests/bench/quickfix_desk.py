"""QuickFIX's acceptor through its Python binding, its store `file` or `memory`: answers each order with a report."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import quickfix

SETTINGS: Final = """\
[DEFAULT]
ConnectionType=acceptor
FileStorePath={folder}
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=N
SocketAcceptPort={port}
SocketNodelay=Y

[SESSION]
BeginString=FIX.4.2
SenderCompID=ROMER
TargetCompID=MM1
"""
_COPIED: Final = (11, 55, 54, 38, 44)


class Desk(quickfix.Application):  # type: ignore[misc]  # the binding has no types
    """Each order gets its report from the thread that has read it."""

    def onCreate(self, _session: Any) -> None: ...
    def onLogon(self, _session: Any) -> None: ...
    def onLogout(self, _session: Any) -> None: ...
    def toAdmin(self, _message: Any, _session: Any) -> None: ...
    def fromAdmin(self, _message: Any, _session: Any) -> None: ...
    def toApp(self, _message: Any, _session: Any) -> None: ...

    def fromApp(self, message: Any, session: Any) -> None:
        """A NewOrderSingle."""
        report = quickfix.Message()
        report.getHeader().setField(35, "8")
        for tag in _COPIED:
            report.setField(tag, message.getField(tag))
        number = message.getField(11)
        for tag, value in ((37, f"O-{number}"), (17, f"E-{number}"), (20, "0"), (150, "0"), (39, "0")):
            report.setField(tag, value)
        for tag, value in ((151, message.getField(38)), (14, "0"), (6, "0")):
            report.setField(tag, value)
        quickfix.Session.sendToTarget(report, session)


def main() -> None:
    """Print the port, serve until a line comes in, print how many seconds of CPU that took."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "desk.cfg"
        path.write_text(SETTINGS.format(folder=folder, port=port))
        settings = quickfix.SessionSettings(str(path))
        desk = Desk()
        stores = {"file": quickfix.FileStoreFactory, "memory": lambda _settings: quickfix.MemoryStoreFactory()}
        acceptor = quickfix.SocketAcceptor(desk, stores[sys.argv[1]](settings), settings)
        began = process_time()
        acceptor.start()
        print(port, flush=True)
        sys.stdin.readline()
        print(process_time() - began, flush=True)
        acceptor.stop()


if __name__ == "__main__":
    main()
