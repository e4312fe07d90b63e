"""A property that a self-test proves of a model: how it is judged, and the report of them all."""

from dataclasses import asdict, dataclass
from typing import Any

ROUNDING = {"float32": 1e-4, "bfloat16": 0.25, "float16": 0.05}
"""Largest difference of a logit between two ways to compute it that counts as rounding.

It is relative to the largest logit where that is over 1.
"""
LEAK = {"float32": 1e-4, "bfloat16": 0.01, "float16": 0.002}
"""Largest difference of a logit that masked content may make: none, but for kernels that add in no
fixed order. Relative as above."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One property and how far it is from holding."""

    name: str
    value: float
    limit: float
    passed: bool
    meaning: str


@dataclass(frozen=True, kw_only=True)
class SelfTestReport:
    """The checks of one load; stored with the run."""

    model: str
    family: str
    dtype: str
    device: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {**asdict(self), "passed": self.passed}


def at_most(name: str, value: float, limit: float, meaning: str) -> Check:
    """Return the check that holds up to a limit."""
    return Check(name=name, value=value, limit=limit, passed=value <= limit, meaning=meaning)


def more_than(name: str, value: float, limit: float, meaning: str) -> Check:
    """Return the check that holds above a limit."""
    return Check(name=name, value=value, limit=limit, passed=value > limit, meaning=meaning)
