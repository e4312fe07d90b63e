"""The problem bank: channels whose atoms are known, so that any estimator can be held to them.

Five kinds, all in bits and all made on demand from a seed:

- ``gate``: logic gates with atoms in closed form;
- ``predictive``: what the softmaxes of a model look like, one unique atom positive at most;
- ``two unique atoms``: the same with both unique atoms positive, the hard ones for any solver;
- ``prior``: masked probes whose answer frequencies are not those of the joint run;
- ``family``: a population with atoms of your choice.

>>> from pid_core import estimate
>>> from pid_core.bank import get
>>> conjunction = get("gate/and")
>>> found = estimate(conjunction.make())
>>> round(conjunction.error_of(found.atoms), 6)
0.0
"""

from pid_core.bank.family import family
from pid_core.bank.gates import gates
from pid_core.bank.hard import hard_cases
from pid_core.bank.predictive import predictive_cases
from pid_core.bank.priors import prior_cases
from pid_core.bank.problem import KINDS, Kind, Problem
from pid_core.errors import UnknownName

__all__ = [
    "KINDS",
    "Kind",
    "Problem",
    "family",
    "gates",
    "get",
    "hard_cases",
    "predictive_cases",
    "prior_cases",
    "problems",
]


def problems() -> tuple[Problem, ...]:
    """Return every problem in its published size; nothing is drawn before `make` is called.

    >>> [(kind, sum(one.kind == kind for one in problems())) for kind in KINDS]
    [('gate', 8), ('predictive', 6), ('two unique atoms', 4), ('prior', 5), ('family', 1)]
    """
    return (*gates(), *predictive_cases(), *hard_cases(), *prior_cases(), family())


def get(name: str) -> Problem:
    """Return the problem of a name in its published size.

    Raises
    ------
    UnknownName
        The message has the nearest name, and all of them.

    >>> get("predictive/soft").title
    'Soft softmaxes'
    >>> get("predictive/sofd")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    pid_core.errors.UnknownName: no problem is called 'predictive/sofd'; did you mean \
'predictive/soft'? known: ...
    """
    by_name = {one.name: one for one in problems()}
    if name not in by_name:
        raise UnknownName.of("problem", name, by_name)
    return by_name[name]
