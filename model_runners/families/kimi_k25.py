"""Kimi-K2.5 (Moonshot AI 2026): MoonViT, 2 x 2 patches merged, the decoder of DeepSeek-V3.

Images keep their size as far as it goes, so they have different numbers of tokens.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Kimi-K2.5",
    model_type="kimi_k25",
    takes_encoder_outputs=True,
    image_grid="image_grid_thw",
)
