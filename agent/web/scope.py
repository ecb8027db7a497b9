"""What readers share, by the add-ons that their credentials are valid for."""

from agent.engine import Engine
from agent.settings import Settings
from agent.web.copies import Copier
from agent.web.page import Page


class Scope:
    """Copies, revisions and rendered parts for the readers of the same add-ons.

    Its cursors are valid in no other scope.

    Args:
        engine: What is shown.
        settings: Address, drain credentials, retention and thresholds.
        addons: The only add-ons that are shown; empty for all.

    Attributes:
        addons: The same.
        copier: Copies the clusters.
        page: Renders the page.
    """

    def __init__(
        self, engine: Engine, settings: Settings, addons: frozenset[str]
    ) -> None:
        self.addons = addons
        self.copier = Copier(engine, addons)
        self.page = Page(engine, settings, self.copier, addons)
