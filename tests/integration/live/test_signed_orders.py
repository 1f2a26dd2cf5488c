"""A venue with members who sign each order, with real processes, sockets and keys: who trades, and who is found out."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from core.fix.codec import encode
from core.identity.orders import sign_order
from live.cli import main
from live.keys import new_key
from sim.cli import main as romer_sim
from tests.helpers.fix_client import FixClient
from tests.helpers.identity import logon, proof, public, signer
from tests.helpers.venue import PATIENCE, changed, romer_live, served, solving

MEMBER = '[[venue.members]]\nid = "MM1"\nbalance = { ETH = "100" }\n'
IDENTITY = "[venue.identity]\nrequired = true\n\n"


def member(name: str, public_key: str, proven: str) -> str:
    """A member of a venue file that signs each order."""
    key = f'key = {{ public = "{public_key}", proof = "{proven}", signing = "order" }}'
    return f'[[venue.members]]\nid = "{name}"\nbalance = {{ ETH = "100" }}\n{key}\n\n'


def venue_text(folder: Path) -> str:
    """The small venue with MM1, whose new key is in a file, and MM2, who both sign each order."""
    new_key(folder / "MM1.key")
    shown = CliRunner().invoke(main, ["keys", "show", str(folder / "MM1.key"), "--json"])
    first = json.loads(shown.stdout)
    makers = member("MM1", first["public_key"], first["proof"]) + member("MM2", public("MM2").hex(), proof("MM2").hex())
    return changed((MEMBER, IDENTITY + makers))


class Signing(FixClient):
    """MM2 over a plain socket, which signs its orders, and spoils some."""

    def __init__(self, address: str) -> None:
        super().__init__(address, "MM2")
        self.socket.sendall(logon("MM2", sender="MM2", at=time.time_ns()))
        assert self.next("A")
        self.number = 2

    def signed(self, cl_ord_id: str, *, spoilt: bool = False) -> None:
        """Send a signed order; one that is `spoilt` says something else than what was signed."""
        now = f"{datetime.now(UTC):%Y%m%d-%H:%M:%S}"
        terms = f"11={cl_ord_id}|21=1|38=0.5|40=2|44=1990|54=2|55=ETHUSDC|60={now}|"
        header = f"35=D|34={self.number}|49=MM2|52={now}|56=ROMER|"
        raw = sign_order(encode((header + terms).replace("|", "\x01").encode()), signer("MM2"))
        content = raw.split(b"\x01", 2)[2][: -len("10=123|")]
        self.number += 1
        self.socket.sendall(encode(content.replace(b"\x0138=0.5\x01", b"\x0138=9.5\x01")) if spoilt else raw)


def metric(listening: Any, name: str) -> float:
    host, _, port = listening["http"].rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=PATIENCE)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    (line,) = (line for line in page.splitlines() if line.startswith(f"{name} "))
    return float(line.rpartition(" ")[2])


def until_above(listening: Any, name: str, least: float) -> None:
    deadline = time.monotonic() + PATIENCE
    while metric(listening, name) < least:
        assert time.monotonic() < deadline, f"{name} stays below {least}"
        time.sleep(0.05)


def test_orders_that_were_tampered_with_are_rejected_and_the_others_trade_over_a_killed_venue(tmp_path: Path) -> None:
    text = venue_text(tmp_path)
    with served(tmp_path, text) as (venue, listening):
        options = ("--id", "MM1", "--connect", listening["places"]["fix"], "--quiet", "--json", "--journal", "MM1")
        want = ("--key", tmp_path / "MM1.key", "--sign-orders", "--want", "sell 0.01 ETHUSDC at 1995 every 50ms")
        with (
            solving(tmp_path, listening["places"]),
            romer_live(tmp_path, "market-maker", *options, *want, name="MM1") as maker,
        ):
            maker.told()
            until_above(listening, "romer_check_wait_seconds_count", 5)
            client = Signing(listening["places"]["fix"])
            client.signed("good")
            client.signed("bad", spoilt=True)
            client.order("plain")
            client.signed("last")
            assert client.report("0", "good")
            assert client.report("0", "bad"), "it has its place before its signature is checked"
            assert client.report("8", "plain")[58].startswith("unsigned_order: ")
            rejected = client.report("8", "bad")
            assert (rejected[39], rejected[58].partition(":")[0]) == ("8", "bad_order_signature")
            assert int(rejected[20002]) > 0, "its place is proven as that of any other"
            assert client.report("2", "last")
            assert metric(listening, 'romer_reasons_total{fact="order_failed",reason="bad_order_signature"}') == 1
            client.close()
            venue.signal(signal.SIGKILL)
            venue.ended()
            for door, place in (*listening["places"].items(), ("http", listening["http"])):
                text = text.replace(f'{door} = "127.0.0.1:0"', f'{door} = "{place}"')
            with served(tmp_path, text) as (again, up):
                until_above(up, "romer_check_wait_seconds_count", 5)
                maker.signal(signal.SIGTERM)
                code, lines = maker.ended()
                again.signal(signal.SIGTERM)
                _, last = again.ended()
    orders = json.loads(lines[-1])["orders"]
    assert code == 0
    assert orders["sent"] == orders["filled"] + orders["cancelled"] + orders["expired"] > 20
    assert orders["rejected"] == 0
    checked = CliRunner().invoke(main, ["verify-chain", str(tmp_path / "journal")])
    assert checked.exit_code == 0, checked.output
    replayed = CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "journal"), "--json"])
    digest = json.loads(last[-1])["ended"]["digest"]
    assert [one["digest"] for one in json.loads(replayed.stdout)["journals"]] == [digest]


def test_who_signs_orders_needs_a_key_to_sign_with(tmp_path: Path) -> None:
    options = ("--id", "MM1", "--connect", "127.0.0.1:1", "--want", "sell 1 ETHUSDC at 1 every 1s")
    result = CliRunner().invoke(main, ["market-maker", *options, "--sign-orders", "--journal", str(tmp_path / "MM1")])
    assert (result.exit_code, "--sign-orders needs a --key" in result.output) == (2, True)
