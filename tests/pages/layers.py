"""Spectra of layers for the tests of the Layers page and its figures."""

from dataclasses import replace

from data_cache.estimates import SpectrumRecord
from pages.figures.layer_trajectories import Trajectory
from tests.pages.spectra import record


def layer_records(
    model: str = "demo/oracle", *, depth: int = 4, subset: str = "synergy"
) -> list[SpectrumRecord]:
    """Synergy grows with the layers to 2 bits; in the first layer nearly all samples fell back."""
    rates = {layer: 0.95 if layer == 0 else 0.0 for layer in range(depth)}
    made = [
        record(
            subset,
            model=model,
            layer=layer,
            atoms=(0.0, 0.0, 0.1, 2.0 * (layer + 1) / depth),
            accuracy=(layer + 1) / depth,
            fallback_rate={"full": rate, "only_1": 0.0, "only_2": 0.0, "neither": 1.0},
        )
        for layer, rate in rates.items()
    ]
    own = record(subset, model=model, atoms=(0.0, 0.0, 0.1, 2.0), accuracy=1.0)
    return [*made, own]


def trajectory(model: str = "demo/oracle", *, depth: int = 4) -> Trajectory:
    *layers, own = layer_records(model, depth=depth)
    return Trajectory(model=model, layers=tuple(layers), output=own, depth=depth)


def through_a_lens(one: Trajectory, lens: str) -> Trajectory:
    """The same course, read through a tuned lens."""

    def read(record: SpectrumRecord) -> SpectrumRecord:
        settings = {**record.settings, "lens": lens}
        return replace(record, estimate_key=f"{record.estimate_key}-tuned", settings=settings)

    return replace(one, layers=tuple(map(read, one.layers)), output=read(one.output))
