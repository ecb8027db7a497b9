"""The commands of Heroku's command line that a runbook may name: a closed list.

From the Dev Center article "Apache Kafka on Heroku" (June 2026) and, for arguments and
flags, from the sources: heroku/heroku-kafka-jsplugin 3.0.3 (``src/commands/kafka``) and
heroku/cli (``packages/cli/src/commands``). `kafka:fail` is left out on purpose.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """What a command takes beside ``-a APP``, which all but `SHARED` need."""

    least: int
    most: int
    flags: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()


_CLUSTER = Command(0, 1)
_TOPIC = Command(1, 2)

SHARED = {"authorizations:create", "plugins:install"}
"""Commands that are about the account or the machine, not about an app."""

COMMANDS = {
    # The article and the plugin. The last argument is the cluster.
    "kafka:info": _CLUSTER,
    "kafka:topics": _CLUSTER,
    "kafka:wait": _CLUSTER,
    "kafka:topics:info": _TOPIC,
    "kafka:topics:destroy": _TOPIC,
    "kafka:topics:create": Command(1, 2, frozenset({"--partitions"})),
    "kafka:topics:retention-time": Command(2, 3),
    "kafka:upgrade": Command(0, 1, frozenset({"--version"})),
    "kafka:credentials": Command(0, 1, switches=frozenset({"--reset"})),
    "plugins:install": Command(1, 1),
    # The article and heroku/cli.
    "addons:attach": Command(1, 1),
    "addons:info": Command(1, 1),
    "addons:upgrade": Command(2, 2),
    "logs": Command(0, 0, frozenset({"-p", "--ps", "-s", "-n"}), frozenset({"--tail"})),
    # heroku/cli.
    "addons": Command(0, 0),
    "authorizations:create": Command(0, 0, frozenset({"--description"})),
    "config:set": Command(1, 9),
    "drains": Command(0, 0),
    "drains:add": Command(1, 1),
    "drains:remove": Command(1, 1),
    "ps": Command(0, 0),
    "ps:restart": Command(0, 0),
    "ps:type": Command(1, 1),
    "releases": Command(0, 0),
}


def find_fault(words: list[str]) -> str | None:
    """Say what is wrong with a command, None where nothing is.

    Args:
        words: What stands behind ``heroku``.
    """
    name, *rest = words
    if name not in COMMANDS:
        return f"{name} is not in the list"
    command = COMMANDS[name]
    arguments, flags = _sort_out(rest, command.flags | {"-a"})
    unknown = flags - command.flags - command.switches - {"-a"}
    if unknown:
        return f"{name} has no flag {', '.join(unknown)}"
    if "-a" not in flags and name not in SHARED:
        return f"{name} needs -a APP"
    if not command.least <= len(arguments) <= command.most:
        return f"{name} takes {command.least} to {command.most} arguments"
    return None


def _sort_out(
    words: list[str], with_value: frozenset[str]
) -> tuple[list[str], set[str]]:
    """Tell arguments from flags; the values of flags are left out."""
    arguments, flags = [], set()
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            arguments.append(word)
            continue
        flags.add(word)
        if word in with_value and next(rest, None) is None:
            flags.add(f"{word} without a value")
    return arguments, flags
