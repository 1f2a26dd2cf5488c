"""`romer-sim`: run scenarios, look at what came of them, replay their journals."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from sim.commands.chain import chain, prove, verify_proof
from sim.commands.exits import Exit, report_failure
from sim.commands.planners import planners
from sim.commands.replay import replay
from sim.commands.results import explain, report
from sim.commands.run import run
from sim.commands.scenarios import check, list_scenarios
from sim.commands.whatif import whatif


class _Program(click.Group):
    """Ends with a code of `Exit`, and says what is wrong in one line on stderr."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except NoArgsIsHelpError as error:
            error.show()
            code = Exit.BAD_INPUT
        except (click.ClickException, click.Abort) as error:
            code = report_failure(error, debug=False)
        sys.exit(code or Exit.OK)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for word in args:
            if any("\ud800" <= char <= "\udfff" for char in word):
                raise click.UsageError(f"not UTF-8, in which results are written: {os.fsencode(word)!r}")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read our output has left: click ends quietly
            return report_failure(error, debug=ctx.params["debug"])


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="romer", prog_name="romer-sim")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(*, debug: bool) -> None:
    """Run market scenarios in virtual time, look at what came of them, replay their journals."""
    del debug  # `_Program` reads it


for command in (run, check, list_scenarios, explain, report, replay, whatif, planners, chain, prove, verify_proof):
    main.add_command(command)
