"""Findings that are statements over models: regimes, correlations, stable strategies."""

from collections.abc import Sequence
from math import nan

from data_cache.published import (
    PublishedCorrelation,
    published_benchmark,
    published_bounds,
    published_correlations,
    published_regimes,
)
from data_cache.records import SpectrumRecord
from model_runners.family_statistics import OUTCOMES, PARTS, with_shares
from model_runners.findings.material import Kind, Material, Task
from model_runners.findings.parts import Part
from pid_core.association import closer, spearman
from pid_core.claims import of_association, of_closer, of_mean
from pid_core.regimes import medians, stability


def regimes(material: Material) -> list[Part]:
    """Synergy's share minus unique language's, mean over models, of tasks whose kind is told."""
    found: list[Part] = []
    for task in material.tasks:
        if not task.kind or task.origin == "measured":
            continue
        members = with_shares(task.records)
        printed = published_regimes(task.benchmark) if task.is_whole else []
        said = [f"{one.regime} ({one.study.short}, {one.at})" for one in printed]
        found.append(
            Part(
                about=task.name,
                evidence=of_mean([_lead(one) for one in members], groups=material.groups(members)),
                published="; ".join(said) or f"{task.kind}, as its questions were built",
                side="above" if task.kind == "synergy-driven" else "below",
                tasks=(task.name,),
            )
        )
    return found


def correlation(
    material: Material, *, outcome: str, part: str, kind: Kind, studies: Sequence[str]
) -> list[Part]:
    """Spearman's rho of a part with an outcome over models, for each task of a kind."""
    found: list[Part] = []
    for task in material.of_kind(kind):
        records = task.records
        printed = _printed(task, outcome, part, studies)
        found.append(
            Part(
                about=task.name,
                evidence=of_association(
                    spearman(
                        [PARTS[part](record) for record in records],
                        _outcomes(records, outcome),
                        groups=material.groups(records),
                    )
                ),
                published="; ".join(one.words for one in printed),
                published_value=printed[0].rho if printed else None,
                tasks=(task.name,),
            )
        )
    return found


def lead_of_synergy(material: Material) -> list[Part]:
    """By how much accuracy goes more closely with S than with U2, over models."""
    found: list[Part] = []
    for task in material.of_kind("synergy-driven"):
        printed = {
            one.quantity: one
            for one in published_correlations(task.benchmark if task.is_whole else "")
            if (one.outcome, one.study.key) == ("accuracy", "xiu26")
        }
        part = _closer(material, task, "accuracy", "synergy", "unique_2")
        if "synergy" in printed and "unique_2" in printed:
            one, two = printed["synergy"], printed["unique_2"]
            part = Part(
                about=part.about,
                evidence=part.evidence,
                published=f"{one.rho:.3f} and {two.rho:.3f} ({one.study.short}, {one.at})",
                published_value=one.rho - two.rho,
                tasks=part.tasks,
            )
        found.append(part)
    return found


def lead_over_total(material: Material) -> list[Part]:
    """By how much D_vision goes more closely with S than with the total, over models."""
    bound = published_bounds(outcome="d_vision", quantity="total")[0]
    found: list[Part] = []
    for task in material.of_kind("synergy-driven"):
        part = _closer(material, task, "d_vision", "synergy", "total")
        printed = _printed(task, "d_vision", "synergy", ["mi26"])
        if printed:
            part = Part(
                about=part.about,
                evidence=part.evidence,
                published=f"{printed[0].rho:.3f} and at most {bound.at_most} "
                f"({bound.study.short}, {bound.at})",
                published_value=printed[0].rho - bound.at_most,
                tasks=part.tasks,
            )
        found.append(part)
    return found


def stable_families(material: Material, *, part: str) -> list[Part]:
    """Spearman's rho over families between the two kinds of tasks, of their median of a part."""
    middles: list[dict[str, float]] = []
    names: list[str] = []
    for kind in ("synergy-driven", "knowledge-driven"):
        tasks = material.of_kind(kind)
        names += [task.name for task in tasks]
        records = [record for task in tasks for record in task.records]
        if not records:
            return []
        found = medians([[PARTS[part](one)] for one in records], [one.family for one in records])
        middles.append({family: float(row[0]) for family, row in found.items()})
    return [
        Part(
            about=f"median {PART_WORDS[part]} per family",
            evidence=of_association(stability(*middles), unit="families"),
            tasks=tuple(names),
        )
    ]


def apart(material: Material, *, first: str, second: str) -> list[Part]:
    """By how much synergy leads more on one published benchmark than on another, over models."""
    tasks = {published_benchmark(task.benchmark): task for task in material.tasks if task.is_whole}
    if first not in tasks or second not in tasks:
        return []
    one, two = (
        {record.model: record for record in with_shares(tasks[name].records)}
        for name in (first, second)
    )
    both = [one[model] for model in one if model in two]
    leads = [_lead(record) - _lead(two[record.model]) for record in both]
    said = [
        f"{regime.regime} against {other.regime} ({regime.study.short}, {regime.at})"
        for regime in published_regimes(first)
        for other in published_regimes(second)
        if regime.study.key == other.study.key == "mi26"
    ]
    return [
        Part(
            about=f"{tasks[first].name} minus {tasks[second].name}",
            evidence=of_mean(leads, groups=material.groups(both)),
            published="; ".join(said),
            tasks=(tasks[first].name, tasks[second].name),
        )
    ]


PART_WORDS = {
    "redundancy": "redundancy",
    "unique_1": "unique vision",
    "unique_2": "unique language",
    "synergy": "synergy",
    "total": "total information",
    "coinformation": "co-information",
}


def _closer(material: Material, task: Task, outcome: str, first: str, second: str) -> Part:
    records = task.records
    found = closer(
        _outcomes(records, outcome),
        [PARTS[first](record) for record in records],
        [PARTS[second](record) for record in records],
        groups=material.groups(records),
    )
    return Part(about=task.name, evidence=of_closer(found), tasks=(task.name,))


def _outcomes(records: Sequence[SpectrumRecord], outcome: str) -> list[float]:
    found = [OUTCOMES[outcome](record) for record in records]
    return [nan if value is None else value for value in found]


def _lead(record: SpectrumRecord) -> float:
    """Return by how many points synergy's share exceeds unique language's."""
    return 100.0 * (record.synergy - record.unique_2) / record.total


def _printed(
    task: Task, outcome: str, part: str, studies: Sequence[str]
) -> list[PublishedCorrelation]:
    """Return what the studies printed of a correlation, in their order."""
    if not task.is_whole:
        return []
    fitting = [
        one
        for one in published_correlations(task.benchmark)
        if (one.outcome, one.quantity) == (outcome, part) and one.study.key in studies
    ]
    return sorted(fitting, key=lambda one: list(studies).index(one.study.key))
