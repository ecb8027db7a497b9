"""The versions of Kafka that Heroku offers.

Source: Dev Center, "Apache Kafka on Heroku", section "Kafka Versions and Clients", last
updated 2026-06-08: 3.7.1 is the default and the recommended one; no end of life is
dated. One year after a version's last release Heroku deprecates it.
"""

import re
from datetime import date
from enum import Enum
from typing import NamedTuple


class Support(Enum):
    """What Heroku says of a version: label ``support``."""

    AVAILABLE = "available"
    DEPRECATED = "deprecated"
    UNKNOWN = "unknown"


class Version(NamedTuple):
    """One row of the table.

    Attributes:
        series: Major and minor number.
        newest: The release that is offered.
        end_of_life: When it ends; None while no date is set.
    """

    series: tuple[int, int]
    newest: str
    end_of_life: date | None


VERSIONS = (
    Version((2, 8), "2.8.2", None),
    Version((3, 7), "3.7.1", None),
)
RECOMMENDED = "3.7.1"

_NUMBERS = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.[0-9]{1,4}){0,2}")


def judge_version(version: str, today: date) -> Support:
    """Say whether Heroku still offers a version.

    Args:
        version: As the platform writes it: ``3.7.1``.
        today: What an end of life is compared with.

    Returns:
        `Support.UNKNOWN` for what is no version or newer than the table.
    """
    match = _NUMBERS.fullmatch(version)
    if match is None:
        return Support.UNKNOWN
    series = (int(match[1]), int(match[2]))
    for row in VERSIONS:
        if row.series == series:
            over = row.end_of_life is not None and row.end_of_life <= today
            return Support.DEPRECATED if over else Support.AVAILABLE
    newest = max(row.series for row in VERSIONS)
    return Support.UNKNOWN if series > newest else Support.DEPRECATED
