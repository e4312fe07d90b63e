"""Qwen3-VL (Bai et al. 2025): DeepStack beside the merge, interleaved M-RoPE positions.

What the tower saw at three of its layers is added to the image's positions after the first three
layers of the text stack (`deepstack_visual_embeds`), so noise at the embeddings alone hides little.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Qwen3-VL",
    model_type="qwen3_vl",
    takes_encoder_outputs=True,
    image_grid="image_grid_thw",
)
