"""Which findings a person asked for."""

from collections.abc import Sequence

from model_runners.errors import BadOption
from pid_core.errors import did_you_mean


def wanted(text: str | None, known: Sequence[str]) -> tuple[str, ...] | None:
    """Read `xiu26-1,mi26-pope`; None stays None, which is all of them.

    Raises
    ------
    BadOption
        If there is no such finding.

    >>> wanted("xiu26-1, mi26-pope", ["xiu26-1", "mi26-pope"])
    ('xiu26-1', 'mi26-pope')
    """
    if text is None:
        return None
    names = tuple(word.strip() for word in text.split(","))
    for name in names:
        if name not in known:
            raise BadOption(f"there is no finding {name!r}; {did_you_mean(name, known)}")
    return names
