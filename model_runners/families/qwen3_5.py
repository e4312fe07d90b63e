"""Qwen3.5 (Qwen Team 2026): vision from the start, and layers of linear attention among the others.

Three of four layers keep a state in place of keys and values. Padding leaves that state as it is,
since its vectors become zero before them, so a batch gives what each prompt gives alone. Unlike
Qwen3-VL, nothing of the tower reaches the later layers.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Qwen3.5",
    model_type="qwen3_5",
    takes_encoder_outputs=True,
    image_grid="image_grid_thw",
)
