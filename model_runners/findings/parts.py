"""What a finding is: a claim, the statistic that it is held to, and the numbers that come out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pid_core.claims import Evidence, Side

if TYPE_CHECKING:
    from model_runners.findings.material import Material

Unit = Literal["rho", "points", "bits", "%"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One number of a finding, for example of one task."""

    about: str
    """The task, model or training that the number is about."""
    evidence: Evidence
    published: str = ""
    """What a paper says, with its place; empty where it gives no number."""
    published_value: float | None = None
    """In the unit of the finding; None where it gives none."""
    side: Side | None = None
    """Where the number lies by the claim, where parts differ in that."""
    tasks: tuple[str, ...] = ()
    """What it was measured on."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the table of findings."""

    id: str
    """Paper and number, as an address can hold it."""
    paper: str
    at: str
    """Where in the paper."""
    title: str
    claim: str
    """In one sentence that can be wrong."""
    number: str
    """What the statistic is, in words, without its unit."""
    unit: Unit
    statistic: "Callable[[Material], list[Part]]"
    needs: str
    """What has to be in the cache for it."""
    side: Side = "above"
    """Where the number lies by the claim: above the threshold, or below."""
    against: float = 0.0
    """The threshold, in the unit."""
