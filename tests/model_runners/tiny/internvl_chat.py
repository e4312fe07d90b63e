"""A small repository with code of its own, as OpenGVLab publishes InternVL."""

import json
import shutil
from pathlib import Path

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.processors_internvl import BEGIN, CONTEXT, END
from tests.model_runners.tiny.parts import PATCH_SIDE, WIDTH, new_tokenizer, text_settings

CODE = Path(__file__).resolve().parent.parent / "remote"
AUTO_MAP = {
    "AutoConfig": "configuration_internvl_chat.InternVLChatConfig",
    "AutoModel": "modeling_internvl_chat.InternVLChatModel",
    "AutoModelForCausalLM": "modeling_internvl_chat.InternVLChatModel",
}


def write_repository(folder: Path) -> Path:
    """Write configuration, weights, tokenizer and code; there is no processor, as there."""
    import torch
    from safetensors.torch import save_file
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder.mkdir(parents=True)
    for file in CODE.glob("*.py"):
        shutil.copy(file, folder)
    tokenizer = new_tokenizer(CONTEXT, begin=BEGIN, end=END)
    tokenizer.save_pretrained(folder)
    language = text_settings(tokenizer, model_type="qwen2")
    config = {
        "model_type": "internvl_chat",
        "architectures": ["InternVLChatModel"],
        "auto_map": AUTO_MAP,
        "vision_config": {
            "hidden_size": WIDTH,
            "patch_size": PATCH_SIDE,
            "image_size": IMAGE_SIDE,
        },
        "llm_config": language,
        "force_image_size": IMAGE_SIDE,
        "max_dynamic_patch": 2,
    }
    (folder / "config.json").write_text(json.dumps(config))
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.15

    inner = Qwen2ForCausalLM(Qwen2Config(**language)).state_dict()
    weights = {
        f"language_model.{name}": drawn(*value.shape) if value.dim() > 1 else value
        for name, value in inner.items()
    }
    weights |= {
        "vision_model.weight": drawn(WIDTH, 3, PATCH_SIDE, PATCH_SIDE),
        "vision_model.bias": torch.zeros(WIDTH),
        "mlp1.0.weight": torch.ones(4 * WIDTH),
        "mlp1.0.bias": torch.zeros(4 * WIDTH),
        "mlp1.1.weight": drawn(WIDTH, 4 * WIDTH),
        "mlp1.1.bias": torch.zeros(WIDTH),
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
