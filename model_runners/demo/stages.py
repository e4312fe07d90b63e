"""How a model of the zoo is trained: as published models are, in two stages with checkpoints.

1. Before both stages, once for each architecture and size: the tower learns digits through a probe
   that is thrown away, as it would come from CLIP, and the language model learns to add and to
   answer with letters from prompts without images, as it would come from text. The projector is
   then set back to where it began.
2. Stage `projector`: tower and language model are frozen.
3. Stage `all`: everything is trained.

After each quarter of a stage the averaged weights are a checkpoint, and the last one is the model.
"""

import copy
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_runners.demo.build import AbstractTinyModel, save
from model_runners.demo.lessons import Lessons
from model_runners.demo.train import (
    Average,
    Report,
    Schedule,
    fit,
    loss_of,
    silent,
    train_tower,
)
from model_runners.demo.zoo import SHARES, TOWER_STEPS, Member, zoo_corpus

if TYPE_CHECKING:
    from torch import nn

TRAJECTORY = "trajectory.json"
STAGES = ("projector", "all")
CHECKPOINTS = 4
"""Of each stage."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """How long and how fast a model of the zoo is trained."""

    tower_steps: int | None = None
    """None: as many as the table says for the architecture."""
    language_steps: int = 360
    """Of prompts without images."""
    projector_steps: int = 200
    all_steps: int = 960
    """Of most pairs, see `zoo.LONGER`."""
    batch: int = 32
    """Samples per step; the tower takes twice as many images."""
    rate: float = 5e-3
    """Peak learning rate of the one-cycle schedules before stage `all`."""
    all_rate: float = 2.5e-3
    """The same in stage `all`: what has been learnt before is not to be lost."""
    average: float = 0.99
    """Decay of the moving average of the weights that is saved."""
    hint: float = 0.5
    """Weight, fading to zero, of naming the answer's own words (`Schedule.hint`)."""


COURSE = Course()
BEFORE = {"language": 0.6, "vision": 0.2, "redundant": 0.2}
"""What the language model is asked before it is shown images: nothing that combines two sources."""


