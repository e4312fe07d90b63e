"""Names the packages of a requirements file that this environment lacks, and the pip line for them.

Used for an environment that the user brought: nothing is installed, its torch is taken as it is.
"""

import sys
from importlib import metadata
from pathlib import Path

try:
    from packaging.requirements import Requirement
except ModuleNotFoundError:
    from pip._vendor.packaging.requirements import Requirement


def requirements(path: Path) -> list[Requirement]:
    """The requirements of a file and of the files that it includes with ``-r``."""
    found: list[Requirement] = []
    for line in path.read_text().splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            found += requirements(path.parent / text.removeprefix("-r ").strip())
        elif text:
            found.append(Requirement(text))
    return found


def is_missing(requirement: Requirement) -> bool:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return True
    return requirement.name != "torch" and not requirement.specifier.contains(
        version, prereleases=True
    )


def main() -> int:
    path = Path(sys.argv[1])
    missing = [str(requirement) for requirement in requirements(path) if is_missing(requirement)]
    if not missing:
        return 0
    quoted = " ".join(f"'{name}'" for name in missing)
    print(f"{sys.prefix} lacks what {path} asks for. Nothing was installed. To add it:")
    print(f"    {sys.executable} -m pip install {quoted}")
    return 2


if __name__ == "__main__":
    sys.exit(main())
