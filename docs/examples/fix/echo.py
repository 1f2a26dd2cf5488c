"""An echo in FIX 4.4, as a component: pure, so that it runs in the simulator as well, and its journal can be replayed.

    python docs/examples/fix/echo.py        # listens on 127.0.0.1:9876, Ctrl-C ends it

`core.fix.echo.Echo` is the application. What it answers leaves the node once its journal is written, like all that
components do; there is no callback that a crash could come between.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.fix.dialect import Dialect
from core.fix.echo import ECHOED, Echo
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shipped import dictionary
from core.fix.validation import Validation
from live.fix_application import Place
from live.fix_engine import ENGINE, EmbeddedFixEngine

CONFIG = EngineConfig(
    role="acceptor",
    comp_id="ECHO",
    sessions=(SessionConfig(target_comp_id="TW44", dialect="fix44"),),
    app="echo",
    app_messages=ECHOED,
    dialects={"fix44": Dialect(dictionary("FIX.4.4"), Validation(validate_user_defined_fields=False))},
)


async def main(port: int = 9876, journal: Path | None = None) -> None:
    """Serve until cancelled."""
    async with EmbeddedFixEngine(CONFIG, Echo("echo", ENGINE), Place(port=port, journal=journal)) as engine:
        print(f"listening on port {engine.port}")
        await engine.wait()


if __name__ == "__main__":
    asyncio.run(main())
