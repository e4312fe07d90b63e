"""Qwen2.5-VL (Bai et al. 2025): own ViT at native resolution, 2 x 2 merger, M-RoPE positions."""

from model_runners.families import Family

FAMILY = Family(
    name="Qwen2.5-VL",
    model_type="qwen2_5_vl",
    takes_encoder_outputs=True,
    image_grid="image_grid_thw",
)
