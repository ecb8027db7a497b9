"""Which format of the exposition a scrape prefers."""

import contextlib

_OPENMETRICS = "application/openmetrics-text"
_TEXT = ("text/plain", "text/*", "*/*")  # the most specific range decides


def choose_ranges(accept: str) -> str:
    """Reduce an ``Accept`` header to the media types that the client prefers.

    prometheus_client takes OpenMetrics wherever the header names it, whatever its weight.

    Args:
        accept: Value of the header.

    Returns:
        The header without ranges of weight 0, and without OpenMetrics where plain text
        has a higher weight (RFC 9110, section 12.4.2). At equal weights OpenMetrics is
        preferred.
    """
    weights: dict[str, float] = {}
    kept: list[tuple[str, str]] = []
    for text in accept.split(","):
        media_type, *parameters = (part.strip() for part in text.lower().split(";"))
        weight = _read_weight(parameters)
        weights[media_type] = max(weight, weights.get(media_type, 0.0))
        if weight > 0:
            kept.append((media_type, text))
    of_text = next((weights[one] for one in _TEXT if one in weights), 0.0)
    is_text = of_text > weights.get(_OPENMETRICS, 0.0)
    return ",".join(
        text
        for media_type, text in kept
        if not (is_text and media_type == _OPENMETRICS)
    )


def _read_weight(parameters: list[str]) -> float:
    """Read the weight of a media range; 1 where it has none or an invalid one."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            with contextlib.suppress(ValueError):
                return weight if 0 <= (weight := float(value)) <= 1 else 1.0
    return 1.0
