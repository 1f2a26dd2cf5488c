"""The group that `romer-live` and its subgroups are made of: one line for what is wrong, and a stable exit code."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from live.commands.exits import Exit, report_failure


class Program(click.Group):
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
                raise click.UsageError(f"not UTF-8, in which everything is written: {os.fsencode(word)!r}")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                _say_no_more()
                return Exit.OK
            return report_failure(error, debug=ctx.params["debug"])


def _say_no_more() -> None:
    """Whoever read our output has left, which is theirs to do."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
