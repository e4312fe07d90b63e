import shape

from vita.model.network import Vita


def load_pretrained_model(model_path, model_base, model_name, model_type):
    assert model_type == "qwen2p5_instruct"
    tokenizer, model = shape.read(model_path, Vita)
    return tokenizer, model, None, 2048
