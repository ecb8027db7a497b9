"""``replay``: what archives of a log stream held, summed up or as a history."""

from agent.replay.archives import STDIN, Source, find_sources
from agent.replay.progress import showing_progress
from agent.replay.report import render_json
from agent.replay.runner import Replay, ReplayError, check_output, run_replay
from agent.replay.tables import make_console, print_tables, render_figure

__all__ = [
    "STDIN",
    "Replay",
    "ReplayError",
    "Source",
    "check_output",
    "find_sources",
    "make_console",
    "print_tables",
    "render_figure",
    "render_json",
    "run_replay",
    "showing_progress",
]
