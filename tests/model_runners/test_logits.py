"""From a hidden state to logits: as the model's own class does it, whatever its numbers are."""

from typing import Any

import pytest
import torch

from model_runners.logits import LogitSteps, logit_steps

SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "pad_token_id": 0,
}


def _language_model(name: str, **more: Any) -> Any:
    import transformers

    config = getattr(transformers, f"{name}Config")(**SMALL, **more)
    return getattr(transformers, f"{name}ForCausalLM")(config)


def _with_tower(name: str, text_type: str, **more: Any) -> Any:
    """Return a model that reads images, around a text model that has a number."""
    import transformers

    text = {**SMALL, "model_type": text_type, **more}
    tower = {
        "model_type": "siglip_vision_model",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    }
    config = getattr(transformers, f"{name}Config")(
        text_config=text, vision_config=tower, image_token_index=63
    )
    return getattr(transformers, f"{name}ForConditionalGeneration")(config)


def _t5() -> Any:
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(
        T5Config(vocab_size=64, d_model=32, d_kv=16, d_ff=64, num_layers=1, num_heads=2)
    )


MODELS = {
    "a cap": (lambda: _language_model("Gemma2", final_logit_softcapping=3.0), "cap", 3.0),
    "a divisor": (lambda: _language_model("Granite", logits_scaling=4.0), "scale", 0.25),
    "a factor": (lambda: _language_model("HyperCLOVAX", logits_scaling=4.0), "scale", 4.0),
    "a factor of another name": (
        lambda: _language_model("Cohere", logit_scale=0.5), "scale", 0.5,
    ),
    "a scaled hidden state": (_t5, "hidden_scale", 32**-0.5),
    "a cap under images": (
        lambda: _with_tower("PaliGemma", "gemma2", final_logit_softcapping=3.0), "cap", 3.0,
    ),
    "a cap that images switch off": (
        lambda: _with_tower("Gemma3", "gemma3_text", final_logit_softcapping=3.0), "cap", None,
    ),
    "a factor that images switch off": (
        lambda: _with_tower("AyaVision", "cohere2", logit_scale=0.5), "scale", 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_logits_are_those_of_the_models_own_forward(name: str) -> None:
    builder, field, value = MODELS[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = builder().eval()
        for weight in model.parameters():
            torch.nn.init.normal_(weight, std=0.3)
    head = model.get_output_embeddings()
    steps = logit_steps(model, head)
    assert getattr(steps, field) == value
    hidden: list[torch.Tensor] = []
    scale = steps.hidden_scale
    handle = head.register_forward_pre_hook(lambda _, args: hidden.append(args[0] / scale))
    ids = torch.arange(1, 9)[None]
    more = {"decoder_input_ids": ids} if field == "hidden_scale" else {}
    with torch.no_grad():
        plain = model(input_ids=ids, **more).logits
        handle.remove()
        assert torch.allclose(steps.logits(head, hidden[0]), plain, atol=1e-5)
        assert (LogitSteps() == steps) == torch.allclose(
            LogitSteps().logits(head, hidden[0]), plain, atol=1e-3
        )


def test_logits_of_half_precision_are_float32() -> None:
    head = torch.nn.Linear(4, 8).bfloat16()
    capped = LogitSteps(cap=2.0).logits(head, torch.randn(3, 4, dtype=torch.bfloat16) * 100)
    assert capped.dtype == torch.float32
    assert capped.abs().max() <= 2.0


def test_a_model_without_a_configuration_has_plain_logits() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 8))
    assert logit_steps(model, model[0]) == LogitSteps()
