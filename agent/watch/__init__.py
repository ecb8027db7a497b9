"""``watch``: a cluster in the terminal, from the text of ``heroku logs --tail``.

`session` reads the text into an engine of its own, `columns`, `table` and `report` draw
it, `plain` writes it line by line, `terminal` connects them to standard input and output.
Nothing of the log reaches the terminal unescaped.
"""

from agent.watch.session import Session
from agent.watch.terminal import LiveView, PlainView, View, run_watch

__all__ = ["LiveView", "PlainView", "Session", "View", "run_watch"]
