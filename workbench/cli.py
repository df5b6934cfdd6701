"""One command per stage, printing what the stage yields."""

from __future__ import annotations

import importlib
import logging
import re
import sys
from collections.abc import Sequence

import click

from workbench import __version__, paths
from workbench.commands.console import say
from workbench.errors import Cancelled, WorkbenchError

# name -> module and attribute: a command's module is imported when it is used, so that each starts at once
COMMANDS = {
    "demo": "demo:demo",
    "index": "index:index",
    "search": "index:search",
    "bases": "bases:bases",
    "ask": "ask:ask",
    "dataset": "tune:dataset",
    "tune": "tune:tune",
    "train": "tune:train",
    "adapter": "adapter:adapter",
    "evaluate": "evaluate:evaluate",
    "advise": "advise:advise",
    "suite": "suite:suite",
    "sources": "drills:sources",
    "drill": "drills:drill",
    "judge": "drills:judge",
    "mark": "drills:mark",
    "models": "models:models",
    "doctor": "models:doctor",
    "bench": "bench:bench",
}

STANDARD_LANES = ("base", "prompted", "rag", "tuned", "rag+tuned", "full")


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f"workbench.commands.{module}"), attribute)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Measure, on your own documents and examples, what prompting, retrieval and fine-tuning each change.

    Without a command the window opens. Everything runs on this machine; only `models fetch` uses the network.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns the exit status: 0 done, 1 what was asked for was not reached, 2 bad input or usage, 130 cancelled.
    """
    try:
        outcome = cli.main(args=spread_lanes(arguments), prog_name="workbench", standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        say("Stopped. What was done so far is kept; the same command goes on from there.")
        return Cancelled.exit_status
    except WorkbenchError as error:
        logging.getLogger("workbench").warning("%s: %s", type(error).__name__, error, exc_info=error)
        say(f"workbench: {error}")
        return error.exit_status
    except BrokenPipeError:  # the reader of our output went away: `workbench search … | head`
        sys.stderr.close()
        return 0
    except Exception as error:  # the command line's exception hook: a sentence here, the traceback in the log
        logging.getLogger("workbench").exception("unexpected")
        say(f"workbench: an unexpected fault, {type(error).__name__}: {error}. The details are in {paths.log_file()}.")
        return 2


def spread_lanes(arguments: Sequence[str]) -> list[str]:
    """Let `--lane base rag tuned` stand for `--lane base --lane rag --lane tuned`; commas do as well."""
    found: list[str] = []
    after_lane = False
    for argument in arguments:
        if after_lane and re.split("[:@]", argument)[0] in STANDARD_LANES and found[-2:-1] == ["--lane"]:
            found += ["--lane", argument]
            continue
        after_lane = argument == "--lane" or (after_lane and found[-1:] == ["--lane"])
        found.append(argument)
    return found
