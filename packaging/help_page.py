"""Write docs/help.md from the commands themselves: `python packaging/help_page.py`; a test keeps the two level."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from workbench.cli import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "help.md"


def page() -> str:
    """The whole page: every command with its help, as `--help` prints it."""
    settings: dict[str, Any] = {**cli.context_settings, "max_content_width": 100, "terminal_width": 100}
    top = click.Context(cli, info_name="workbench", **settings)
    parts = ["# Every command", "Made from the program's own help by `packaging/help_page.py`.", _block(top)]
    for name in cli.list_commands(top):
        parts += _sections(name, cli.get_command(top, name), top)
    return "\n\n".join(parts) + "\n"


def _sections(name: str, command: click.Command | None, above: click.Context) -> Iterator[str]:
    if command is None or command.hidden:
        return
    context = click.Context(command, info_name=name, parent=above, max_content_width=100, terminal_width=100)
    yield f"## {context.command_path}"
    yield _block(context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _sections(each, command.get_command(context, each), context)


def _block(context: click.Context) -> str:
    return f"```\n{context.get_help()}\n```"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
