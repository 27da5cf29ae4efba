"""One module per command of `python -m engine`. May import everything below; nobody imports it.

A module (or package) here that holds a click command named ``command`` is a command: ``new_pack.py`` is
`python -m engine new-pack`. It is imported only when it is called or listed. A command that needs the application
or the database takes it from ``Host`` by ``@click.pass_obj``.
"""
from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from typing import Any

import click

from engine.kernel.errors import GuichengError


class FoundCommands(click.Group):
    """A group whose commands are the modules beside this file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name for name in _module_names() if self.get_command(ctx, name) is not None)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _module_names():
            return None
        found = getattr(import_module(f"{__name__}.{cmd_name.replace('-', '_')}"), "command", None)
        return found if isinstance(found, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GuichengError as error:
            click.echo(error.message, err=True)
            sys.exit(1)


def _module_names() -> list[str]:
    return [info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]


@click.group(cls=FoundCommands, help="规程平台的命令。各命令加 --help 看用法。")
def commands() -> None:
    pass
