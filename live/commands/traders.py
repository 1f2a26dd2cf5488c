"""`romer-live solver` and `romer-live market-maker`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from live.commands.exits import Exit
from live.commands.keys import passphrase_options, read_passphrase
from live.commands.options import PATH, Text, as_json, log_format, log_level, show, stop_with_stdin
from live.demand import Demand, parse_demand, parse_price
from live.observe.log import FactLog, set_up

if TYPE_CHECKING:
    from core.fix.messages import ExecutionReport
    from core.market.world import PriceMoved

Command = TypeVar("Command", bound=Callable[..., Any])
_JOURNAL = click.option("--journal", type=PATH, help="A folder of its own.  [default: journals/ID]")
_SYNC = click.option("--sync", default="always", show_default=True, help="When the journal is synced, or `off`.")


class _Text(click.ParamType[Any]):
    """A text that a function reads, or refuses with a ValueError that says what it expected."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _common(command: Command) -> Command:
    """What both take."""
    name = click.option("--id", "name", required=True, type=Text(), help="Its name at the venue.")
    for option in (as_json, stop_with_stdin, log_level, log_format, _SYNC, _JOURNAL, name):
        command = option(command)
    return command


@click.command()
@click.option("--connect", required=True, metavar="HOST[:PORT]", help="The venue's door for orders; port 8080.")
@click.option("--bids", metavar="HOST[:PORT]", help="Its door for bids.  [default: the next port]")
@click.option("--claims", metavar="HOST[:PORT]", help="Its door for claims.  [default: the one after]")
@click.option("--token-env", metavar="NAME", help="The environment variable that holds its token,")
@click.option("--token-file", metavar="PATH", help="or the file that does.")
@click.option("--strategy", default="cost_plus", show_default=True)
@click.option("--set", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the strategy. Repeatable.")
@click.option(
    "--price",
    "prices",
    multiple=True,
    type=_Text("SYMBOL=PRICE", parse_price),
    help="A reference price that it goes by. Repeatable.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the strategy's draws.")
@_common
def solver(
    *,
    connect: str,
    bids: str | None,
    claims: str | None,
    token_env: str | None,
    token_file: str | None,
    strategy: str,
    params: tuple[str, ...],
    prices: tuple[PriceMoved, ...],
    seed: int,
    **common: Any,
) -> Exit:
    """Run a solver: it connects, bids on every batch, pays what it wins, and connects again when it must."""
    from live.dialling import solver_config  # noqa: PLC0415  # the whole market is slow to import
    from live.traders import run_solver  # noqa: PLC0415

    config, token = solver_config(
        common["name"], connect, (bids, claims), env=token_env, file=token_file, strategy=strategy, params=params
    )
    set_up(common["log_format"], common["log_level"])
    ended, bidding = asyncio.run(run_solver(config, token, prices, _where(**common), seed=seed))
    counts = f"{bidding.bids:,} bids in {bidding.batches:,} batches; {bidding.paid:,} of {bidding.awards:,} awards paid"
    text = f"{ended}\n{counts}"
    show({"ended": ended, "bidding": bidding}, text, as_json=common["as_json"])
    return Exit.OK if ended.drained else Exit.INTERRUPTED


@click.command("market-maker")
@click.option("--connect", required=True, metavar="HOST[:PORT]", help="The venue's FIX acceptor; port 9876.")
@click.option("--venue", "venue_comp_id", type=Text(), default="ROMER", show_default=True, help="The venue's CompID.")
@click.option(
    "--want",
    "demands",
    multiple=True,
    required=True,
    type=_Text("ORDER", parse_demand),
    help='What it orders again and again: "sell 0.5 ETHUSDC at 1995 every 100ms". Repeatable.',
)
@click.option("--key", type=PATH, help="The key file to sign Logons with.")
@click.option("--sign-orders", is_flag=True, help="Sign each order too: it is registered with signing = order.")
@passphrase_options
@click.option("--quiet", is_flag=True, help="Do not print reports.")
@click.option("--tls", is_flag=True, help="Speak TLS; the machine's authorities vouch for the venue.")
@click.option("--tls-ca", type=PATH, help="Speak TLS; these authorities vouch for the venue.")
@click.option("--tls-cert", type=PATH, help="The certificate to show,")
@click.option("--tls-key", type=PATH, help="and its key.")
@click.option("--tls-name", default="", help="Whom the venue's certificate is for.  [default: HOST]")
@_common
def market_maker(
    *,
    connect: str,
    venue_comp_id: str,
    demands: tuple[Demand, ...],
    key: Path | None,
    sign_orders: bool,
    ask: bool,
    passphrase_file: str | None,
    passphrase_env: str | None,
    quiet: bool,
    tls: bool,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_name: str,
    **common: Any,
) -> Exit:
    """Run a market maker: a FIX initiator that sends orders, prints the reports, and connects again when it must."""
    from live.dialling import maker_config  # noqa: PLC0415  # the whole market is slow to import
    from live.tls import client_tls  # noqa: PLC0415
    from live.traders import report_line, run_maker  # noqa: PLC0415

    secured = client_tls(tls_ca, tls_cert, tls_key, tls_name) if tls or tls_ca or tls_cert else None
    if sign_orders and key is None:
        raise click.UsageError("--sign-orders needs a --key to sign with")
    signing = None
    if key is not None:
        from live.keys import load_key  # noqa: PLC0415  # cryptography is slow to import
        from live.signing import SignMessages  # noqa: PLC0415

        loaded = load_key(key, read_passphrase(passphrase_file, passphrase_env, ask=ask, confirm=False))
        signing = SignMessages(loaded, "order" if sign_orders else "logon")
    config = maker_config(common["name"], connect, venue_comp_id)
    set_up(common["log_format"], common["log_level"])
    as_json = common["as_json"]

    def on_report(report: ExecutionReport) -> None:
        if not quiet:
            show(report, report_line(report), as_json=as_json)

    ended, counts = asyncio.run(
        run_maker(config, demands, _where(**common), show=on_report, tls=secured, outward=signing)
    )
    text = ", ".join(f"{outcome} {count:,}" for outcome, count in counts.items())
    show({"ended": ended, "orders": counts}, f"{ended}\norders: {text}", as_json=as_json)
    return Exit.OK if ended.drained else Exit.INTERRUPTED


def _where(
    *, name: str, journal: Path | None, sync: str, log_level: str, stop_with_stdin: bool, as_json: bool, **_rest: Any
) -> Any:
    from live.traders import Where  # noqa: PLC0415  # the whole market is slow to import

    return Where(
        journal or Path("journals") / name,
        sync,
        FactLog(name, log_level),
        stop_with_stdin,
        lambda opening: show(opening, str(opening), as_json=as_json),
    )
