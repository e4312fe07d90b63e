"""A run divided among the machines of a Ray cluster; imported only where it is asked for."""

from model_runners.cluster.options import RayOptions

__all__ = ["RayOptions"]
