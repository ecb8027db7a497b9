"""The part of Go's templates that the rules' annotations use, as Prometheus fills it in.

Source: prometheus/prometheus, ``template/template.go``.
"""

import math
import re
from collections.abc import Callable, Mapping

_WITH = re.compile(
    r"\{\{ with \$labels\.(\w+) \}\}(.*?)\{\{ \. \}\}(.*?)\{\{ end \}\}", re.DOTALL
)
_IF_ZERO = re.compile(
    r"\{\{ if eq \$value 0\.0 \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}", re.DOTALL
)
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_VALUE = re.compile(r'\{\{ \$value \| (\w+)(?: "([^"]*)")? \}\}')

_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")
_LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_DURATION_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def fill_template(template: str, labels: Mapping[str, str], value: float) -> str:
    """Fill in an annotation.

    Args:
        template: As it stands in the rule file.
        labels: Of the alert; a missing one is empty.
        value: Of the alert's expression.
    """

    def optional(match: re.Match[str]) -> str:
        label = labels.get(match[1], "")
        return f"{match[2]}{label}{match[3]}" if label else ""

    def format_value(match: re.Match[str]) -> str:
        if match[1] == "printf":
            return str(match[2] % value)
        return _FILTERS[match[1]](value)

    text = _WITH.sub(optional, template)
    text = _IF_ZERO.sub(lambda match: match[2] if value else match[1], text)
    text = _LABEL.sub(lambda match: labels.get(match[1], ""), text)
    return _VALUE.sub(format_value, text)


def humanize(value: float) -> str:
    """Write a number with an SI prefix: ``1.234k``."""
    if not value or not math.isfinite(value):
        return f"{value:.4g}"
    if abs(value) >= 1:
        return _shorten(value, 1000, _LARGE)
    prefix = ""
    for one in _SMALL:
        if abs(value) >= 1:
            break
        prefix, value = one, value * 1000
    return f"{value:.4g}{prefix}"


def humanize_1024(value: float) -> str:
    """Write a number with a binary prefix: ``1.206ki``."""
    return _shorten(value, 1024, _BINARY)


def humanize_percentage(value: float) -> str:
    """Write a ratio as a percentage: ``93.15%``."""
    return f"{value * 100:.4g}%"


def humanize_duration(seconds: float) -> str:
    """Write a duration: ``1h 12m 5s``; below a second ``12ms``."""
    if not math.isfinite(seconds):
        return f"{seconds:.4g}"
    if abs(seconds) < 1:
        return f"{humanize(seconds)}s" if seconds else "0s"
    sign = "-" if seconds < 0 else ""
    rest = int(abs(seconds))
    parts: list[str] = []
    for size, unit in _DURATION_UNITS:
        count, rest = divmod(rest, size)
        if parts or count or unit == "s":
            parts.append(f"{count}{unit}")
    if len(parts) == 1:
        return f"{sign}{abs(seconds):.4g}s"
    return sign + " ".join(parts)


def _shorten(value: float, base: int, prefixes: tuple[str, ...]) -> str:
    prefix = ""
    if math.isfinite(value):
        for one in prefixes:
            if abs(value) < base:
                break
            prefix, value = one, value / base
    return f"{value:.4g}{prefix}"


_FILTERS: Mapping[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanize1024": humanize_1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
}
