"""The families of log lines that we understand: this tuple is the only list of them."""

from parsers.families.base import Budget, Family
from parsers.families.kafka.family import HEROKU_KAFKA
from parsers.families.log_pipeline import LOG_PIPELINE

FAMILIES: tuple[Family, ...] = (HEROKU_KAFKA, LOG_PIPELINE)

__all__ = ["FAMILIES", "Budget", "Family"]
