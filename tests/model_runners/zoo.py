"""One tiny random model per family, with a processor put together from parts; no download.

Weights are drawn larger than transformers initialises them: at its own scale a few random layers
hardly let an image move a logit, and a leak would hide below the tolerance.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from model_runners.demo.build import save
from model_runners.loading import LoadedModel, load
from tests.model_runners.tiny.blip import blip_2_opt, blip_2_t5
from tests.model_runners.tiny.cohere import aya_vision
from tests.model_runners.tiny.deepseek import deepseek_vl
from tests.model_runners.tiny.fuyu import fuyu
from tests.model_runners.tiny.gemma import gemma3, gemma4, paligemma
from tests.model_runners.tiny.glm import glm4v
from tests.model_runners.tiny.idefics import idefics3, smolvlm
from tests.model_runners.tiny.instructblip import instructblip_llama, instructblip_t5
from tests.model_runners.tiny.kimi import kimi_k25
from tests.model_runners.tiny.llava import internvl, llava, llava_next, llava_onevision
from tests.model_runners.tiny.minicpm import minicpmv4_6
from tests.model_runners.tiny.mllama import mllama
from tests.model_runners.tiny.ovis import ovis2
from tests.model_runners.tiny.phi import phi4_multimodal
from tests.model_runners.tiny.pixtral import mistral3
from tests.model_runners.tiny.qwen import (
    qwen2_5_omni_thinker,
    qwen2_5_vl,
    qwen2_vl,
    qwen3_5,
    qwen3_vl,
    qwen3_vl_moe,
)

TINY: dict[str, Callable[[], tuple[Any, Any]]] = {
    "aya_vision": aya_vision,
    "blip-2": blip_2_opt,
    "blip-2_t5": blip_2_t5,
    "deepseek_vl": deepseek_vl,
    "fuyu": fuyu,
    "gemma3": gemma3,
    "gemma4": gemma4,
    "glm4v": glm4v,
    "idefics3": idefics3,
    "instructblip": instructblip_llama,
    "instructblip_t5": instructblip_t5,
    "internvl": internvl,
    "kimi_k25": kimi_k25,
    "llava": llava,
    "llava_next": llava_next,
    "llava_onevision": llava_onevision,
    "minicpmv4_6": minicpmv4_6,
    "mistral3": mistral3,
    "mllama": mllama,
    "ovis2": ovis2,
    "paligemma": paligemma,
    "phi4_multimodal": phi4_multimodal,
    "qwen2_5_omni_thinker": qwen2_5_omni_thinker,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen2_vl": qwen2_vl,
    "qwen3_5": qwen3_5,
    "qwen3_vl": qwen3_vl,
    "qwen3_vl_moe": qwen3_vl_moe,
    "smolvlm": smolvlm,
}
"""`model_type` -> a function that returns model and processor; one line per other line of
`FAMILIES`."""

BRINGS_CODE = {"internvl_chat"}
"""Lines of `FAMILIES` whose models come with code of their own (test_remote_code.py)."""

Builders = Mapping[str, Callable[[], tuple[Any, Any]]]


def build(model_type: str, folder: Path, *, models: Builders = TINY) -> Path:
    """Write a tiny model of a family in the ordinary layout and return its folder."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, processor = models[model_type]()
        _strengthen(model)
    save(model.eval(), processor, folder)
    return folder


def loaded_once(folder: Path, *, models: Builders = TINY) -> Callable[[str], LoadedModel]:
    """Return a function that builds a tiny model below a folder and loads it, each once."""

    @cache
    def get(model_type: str) -> LoadedModel:
        return load(str(build(model_type, folder / model_type, models=models)), device="cpu")

    return get


def _strengthen(model: Any) -> None:
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                weight.normal_(std=0.5 if "embed_tokens" in name else 0.15)
    model.tie_weights()
