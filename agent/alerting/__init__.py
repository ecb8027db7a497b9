"""Thresholds and the alert rules that are made from them."""
