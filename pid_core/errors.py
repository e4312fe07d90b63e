"""What can go wrong in pid_core, as one tree.

    PidError (ValueError)
    ├── ChannelError        the distributions, masks or labels handed in break a rule
    ├── MarginError         no joint distribution has the two margins asked for
    ├── UnknownName         an estimator, policy or level that is not in the table
    └── NotConverged        raised only when the caller asked for it with throw=True

Each message is one sentence: the rule, the value that broke it and where, what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the part of a message that has the nearest of the known names, and all of them.

    >>> did_you_mean("certifed", ["certified", "batch"])
    "did you mean 'certified'? known: batch, certified"
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(names)}"


class PidError(ValueError):
    """The root of every error that pid_core raises on purpose."""


class ChannelError(PidError):
    """Distributions, masks or labels that break a rule of the input."""


class MarginError(PidError):
    """Two margins that no joint distribution can have at once."""


class UnknownName(PidError):
    """A name that is not in its table; the message lists the table and the nearest name."""

    @classmethod
    def of(cls, kind: str, name: object, known: Iterable[str]) -> UnknownName:
        """Build the message for a name of some `kind` that is not among the `known`."""
        return cls(f"no {kind} is called {name!r}; {did_you_mean(name, known)}")


class NotConverged(PidError):
    """The certificate stayed wider than the tolerance and the caller asked for an exception."""
