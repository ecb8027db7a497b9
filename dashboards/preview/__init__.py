"""Draws the dashboards from their JSON, with the answers of a real Prometheus.

`story` says what happened to some simulated clusters, `recording` lets the agent live
through it, `prometheus` serves what it exported. `grafana` resolves variables and runs
queries as Grafana does, `frames` and `transformations` shape the answers, and `drawing`
lets a browser draw them. It is for judging a dashboard without a Grafana; the agent
itself uses nothing of it.
"""
