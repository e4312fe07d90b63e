"""What long work tells and asks where nobody watches."""


def ignore(*_: object) -> None:
    """Show nothing."""


def never() -> bool:
    """Never stop."""
    return False
