"""What an error says: where, what came, what is allowed, and the nearest right name."""

import difflib
import json
import math
import reprlib
from collections.abc import Iterable
from typing import Any

Location = tuple[str | int, ...]


class ConfigError(ValueError):
    """A config, an override or a name on the command line is wrong; one line per problem, each with its remedy."""


_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_short.maxdict = _short.maxlist = 3


def shown(value: Any) -> str:
    """A value as a config writes it, shortened."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value}"
    if isinstance(value, dict | list | tuple) and not value:
        return "an empty mapping" if isinstance(value, dict) else "an empty list"
    if value == "":
        return "empty text"
    return _short.repr(value)


def dotted(location: Location) -> str:
    """A place in a config as overrides write it: `networks.0.units`."""
    names = map(str, location)
    return ".".join(name if len(name) <= 60 else f"{name[:57]}..." for name in names)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is most probably meant to be; None when none is close."""
    known = list(known)
    lowered = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name[:100].lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """That a name is unknown, the nearest right one, and all that are allowed.

    Args:
        name: what came.
        known: what is allowed.
        what: what the names are names of, such as "field".

    Returns:
        A sentence without a subject, to come after the name or its place.
    """
    known = list(known)
    close = nearest(name, known)
    meant = f" Did you mean {close}?" if close else ""
    allowed = f" Allowed: {', '.join(known)}." if known else " Allowed: none."
    return f"is not a known {what}.{meant}{allowed}"
