"""Qwen2-VL (Wang et al. 2024): own ViT at native resolution, 2 x 2 merger, M-RoPE positions."""

from model_runners.families import Family

FAMILY = Family(
    name="Qwen2-VL",
    model_type="qwen2_vl",
    takes_encoder_outputs=True,
    image_grid="image_grid_thw",
)
