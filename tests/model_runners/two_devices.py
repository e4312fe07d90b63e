"""Devices that this machine does not have, with real numbers and real complaints.

A tensor of such a device is a wrapper that says it lies there; its numbers are those of an ordinary
tensor. Every operation of torch is looked at before it runs: tensors of two devices in one of them
are refused with torch's own words, and a move is a move. So a model that is spread over two of them
gives the numbers of one device if and only if everything is brought to the right place.
"""

import os
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

FIRST, SECOND = "pair:0", "pair:1"
"""Two devices of a kind that torch lets one make up."""
MOVES = ("aten::copy_", "aten::_to_copy")
INDEXED = ("aten::index.Tensor", "aten::index_put_", "aten::index_put")
"""Operations whose indices may lie on the CPU, as on a GPU."""


class There(torch.Tensor):
    """A tensor that lies on such a device."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, inner: torch.Tensor, device: torch.device):
        return torch.Tensor._make_wrapper_subclass(  # pyright: ignore[reportAttributeAccessIssue]
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=device,
            requires_grad=False,
        )

    def __init__(self, inner: torch.Tensor, device: torch.device):
        self.inner = inner

    def __repr__(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return f"{self.inner} on {self.device}"

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _run(function, args, kwargs or {})


class Written(TorchFunctionMode):
    """Within the block, numbers written in the code are made on the CPU and brought there."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        given = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and given.get("device") is not None:
            device = given.pop("device")
            return function(*tree_map(_own, args), **given).to(device)
        if function is torch.Tensor.tolist and isinstance(args[0], There):
            return args[0].inner.tolist()
        return function(*args, **given)


def with_two_devices(work: Callable[[], None]) -> None:
    """Do work in a child that has the two devices; what it raises is raised here, as text.

    torch cannot forget a kind of device, and with one it believes to have an accelerator, so the
    tests beside these must not see it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "see what the child printed above"
        return
    code = 1
    try:
        torch.set_num_threads(1)
        from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

        _setup_privateuseone_for_python_backend(rename="pair")
        with torch.no_grad(), Written(), Devices():
            work()
        code = 0
    except BaseException:  # noqa: BLE001 - the child ends here, whatever it is
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


class Devices(TorchDispatchMode):
    """Within the block, the two devices are there."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _run(function, args, kwargs or {})


def _run(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = function._schema.name
    flat, _ = tree_flatten((args, kwargs))
    tensors = [one for one in flat if isinstance(one, torch.Tensor)]
    devices = {one.device for one in tensors if one.dim()}
    if name.startswith("aten::index") and tensors[0].device.type != "cpu":
        devices -= {torch.device("cpu")}
    if name not in MOVES and len(devices) > 1:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {sorted(map(str, devices))} "
            f"in {name}"
        )
    target = kwargs.get("device")
    if target is None and tensors:
        target = next((one.device for one in tensors if one.dim()), tensors[0].device)
    target = torch.device(target or "cpu")
    if kwargs.get("device") is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    result = function(*tree_map(_own, args), **tree_map(_own, kwargs))
    if function._schema.is_mutable and tensors:
        return args[0]
    if target.type == "cpu":
        return result
    return tree_map(
        lambda one: There(one, target) if isinstance(one, torch.Tensor) else one, result
    )


def _own(one: Any) -> Any:
    return one.inner if isinstance(one, There) else one
