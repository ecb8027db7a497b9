"""The part of grafana-dashboard-builder that is used: its definition layer.

As a library, it needs PyYAML alone. On Python 3.11 it imports a module that warns of its
end; it does without on later ones.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_dashboards.common import get_component_type
    from grafana_dashboards.components import projects
    from grafana_dashboards.components.annotations import (
        Annotations,
        AnnotationsItemBase,
    )
    from grafana_dashboards.components.base import (
        JsonGenerator,
    )
    from grafana_dashboards.components.panels import Panels, PanelsItemBase
    from grafana_dashboards.components.projects import Project
    from grafana_dashboards.components.rows import Rows, RowsItemBase
    from grafana_dashboards.components.templates import Templates, TemplatesItemBase
    from grafana_dashboards.parser import DefinitionParser

__all__ = [
    "Annotations",
    "AnnotationsItemBase",
    "DefinitionParser",
    "JsonGenerator",
    "Panels",
    "PanelsItemBase",
    "Project",
    "Rows",
    "RowsItemBase",
    "Templates",
    "TemplatesItemBase",
    "get_component_type",
    "projects",
]
