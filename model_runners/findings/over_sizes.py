"""Findings about size: what grows from each model to the next larger one of its series."""

from math import nan

from data_cache.published import PublishedStep, published_steps
from model_runners.findings.material import Material
from model_runners.findings.parts import Part
from model_runners.scaling import StepChanges, scaling
from pid_core.association import closer
from pid_core.claims import of_closer, of_mean

SYNERGY, LANGUAGE = "synergy_share", "unique_2_share"


def steps(material: Material) -> list[StepChanges]:
    """Return the steps in size over the synergy-driven tasks, without those that skip a size."""
    return [one for one in all_steps(material) if one.step.is_next]


def all_steps(material: Material) -> list[StepChanges]:
    """Return all steps over the synergy-driven tasks, as Xiu26's table 3 has them."""
    tasks = {task.name: task.records for task in material.of_kind("synergy-driven")}
    return material.once("steps", lambda: scaling(material.cache, tasks, material.parameters))


def gains_follow_synergy(material: Material) -> list[Part]:
    """By how much the change of accuracy goes more closely with that of S than of U2, over steps.

    Steps of one series share a model, so that the bootstrap draws whole series.
    """
    found = steps(material)
    if not found:
        return []
    columns = [[one.mean[name].value for one in found] for name in ("accuracy", SYNERGY, LANGUAGE)]
    printed = published_steps()
    theirs = closer(
        [one.accuracy for one in printed],
        [one.synergy_share for one in printed],
        [one.unique_2_share for one in printed],
        groups=[one.family for one in printed],
    )
    return [
        Part(
            about=_about(found),
            evidence=of_closer(
                closer(*columns, groups=[one.step.series for one in found]), unit="steps"
            ),
            published=f"{theirs.first:.2f} and {theirs.second:.2f}, from the {len(printed)} steps "
            f"of {_place(printed[0])}",
            published_value=theirs.difference,
            tasks=_tasks(found),
        )
    ]


def share_grows(material: Material, *, name: str) -> list[Part]:
    """Mean change of a share per step, points; whole series are drawn."""
    found = steps(material)
    if not found:
        return []
    values = [one.mean[name].value for one in found]
    printed = published_steps()
    theirs = sum(getattr(one, name) for one in printed) / len(printed) if printed else nan
    return [
        Part(
            about=_about(found),
            evidence=of_mean(values, groups=[one.step.series for one in found], unit="steps"),
            published=f"{theirs:+.1f}, mean of the {len(printed)} steps of {_place(printed[0])}",
            published_value=theirs,
            tasks=_tasks(found),
        )
    ]


def _about(found: list[StepChanges]) -> str:
    series = len({one.step.series for one in found})
    named = "1 series" if series == 1 else f"{series} series"
    return f"{len(found)} steps of {named}" if len(found) > 1 else f"1 step of {named}"


def _tasks(found: list[StepChanges]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(task for one in found for task in one.tasks))


def _place(one: PublishedStep) -> str:
    return f"{one.study.short}, {one.at}"
