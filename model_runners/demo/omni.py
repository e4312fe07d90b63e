"""`demo/omni`: a small thinker that watches and listens, trained on `digits_av`."""

from pathlib import Path

from data_cache.benchmarks.digits_av import load
from model_runners.asking import user_text
from model_runners.demo.build import save
from model_runners.demo.clip_lessons import ClipLessons
from model_runners.demo.tiny_qwen2_5_omni import TinyQwen2_5_Omni
from model_runners.demo.train import Report, Schedule, silent
from model_runners.demo.train_clips import instruct_clips, train_encoders

SIZE = TinyQwen2_5_Omni(phrases=True)
SCHEDULE = Schedule(tower_steps=500, instruct_steps=6000)
SHARES = {"synergy": 0.4, "video": 0.2, "audio": 0.2, "redundant": 0.2}
"""Synergy is the only task that needs two steps of reasoning, and the last to be learnt."""
SEED = 0


def train(folder: Path, *, schedule: Schedule = SCHEDULE, report: Report = silent) -> None:
    """Train the model with modality dropout and write it in the ordinary Hugging Face layout.

    Parameters
    ----------
    folder
        Where config, weights, tokenizer and processor are written.
    schedule
        How long.
    report
        Called after each step.
    """
    import torch

    corpus = [user_text(sample) for sample in load().samples if sample.split == "train"]
    processor = SIZE.build_processor(corpus)
    model = SIZE.build_model(processor, seed=SEED)
    lessons = ClipLessons(model, processor, seed=SEED)
    model.train()
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        train_encoders(model, lessons, schedule, report=report)
        instruct_clips(model, lessons, schedule, shares=SHARES, report=report)
    model.to(torch.bfloat16)
    save(model.eval(), processor, folder)
