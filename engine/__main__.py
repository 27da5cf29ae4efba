"""`python -m engine <command>`."""
from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli import commands
from engine.cli.host import Host
from engine.kernel.settings import Settings

if TYPE_CHECKING:
    from engine.runtime.application import Application


def create(settings: Settings) -> Application:
    """The assembled application; imported late, so that commands which need none start fast."""
    from engine.assembly import create_application

    return create_application(settings)


if __name__ == "__main__":
    commands(obj=Host(create=create), prog_name="python -m engine")
