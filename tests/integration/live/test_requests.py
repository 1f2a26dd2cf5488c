"""Replacing an order, asking about one, losing a session, and signatures under blocks, over sockets."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from live.cli import main
from live.keys import new_key
from tests.helpers.fix_client import FixClient, fix_client
from tests.helpers.venue import VENUE, changed, served
from tests.integration.live.test_serve import stopped

LASTING = ('batch_window = "50ms"', 'batch_window = "50ms", order_lifetime = "1h"')
SHORT = ('bid_window = "100ms", fulfil_window = "100ms"', 'bid_window = "20ms", fulfil_window = "20ms"')
"""Auctions that leave an order alone between two batches."""
LEAVING = ('[[venue.members]]\nid = "MM1"', '[[venue.members]]\nid = "MM1"\nsession = { cancel_on_disconnect = true }')


def ask(client: FixClient, cl_ord_id: str) -> dict[int, str]:
    """What the venue says of an order."""
    client.send("H", (11, cl_ord_id), (55, "ETHUSDC"), (54, 2))
    while (report := client.next("8")).get(20) != "3":
        pass
    return report


def request_replace(client: FixClient, cl_ord_id: str, orig: str, quantity: str, price: str) -> None:
    now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S")
    terms = ((40, 2), (38, quantity), (44, price))
    client.send("G", (41, orig), (11, cl_ord_id), (21, 1), (55, "ETHUSDC"), (54, 2), (60, now), *terms)


def verified(*arguments: str) -> Any:
    """What a command of `romer-live` says, which must be pleased."""
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def open_again(client: FixClient, cl_ord_id: str) -> None:
    """Let an order come back from its auction: nobody bids."""
    client.order(cl_ord_id)
    client.report("0", cl_ord_id)
    client.socket.settimeout(0.4)
    try:
        client.next("none")
    except TimeoutError:
        client.socket.settimeout(30)


def test_an_order_is_replaced_and_goes_by_its_new_name(tmp_path: Path) -> None:
    with served(tmp_path, changed(LASTING, SHORT)) as (_, listening), fix_client(listening["places"]["fix"]) as client:
        open_again(client, "a")
        request_replace(client, "b", "a", "0.7", "2100")
        assert client.report("E", "b")[41] == "a"
        report = client.report("5", "b")
        assert (report[39], report[41], report[38], report[44], report[151]) == (
            "5",
            "a",
            "0.7000",
            "2100.00",
            "0.7000",
        )
        request_replace(client, "c", "a", "0.8", "2100")
        assert client.next("9")[434] == "2"
        assert ask(client, "a")[39] == "8"
        assert ask(client, "b")[38] == "0.7000"


def test_the_orders_of_a_lost_session_are_cancelled(tmp_path: Path) -> None:
    with served(tmp_path, changed(LASTING, LEAVING)) as (_, listening):
        with fix_client(listening["places"]["fix"]) as client:
            client.order("a")
            client.report("0", "a")
            number = client.number
        with fix_client(listening["places"]["fix"], number=number) as client:
            while (report := ask(client, "a"))[39] == "6":
                pass
            assert (report[39], report[151]) == ("4", "0")


def test_receipts_are_signed_and_a_signature_that_a_crash_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    public = new_key(tmp_path / "venue.key").public.public_key
    text = VENUE + '\n[signer]\nkey = "venue.key"\n'
    with served(tmp_path, text) as (venue, listening), fix_client(listening["places"]["fix"]) as client:
        client.order("a")
        client.report("0", "a")
        while not (receipt := ask(client, "a").get(20004)) or not json.loads(receipt)["signature"]:
            pass
        number = client.number
        client.order("b")
        client.report("0", "b")
        venue.signal(signal.SIGKILL)
    (tmp_path / "a.json").write_text(receipt)
    told = verified("verify-receipt", str(tmp_path / "a.json"), "--public-key", public)
    assert (told["order_id"], told["checked"]) == ("O-1", True)
    other = new_key(tmp_path / "other.key").public.public_key
    result = CliRunner().invoke(main, ["verify-receipt", str(tmp_path / "a.json"), "--public-key", other])
    assert "its signature is not that of its key" in result.output
    with served(tmp_path, text) as (venue, listening):
        with fix_client(listening["places"]["fix"], number=number + 1) as client:
            while not (receipt := ask(client, "b").get(20004)) or not json.loads(receipt)["signature"]:
                pass
        stopped(venue)
    chain = verified("verify-chain", str(tmp_path / "journal"), "--public-key", public)
    assert chain["signed"] == chain["blocks"] >= 2
