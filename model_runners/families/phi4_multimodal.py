"""Phi-4-multimodal (Microsoft 2025): the text stack merges image and text itself.

What the stack is handed are tokens and pixels; the merged vectors are read where its own part for
that puts them out. A checkpoint of the makers keeps a LoRA for images in a folder of its own, which
belongs to the model: without it the model hardly reads images.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Phi-4-multimodal",
    model_type="phi4_multimodal",
    stack="model",
    merge="model.embed_tokens_extend",
    image_token="vision_config.image_token_id",
    pixel_inputs=("image_pixel_values",),
    own_adapter="vision-lora",
)
