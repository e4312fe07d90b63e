"""LLaVA-1.5 (Liu et al. 2024): CLIP tower, 2-layer projector, Llama or Vicuna; no side channels."""

from model_runners.families import Family

FAMILY = Family(
    name="LLaVA-1.5",
    model_type="llava",
    takes_encoder_outputs=True,
)
