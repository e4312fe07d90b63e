"""Whether anything that lasts may be written, for whoever this process works for right now.

Every function that starts, stops, writes or deletes asks here, in one call at its beginning, so
that a dashboard that only shows things cannot be talked into more by any page. Reading never asks.
"""

import os
from collections.abc import Callable

from data_cache.errors import ReadOnly

ENVIRONMENT_VARIABLE = "PIDSCOPE_READ_ONLY"
_OFF = frozenset({"", "0", "false", "no", "off"})

Rule = Callable[[], str | None]
"""Says why the person who is served now may not write, or None."""
_rules: list[Rule] = []


def refusal() -> str | None:
    """Return why nothing may be written now, one sentence without its full stop; None if it may.

    The environment variable comes first: where it is set, no login opens anything.
    """
    if is_read_only():
        return f"this is read-only ({ENVIRONMENT_VARIABLE} is set)"
    return next((reason for rule in _rules if (reason := rule()) is not None), None)


def is_read_only() -> bool:
    """Return whether the environment says that nothing may be written, whoever asks.

    Anything but an empty value, 0, false, no and off says so: a slip of the pen must not open it.
    """
    return os.environ.get(ENVIRONMENT_VARIABLE, "").strip().lower() not in _OFF


def require_writing(what: str) -> None:
    """Do nothing if writing is allowed.

    Parameters
    ----------
    what
        What is about to be done, as the end of "cannot ...", for example `start a job`.

    Raises
    ------
    ReadOnly
        If it is not; the sentence says why and where it can be done.
    """
    reason = refusal()
    if reason is not None:
        raise ReadOnly(
            f"PIDscope cannot {what}: {reason}; do it where that does not hold, for example on the "
            "machine itself"
        )


def ask(rule: Rule) -> None:
    """Ask this rule, too, from now on; once, however often it is given."""
    if rule not in _rules:
        _rules.append(rule)


def forget(rule: Rule) -> None:
    """Ask this rule no more."""
    if rule in _rules:
        _rules.remove(rule)
