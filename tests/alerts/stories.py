"""Who must be told what, how soon, of the simulator's stories: the table of the docs.

Minutes are the story's. A notification is due when the alert's own times have passed
(`Told.rule`), plus what machinery takes: two evaluations, the wait of Alertmanager's
group (or its interval, where the group has spoken before), and a sample of the broker.
"""

from dataclasses import dataclass

MACHINERY_MINUTES = 5.0
GROUP_MINUTES = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One notification that must come.

    Attributes:
        scenario: The simulator's.
        alert: Its name.
        receiver: ``pager`` or ``chat``.
        trouble: What happens, in words.
        at: The minute of the story in which it happens.
        rule: Minutes from there until the rule fires, by thresholds.yaml.
        grouped: The cluster's group has spoken before, so that it waits its interval.
    """

    scenario: str
    alert: str
    receiver: str
    trouble: str
    at: float
    rule: float
    grouped: bool = False

    @property
    def within(self) -> float:
        """Minutes from the trouble until the notification must be there."""
        extra = GROUP_MINUTES if self.grouped else 0.0
        return self.rule + MACHINERY_MINUTES + extra


TOLD = (
    Told(
        scenario="broker-loss",
        alert="HerokuKafkaBrokerSilent",
        receiver="chat",
        trouble="a broker is gone",
        at=2,
        rule=10,
    ),
    Told(
        scenario="broker-loss",
        alert="HerokuKafkaBrokerSilent",
        receiver="pager",
        trouble="it is still gone",
        at=2,
        rule=20,
    ),
    Told(
        scenario="memory-pressure",
        alert="HerokuKafkaBrokerFatal",
        receiver="pager",
        trouble="a broker runs out of heap",
        at=25,
        rule=0,
    ),
    Told(
        scenario="hot-broker",
        alert="HerokuKafkaLoadHigh",
        receiver="chat",
        trouble="the 5-minute load of a broker passes the threshold",
        at=6.5,
        rule=15,
    ),
    Told(
        scenario="disk-filling",
        alert="HerokuKafkaBrokerFatal",
        receiver="pager",
        trouble="the disk is full and the broker halts",
        at=20,
        rule=0,
    ),
    Told(
        scenario="disk-filling",
        alert="HerokuKafkaDataSizeHigh",
        receiver="pager",
        trouble="the data passes 90 % of the plan",
        at=20,
        rule=10,
        grouped=True,
    ),
)

QUIET = ("steady", "node-failure", "rolling-restart", "plan-upgrade")
"""Scenarios of which nobody is told: a restart, an upgrade, a broker that comes back."""
