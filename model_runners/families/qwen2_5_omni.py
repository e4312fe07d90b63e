"""Qwen2.5-Omni (Xu et al. 2025): pictures, video and sound; the thinker alone is loaded.

Sound and video reach the thinker's language model at placeholders of their own. The talker and its
vocoder speak the answer and are not loaded.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Qwen2.5-Omni",
    model_type="qwen2_5_omni_thinker",
    processor="model_runners.processors_omni",
    model_class="Qwen2_5OmniThinkerForConditionalGeneration",
    image_grid="image_grid_thw",
    takes_encoder_outputs=True,
)
