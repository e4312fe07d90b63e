"""Qwen3-VL with a mixture of experts: the same model but for the feed-forward layers."""

from dataclasses import replace

from model_runners.families import qwen3_vl

FAMILY = replace(qwen3_vl.FAMILY, name="Qwen3-VL MoE", model_type="qwen3_vl_moe")
