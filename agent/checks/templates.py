"""The templates in annotations and labels of alerts, as far as they can be checked."""

import re

_BRACES = re.compile(r"{{|}}")
_ACTION = re.compile(r"{{(.*?)}}", re.DOTALL)
_LABEL = re.compile(r"\$labels\.([a-zA-Z_]\w*)|\bindex\s+\$labels\s+[\"`](\w+)[\"`]")
_VALUE = re.compile(r"\$value\b|\.Value\b")


def braces_pair(text: str) -> bool:
    """Say whether each ``{{`` is closed before the next one."""
    return _BRACES.findall(text) == ["{{", "}}"] * (text.count("{{"))


def find_labels(text: str) -> list[str]:
    """Find the labels that a template asks for, each once."""
    found = (
        one or other
        for action in _ACTION.findall(text)
        for one, other in _LABEL.findall(action)
    )
    return list(dict.fromkeys(found))


def holds_value(text: str) -> bool:
    """Say whether a template asks for the value."""
    return any(_VALUE.search(action) for action in _ACTION.findall(text))
