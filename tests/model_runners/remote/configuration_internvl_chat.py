"""Configuration of a small model in the format that OpenGVLab publishes InternVL in."""

from typing import Any

from transformers import PretrainedConfig, Qwen2Config


class InternVLChatConfig(PretrainedConfig):
    model_type = "internvl_chat"

    def __init__(
        self,
        vision_config: Any = None,
        llm_config: Any = None,
        downsample_ratio: float = 0.5,
        force_image_size: int = 32,
        max_dynamic_patch: int = 2,
        **more: Any,
    ):
        self.vision_config = PretrainedConfig(**(vision_config or {}))
        self.llm_config = Qwen2Config(**(llm_config or {}))
        self.downsample_ratio = downsample_ratio
        self.force_image_size = force_image_size
        self.max_dynamic_patch = max_dynamic_patch
        super().__init__(**more)
