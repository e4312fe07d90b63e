"""What a plan is: its cells, where they may run, and how often a cell is tried."""

from dataclasses import dataclass
from typing import ClassVar

from model_runners.errors import BadOption
from model_runners.profile import ProfileOptions

MOST_CELLS = 20_000
MOST_RETRIES = 10


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """Cells in the order in which they are begun."""

    kind: ClassVar[str] = "plan"
    """The kind of job that does it."""

    cells: tuple[ProfileOptions, ...]
    devices: tuple[str, ...] = ()
    """`cpu`, or the number of a GPU among the visible ones; named twice, it takes two cells at
    once. None given: every visible GPU that is free, else the CPU."""
    retries: int = 2
    """How often a cell that failed is tried again."""
    busy_devices: bool = False
    """Take GPUs whose memory other processes hold, too."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before anything is started."""
        if not 0 < len(self.cells) <= MOST_CELLS:
            raise BadOption(f"a plan has 1 to {MOST_CELLS} cells, not {len(self.cells)}")
        if not 0 <= self.retries <= MOST_RETRIES:
            raise BadOption(f"retries must be 0 to {MOST_RETRIES}, not {self.retries}")
        for name in self.devices:
            if name != "cpu" and not name.isdigit():
                raise BadOption(
                    f"a device is cpu or the number of a GPU, not {name!r}; for example "
                    "--devices 0,1"
                )
