"""Fast path for the bracketed contexts in front of a broker's message.

Kafka's classes write who they are before what they say: ``[ReplicaManager broker=2]``,
``[Admin Manager on Broker 1]: ``, ``[Partition orders-3 broker=1] `` (``logIdent`` and
``LogContext`` in Kafka's source). EBNF::

    text    = { context }, message ;
    context = "[", name, { separator, field }, "]", [ ":" | "," ], { " " } ;
    name    = word, { " ", word } ;               (begins with a letter or "/")
    word    = { any but blank, ",", "=", "[" and "]" }+ ;
    separator = " " | "," | ", " ;
    field   = key, "=", value ;
    key     = letter, { letter | digit | "_" | "." | "-" } ;
    value   = { any but blank, ",", "[" and "]" | nested } ;
    nested  = "[", { any but "[" and "]" | "[", { any but "[" and "]" }, "]" }, "]" ;

What has another shape belongs to the message. The fast path reads contexts without
nested brackets and leaves the others to `parsers.families.kafka.grammar`.
"""

import re
from functools import lru_cache

from parsers.records import Context

MAX_CONTEXTS = 4
"""Further contexts belong to the message; Kafka writes one, rarely two."""

MAX_CONTEXTS_CHARACTERS = 1_024
"""The grammar looks for contexts in this much of a text; Kafka's own take up to 300."""

_KEY = r"[A-Za-z][A-Za-z0-9_.-]*"
_VALUE = r"[^\s,\[\]]*"
_WORD = r"[^\s,=\[\]]+"

_FLAT = re.compile(r"\[([^\[\]]*)\][:,]? *")
_FIELD = re.compile(rf"(?:, ?| )({_KEY})=({_VALUE})")
_INSIDE = re.compile(
    rf"(?P<name>(?=[A-Za-z/]){_WORD}(?: {_WORD})*)"
    rf"(?P<fields>(?:(?:, ?| ){_KEY}={_VALUE})*)"
)

Split = tuple[tuple[Context, ...], str]
"""The contexts in front, and the message behind them."""


def maybe_split_contexts(text: str) -> Split | None:
    """Take the contexts off the front of a broker's text.

    Args:
        text: One line: what stands behind ``at=CLASS``.

    Returns:
        Contexts and message, or None where brackets are nested: the grammar decides.
    """
    contexts: list[Context] = []
    position = 0
    while text.startswith("[", position) and len(contexts) < MAX_CONTEXTS:
        flat = _FLAT.match(text, position)
        if flat is None:
            if "]" in text[position:]:
                return None
            break  # never closed, so it is the message's
        context = _read_inside(flat[1])
        if context is None:
            break
        contexts.append(context)
        position = flat.end()
    return tuple(contexts), text[position:]


@lru_cache(maxsize=1024)
def _read_inside(inside: str) -> Context | None:
    """Read what stands between the brackets; a cluster repeats a few of them."""
    shape = _INSIDE.fullmatch(inside)
    if shape is None:
        return None
    return Context(shape["name"], dict(_FIELD.findall(shape["fields"])))
