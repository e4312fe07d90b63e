"""Models of the shape that forks of LLaVA have, written to folders as their loaders read them."""

import json
import sys
from pathlib import Path

REPOSITORIES = Path(__file__).resolve().parent / "repositories"


def save(package: str, folder: Path) -> Path:
    """Write a small model of random weights and return its folder."""
    import torch
    from safetensors.torch import save_file

    from tests.model_runners.tiny.parts import new_tokenizer

    tokenizer = new_tokenizer("<image>")
    folder.mkdir(parents=True)
    tokenizer.save_pretrained(folder)
    before_image = "Questions about pictures.\nUSER: "
    config = {
        "model_type": package,
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "heads": 2,
        "layers": 3,
        "image_position": 1 + len(tokenizer.encode(before_image, add_special_tokens=False)),
    }
    (folder / "config.json").write_text(json.dumps(config))
    sys.path.insert(0, str(REPOSITORIES))
    try:
        if package == "cambrian":
            from cambrian.model.network import (  # pyright: ignore[reportMissingImports]
                Cambrian as Made,
            )
        else:
            from vita.model.network import Vita as Made  # pyright: ignore[reportMissingImports]
        import shape  # pyright: ignore[reportMissingImports]

        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = Made(shape.config_of(folder))
            with torch.no_grad():
                for weight in model.parameters():
                    if weight.dim() >= 2:
                        weight.normal_(std=0.25)
        save_file(model.state_dict(), folder / "model.safetensors")
    finally:
        sys.path.remove(str(REPOSITORIES))
    return folder
