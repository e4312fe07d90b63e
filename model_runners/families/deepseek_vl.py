"""DeepSeek-VL (Lu et al. 2024): SigLIP tower, aligner, Llama; no side channels."""

from model_runners.families import Family

FAMILY = Family(
    name="DeepSeek-VL",
    model_type="deepseek_vl",
    takes_encoder_outputs=True,
    stacks_features=True,
)
