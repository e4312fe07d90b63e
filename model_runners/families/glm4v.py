"""GLM-4.1V and GLM-4.5V's dense kin (GLM-V Team 2025): M-RoPE, images of any size.

The processor's `mm_token_type_ids` say where images are; the model refuses to run without them.
"""

from model_runners.families import Family

FAMILY = Family(
    name="GLM-4V",
    model_type="glm4v",
    takes_encoder_outputs=True,
    image_grid="image_grid_thw",
    placeholder="<|image|>",
)
