"""``watch``: a cluster in the terminal, from the text of ``heroku logs --tail``.

`lines` cuts bytes into lines, `tail` applies them to the same state that the drain
fills, `columns`, `table` and `report` draw it, `plain` writes it line by line, `running`
joins them to standard input and output. Nothing of the log reaches the terminal unescaped.
"""

from agent.watch.tail import Tail
from agent.watch.terminal import LiveView, PlainView, View, run_watch

__all__ = ["LiveView", "PlainView", "Tail", "View", "run_watch"]
