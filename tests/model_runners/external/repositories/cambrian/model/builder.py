import shape

from cambrian.model.network import Cambrian


def load_pretrained_model(model_path, model_base, model_name, device="cuda"):
    assert "cambrian" in model_name
    tokenizer, model = shape.read(model_path, Cambrian)
    return tokenizer, model.to(device), [object(), object()], 2048
