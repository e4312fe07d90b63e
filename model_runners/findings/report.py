"""All findings held to one cache: every statistic, judged together by one rule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isnan
from typing import Any

from model_runners.findings.material import Material
from model_runners.findings.parts import Finding, Part
from model_runners.findings.registry import FINDINGS
from pid_core.association import Correction
from pid_core.claims import SURE_BELOW, Judged, Side, Verdict, judge, together

RULE = (
    "Supported: the whole 95 % interval lies on the side that the claim says, and the p-value, "
    "corrected over all statistics that are shown, is below 0.05. Contradicted: the same on the "
    "other side. Else there is not enough data. Of several statistics one that contradicts a "
    "finding is enough, else one that supports it."
)


@dataclass(frozen=True, kw_only=True)
class JudgedPart:
    """One number of a finding with what the rule says of it."""

    part: Part
    side: Side
    judged: Judged

    @property
    def why(self) -> str:
        """Say why there is not enough data; empty where there is."""
        evidence, p = self.part.evidence, self.judged.adjusted_p
        if self.judged.verdict != "not enough data":
            return ""
        if evidence.note:
            return evidence.note
        if isnan(evidence.value):
            return "it has no value"
        if isnan(p):
            return "how sure it is, is not known"
        if p >= SURE_BELOW:
            return f"p = {p:.2g} after correction"
        return "the interval holds the threshold"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of one finding."""

    finding: Finding
    verdict: Verdict
    parts: tuple[JudgedPart, ...]

    @property
    def why(self) -> str:
        """Say in a few words what the verdict rests on."""
        if not self.parts:
            return f"needs {self.finding.needs}"
        decided = [one for one in self.parts if one.judged.verdict == self.verdict]
        if self.verdict == "not enough data":
            reasons = list(dict.fromkeys(one.why for one in self.parts))
            return reasons[0] if len(reasons) == 1 else f"{reasons[0]}; {len(reasons) - 1} more"
        return "" if len(self.parts) == 1 else f"{len(decided)} of {len(self.parts)} statistics"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; what is not known is None."""
        one = self.finding
        return {
            "id": one.id,
            "paper": one.paper,
            "at": one.at,
            "title": one.title,
            "claim": one.claim,
            "statistic": one.number,
            "unit": one.unit,
            "threshold": one.against,
            "verdict": self.verdict,
            "why": self.why,
            "parts": [_part(part) for part in self.parts],
        }


Measured = tuple[tuple[Finding, tuple[Part, ...]], ...]


def find(
    material: Material,
    *,
    correction: Correction = "holm",
    only: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Found]:
    """Hold the findings to what is stored.

    Parameters
    ----------
    material
        What was read, see `read_material`.
    correction
        How p-values are corrected over all statistics, "holm" or "bh".
    only
        Ids of the findings that are wanted; the correction is then over these alone.
    progress
        Called with how many findings are done, and of how many.
    """
    return judged(measure(material, only=only, progress=progress), correction=correction)


def measure(
    material: Material,
    *,
    only: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Return the statistics of the findings; parameters as in `find`."""
    names = None if only is None else set(only)
    wanted = [one for one in FINDINGS if names is None or one.id in names]
    measured: list[tuple[Finding, tuple[Part, ...]]] = []
    for place, finding in enumerate(wanted):
        measured.append((finding, tuple(finding.statistic(material))))
        if progress is not None:
            progress(place + 1, len(wanted))
    return tuple(measured)


def judged(measured: Measured, *, correction: Correction = "holm") -> list[Found]:
    """Judge statistics together, see `RULE`."""
    flat = [(finding, part) for finding, parts in measured for part in parts]
    sides: list[Side] = [part.side or finding.side for finding, part in flat]
    verdicts = judge(
        [part.evidence for _, part in flat],
        sides,
        against=[finding.against for finding, _ in flat],
        correction=correction,
    )
    of_parts = iter(zip(flat, sides, verdicts, strict=True))
    found: list[Found] = []
    for finding, parts in measured:
        own = tuple(
            JudgedPart(part=part, side=side, judged=verdict)
            for _ in parts
            for (_, part), side, verdict in [next(of_parts)]
        )
        found.append(
            Found(
                finding=finding,
                verdict=together([one.judged.verdict for one in own]),
                parts=own,
            )
        )
    return found


def _part(one: JudgedPart) -> dict[str, Any]:
    evidence = one.part.evidence
    return {
        "about": one.part.about,
        "value": _known(evidence.value),
        "interval": [_known(end) for end in evidence.interval],
        "p": _known(evidence.p_value),
        "p_corrected": _known(one.judged.adjusted_p),
        "n": evidence.n,
        "n_of": evidence.unit,
        "side": one.side,
        "published": one.part.published,
        "published_value": one.part.published_value,
        "verdict": one.judged.verdict,
        "why": one.why,
        "tasks": list(one.part.tasks),
    }


def _known(value: float) -> float | None:
    return None if isnan(value) else value
