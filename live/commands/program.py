"""The group that `romer-live` and its subgroups are made of: one line for what is wrong, and a stable exit code."""

from __future__ import annotations

import errno
import sys
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

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read our output has left: click ends quietly
            return report_failure(error, debug=ctx.params["debug"])
