"""The form of a message rule, and the first steps that rules share."""

from typing import NamedTuple

from agent.kafka.categories import Category, Urgency


class Rule(NamedTuple):
    """One row of the table in `agent.kafka.message_rules`.

    Attributes:
        id: Stable name: lower case, digits and hyphens; unique.
        category: What the message is about.
        urgency: What it asks for.
        classes: Names of classes, separated by blanks; ``*`` in front or behind stands
            for any text; empty for any class. Inner classes count as their outer one.
        text: Alternatives, separated by ``|``; empty for any message. Each is a sequence
            of literal texts, separated by `` … ``, that the message holds in this
            order. The first one begins the message, unless the alternative begins with
            ``… ``; in it, ``#`` stands for a number.
        meaning: One sentence: what the message means.
        first_step: One sentence: what to check first.
        exception: Names of exceptions, written as `classes` are, one of which must
            follow the message; empty where none has to.
        detail: Alternatives, separated by ``|``, one of which the exception's own
            message must hold; empty for any.
        final: No exception follows the message: what looks like one is a client's text.
    """

    id: str
    category: Category
    urgency: Urgency
    classes: str
    text: str
    meaning: str
    first_step: str
    exception: str = ""
    detail: str = ""
    final: bool = False


class ClassDefault(NamedTuple):
    """Category and urgency of messages for which no rule exists.

    Attributes:
        category: What the messages of these classes are about.
        urgency: What they ask for.
        classes: Names of classes, as in `Rule`.
    """

    category: Category
    urgency: Urgency
    classes: str


REPLICATION, ISR, CONTROLLER, ZOOKEEPER, STORAGE, MEMORY, NETWORK, SECURITY, REQUEST, \
    COORDINATOR, LIFECYCLE, UNKNOWN = Category  # fmt: skip
CRITICAL, WARNING, INFO, NOISE = Urgency

PEER = (
    "Check that the broker it names still sends samples; a restart takes a few minutes."
)
HEALTH = "Run heroku kafka:info; if it shows no maintenance, open a ticket with Heroku."
SUPPORT = "Open a ticket with Heroku and quote this line."
DISK = "Compare data size with the plan's capacity (heroku kafka:info); shorten retention or upgrade."
CLIENT = "Check the version, the configuration and the log of the client."
TOPIC = "Run heroku kafka:topics:info and check status, replication and retention."
REPEATS = "Check whether it repeats: once is a restart, repeated it is a fault."
NOTHING = "No action, unless it persists."

LOG = "Log UnifiedLog LocalLog LogLoader"
ISR_MANAGER = "DefaultAlterPartitionManager DefaultAlterIsrManager AlterIsrManagerImpl"
FETCHER = "ReplicaFetcherThread ReplicaAlterLogDirsThread RemoteLeaderEndPoint LocalLeaderEndPoint"
CONTROLLER_CHANNEL = "NodeToControllerRequestThread BrokerToControllerRequestThread"
