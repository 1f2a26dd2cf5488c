"""QuickFIX as a process of its own: one session, told what to do by lines on stdin, telling what happens as JSON.

    python quickfix_peer.py acceptor|initiator PORT FOLDER [SETTING=VALUE ...]

It judges messages as QuickFIX does by default, unless a setting says otherwise.

Commands: `order N PREFIX` sends N orders, `next_out N` and `next_in N` set numbers, `logon`, `logout`, `stop`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import quickfix as fix

SETTINGS = """\
[DEFAULT]
ConnectionType={role}
SocketAcceptPort={port}
SocketConnectHost=127.0.0.1
SocketConnectPort={port}
SocketReuseAddress=Y
ReconnectInterval=1
HeartBtInt=5
StartTime=00:00:00
EndTime=00:00:00
FileStorePath={folder}
UseDataDictionary=Y
DataDictionary={prefix}/share/quickfix/FIX42.xml
{more}
[SESSION]
BeginString=FIX.4.2
SenderCompID=QF
TargetCompID=ROMER
"""


def tell(**event: Any) -> None:
    """One line."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def field(message: fix.FieldMap, tag: int) -> str:
    """A value, or nothing."""
    return str(message.getField(tag)) if message.isSetField(tag) else ""


class Peer(fix.Application):  # type: ignore[misc]  # the package has no types
    """Answers every order with a report, and tells what arrives."""

    def onCreate(self, session: fix.SessionID) -> None:
        self.session = session

    def onLogon(self, session: fix.SessionID) -> None:
        tell(event="logon")

    def onLogout(self, session: fix.SessionID) -> None:
        tell(event="logout")

    def toAdmin(self, message: fix.Message, session: fix.SessionID) -> None:
        pass

    def toApp(self, message: fix.Message, session: fix.SessionID) -> None:
        pass

    def fromAdmin(self, message: fix.Message, session: fix.SessionID) -> None:
        kind = field(message.getHeader(), 35)
        if kind in ("2", "3", "4", "5"):
            tell(event="admin", kind=kind, text=field(message, 58), number=int(field(message.getHeader(), 34)))

    def fromApp(self, message: fix.Message, session: fix.SessionID) -> None:
        header = message.getHeader()
        kind, duplicate = field(header, 35), field(header, 43) == "Y"
        tell(event="app", kind=kind, id=field(message, 11), number=int(field(header, 34)), duplicate=duplicate)
        if kind == "D":
            fix.Session.sendToTarget(report(field(message, 11)), session)

    def obey(self, command: str, *arguments: str) -> None:
        """Do what a line says."""
        session = fix.Session.lookupSession(self.session)
        if command == "order":
            for number in range(1, int(arguments[0]) + 1):
                fix.Session.sendToTarget(order(f"{arguments[1]}{number}"), self.session)
        elif command == "next_out":
            session.setNextSenderMsgSeqNum(int(arguments[0]))
        elif command == "next_in":
            session.setNextTargetMsgSeqNum(int(arguments[0]))
        elif command == "logon":
            session.logon()
        else:
            session.logout()
        tell(event="done", command=command)


def order(cl_ord_id: str) -> fix.Message:
    """An order."""
    return _message(
        "D",
        {11: cl_ord_id, 21: "1", 55: "ETHUSDC", 54: "1", 60: "20231114-22:13:20", 40: "2", 38: "1.5", 44: "1995.25"},
    )


def report(cl_ord_id: str) -> fix.Message:
    """The acceptance of an order."""
    fields = {11: cl_ord_id, 37: "O", 17: cl_ord_id, 20: "0", 150: "0", 39: "0", 55: "ETHUSDC", 54: "1", 151: "0"}
    return _message("8", fields | {14: "0", 6: "0"})


def _message(kind: str, fields: dict[int, str]) -> fix.Message:
    message = fix.Message()
    message.getHeader().setField(35, kind)
    for tag, value in fields.items():
        message.setField(tag, value)
    return message


def main(role: str, port: str, folder: str, *more: str) -> None:
    """Run until `stop`, or the end of stdin."""
    path = Path(folder) / "quickfix.cfg"
    path.write_text(SETTINGS.format(role=role, port=port, folder=folder, prefix=sys.prefix, more="\n".join(more)))
    settings, peer = fix.SessionSettings(str(path)), Peer()
    connect = fix.SocketAcceptor if role == "acceptor" else fix.SocketInitiator
    connector = connect(peer, fix.FileStoreFactory(settings), settings)
    connector.start()
    tell(event="up")
    for line in sys.stdin:
        if line.strip() == "stop":
            break
        peer.obey(*line.split())
    connector.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
