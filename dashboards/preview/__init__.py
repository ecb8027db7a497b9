"""Draws the dashboards from their JSON, with data of a real Prometheus.

`scenarios` defines what happens to simulated clusters, `recording` runs the agent on
their lines, `prometheus` serves what it exported. `dashboard` and `variables` run a
dashboard's queries, `layout` and `model` put the page together, and `browser` draws it
with `bundle`, in which Grafana's package ``@grafana/data`` applies units, reducers,
transformations and field overrides. The agent itself uses nothing of this package.
"""
