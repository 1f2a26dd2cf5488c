"""A venue that speaks TLS, and a market maker that does."""

from __future__ import annotations

from pathlib import Path

import trustme

from tests.helpers.venue import changed, romer_live, served
from tests.integration.live.test_serve import samples, until


def test_a_market_maker_trades_over_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name, leaf in {
        "venue": authority.issue_cert("127.0.0.1"),
        "mm1": authority.issue_cert(common_name="MM1"),
        "mm2": authority.issue_cert(common_name="MM2"),
    }.items():
        leaf.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / f"{name}.pem"))
    tls = """\
[listen.tls]
cert = "venue.pem"
key = "venue.pem"
client_ca = "ca.pem"
clients = ["MM1", "MM2"]

[observe]"""
    with served(tmp_path, changed(("[observe]", tls))) as (_, listening):
        options = ("--id", "MM1", "--connect", listening["places"]["fix"], "--tls-ca", "ca.pem", "--quiet")
        want = ("--want", "sell 0.1 ETHUSDC at 1990 every 20ms")
        with romer_live(tmp_path, "market-maker", *options, "--tls-cert", "mm2.pem", *want, name="mm2"):
            until(listening, "romer_reasons_total", "connection_refused", "client_name")
            assert samples(listening)["romer_fix_sessions", ("active",)] == 0
        with romer_live(tmp_path, "market-maker", *options, "--tls-cert", "mm1.pem", *want, name="mm1"):
            until(listening, "romer_fix_sessions", "active")
            until(listening, "romer_facts_total", "sequencer", "order_sequenced")