def train_member(
    member: Member,
    folder: Path,
    *,
    checkpoints: Path | None = None,
    course: Course = COURSE,
    report: Report = silent,
) -> None:
    """Train a model of the zoo, keep its checkpoints, and write the final one to a folder.

    Parameters
    ----------
    member
        A line of `ZOO`.
    folder
        Where the finished model goes, in the ordinary Hugging Face layout and bfloat16.
    checkpoints
        Below it lie `NAME/trajectory.json` with the checkpoints' folders, and `starts/NAME`, which
        is taken as it is where another line has left it. None keeps neither.
    course
        How long.
    report
        Called after each step.
    """
    import torch

    if checkpoints is None:
        with tempfile.TemporaryDirectory() as passing:
            train_member(member, folder, checkpoints=Path(passing), course=course, report=report)
        return
    size = member.build()
    processor = size.build_processor(zoo_corpus())
    model = started(
        member, size, processor, checkpoints / "starts" / member.start, course, report=report
    )
    trajectory = checkpoints / member.name
    shutil.rmtree(trajectory, ignore_errors=True)
    kept: list[dict[str, Any]] = []
    done = 0
    with torch.random.fork_rng():
        torch.manual_seed(member.seed)
        lessons = _lessons(processor, model, member)
        lengths = course.projector_steps, course.all_steps * member.longer
        for stage, steps in zip(STAGES, lengths, strict=True):

            def keep(step: int, weights: Mapping[str, Any], stage: str = stage) -> None:
                name = f"{stage}-{step:04d}"
                _write(size, processor, weights, trajectory / name)
                kept.append({"folder": name, "stage": stage, "step": step})

            parts = size.projector_parts(model) if stage == "projector" else [model]
            _teach(
                model,
                parts,
                size,
                lessons,
                course,
                steps=steps,
                rate=course.all_rate if stage == "all" else course.rate,
                shares=SHARES,
                shortcut=member.shortcut,
                hint=course.hint if stage == "all" else 0.0,
                keep={done + steps * part // CHECKPOINTS - 1 for part in range(1, CHECKPOINTS + 1)},
                first=done,
                save_as=keep,
                report=lambda step, loss, stage=stage, steps=steps: report(
                    stage, step, steps, loss
                ),
            )
            done += steps
    (trajectory / TRAJECTORY).write_text(
        json.dumps(
            {"name": f"demo/{member.name}", "stages": list(STAGES), "checkpoints": kept}, indent=1
        )
        + "\n",
        "utf-8",
    )
    shutil.copytree(trajectory / kept[-1]["folder"], folder, dirs_exist_ok=True)


def started(
    member: Member,
    size: AbstractTinyModel,
    processor: Any,
    folder: Path,
    course: Course = COURSE,
    *,
    report: Report = silent,
) -> Any:
    """Return the model before its first stage: from a folder, or made and left there."""
    import torch
    from transformers import AutoModelForImageTextToText

    if (folder / "config.json").is_file():
        return AutoModelForImageTextToText.from_pretrained(folder).train()
    model = size.build_model(processor, seed=member.seed).train()
    fresh = [copy.deepcopy(part.state_dict()) for part in size.projector_parts(model)]
    with torch.random.fork_rng():
        torch.manual_seed(member.seed)
        lessons = _lessons(processor, model, member)
        schedule = Schedule(
            tower_steps=course.tower_steps or TOWER_STEPS[member.architecture],
            instruct_steps=0,
            batch=course.batch,
            rate=course.rate,
            average=course.average,
        )
        train_tower(model, size, lessons, schedule, report=report)
        _teach(
            model,
            [model.model.language_model, model.lm_head],
            size,
            lessons,
            course,
            steps=course.language_steps,
            rate=course.rate,
            shares=BEFORE,
            conditions={"described": 0.5, "no_image": 0.5},
            hint=course.hint,
            report=lambda step, loss: report("language", step, course.language_steps, loss),
        )
    for part, weights in zip(size.projector_parts(model), fresh, strict=True):
        part.load_state_dict(weights)
    unfinished = folder.with_name(f".{folder.name}")
    save(model, processor, unfinished)
    unfinished.rename(folder)
    return model


def _lessons(processor: Any, model: Any, member: Member) -> Lessons:
    return Lessons(processor, image_token_id=model.config.image_token_id, seed=member.seed)


def _teach(
    model: Any,
    parts: "list[nn.Module]",
    size: AbstractTinyModel,
    lessons: Lessons,
    course: Course,
    *,
    steps: int,
    rate: float,
    shares: Mapping[str, float],
    hint: float,
    report: Callable[[int, float], None],
    shortcut: float = 0.0,
    conditions: Mapping[str, float] | None = None,
    keep: frozenset[int] | set[int] = frozenset(),
    first: int = 0,
    save_as: Callable[[int, Mapping[str, Any]], None] = lambda step, weights: None,
) -> None:
    """Train some parts of a model on questions; it ends with the averaged weights."""
    model.requires_grad_(False)
    for part in parts:
        part.requires_grad_(True)
    average = Average(model, course.average)
    done = 0

    def step_loss() -> Any:
        lesson = lessons.draw(
            course.batch,
            shares=shares,
            dropout=conditions is not None,
            shortcut=shortcut,
            conditions=conditions or {},
        )
        return loss_of(model, size, lesson, hint=hint * (1 - done / steps))

    def after(step: int, loss: float) -> None:
        nonlocal done
        done = step + 1
        average.update()
        if first + step in keep:
            save_as(first + step + 1, average.shadow)
        report(done, loss)

    learnt = [p for p in model.parameters() if p.requires_grad]
    fit(learnt, step_loss, steps=steps, rate=rate, after=after)
    average.apply()
    model.requires_grad_(True)


def _write(
    size: AbstractTinyModel, processor: Any, weights: Mapping[str, Any], folder: Path
) -> None:
    import torch

    model = size.build_model(processor, seed=0)
    model.load_state_dict(weights)
    save(model.to(torch.bfloat16).eval(), processor, folder)
