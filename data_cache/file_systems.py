"""Whether a folder lies on a network file system, where chunks may lie and databases may not.

SQLite's log and DuckDB's file rest on locks and shared memory that work between processes of one
machine. Over a network they fail silently: two writers each believe to be alone.
"""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    ("afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs",
     "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
     "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "wekafs")
)  # fmt: skip
"""Kinds that other machines write to, too."""
NETWORK_FUSE = re.compile(
    r"fuse\.(ceph|davfs|gcsfuse|geesefs|glusterfs|goofys|juicefs|mfs|mountpoint-s3|objectivefs|"
    r"rclone|s3fs|s3ql|seaweedfs|sshfs|.*s3.*)"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, kw_only=True)
class Mount:
    """What is mounted where."""

    point: Path
    kind: str
    """For example `ext4` or `nfs4`."""

    @property
    def is_network(self) -> bool:
        """Whether other machines may write to it."""
        return self.kind in NETWORK or NETWORK_FUSE.fullmatch(self.kind) is not None


def network_mount(folder: Path) -> Mount | None:
    """Return the network file system that a folder lies on, or would lie on; None where it is none.

    Where the system does not tell (no /proc), a folder counts as local.
    """
    return _network_mount(os.path.realpath(folder), MOUNTS)


@lru_cache(maxsize=256)
def _network_mount(folder: str, table: Path) -> Mount | None:
    # A later line covers an earlier one of the same place.
    found: Mount | None = None
    for mount in mounts(table):
        at = mount.point
        if Path(folder).is_relative_to(at) and (
            found is None or len(at.parts) >= len(found.point.parts)
        ):
            found = mount
    return found if found is not None and found.is_network else None


def mounts(table: Path = MOUNTS) -> Iterator[Mount]:
    """List what is mounted, in the order in which it was; nothing where the system does not tell.

    Parameters
    ----------
    table
        In the form of proc(5), `/proc/[pid]/mountinfo`.
    """
    if sys.platform != "linux":
        return
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        before, separator, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if separator and len(fields) > 4 and kinds:
            yield Mount(point=Path(_unescaped(fields[4])), kind=kinds[0])


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
