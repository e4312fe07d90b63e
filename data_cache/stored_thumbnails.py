"""The thumbnails of some images, as the query cache has them: one for all samples that show one."""

from collections.abc import Iterable

import duckdb


def thumbnails_of(
    connection: duckdb.DuckDBPyConnection, digests: Iterable[str | None]
) -> dict[str, bytes]:
    """Return the thumbnails by digest; images without one are left out.

    Parameters
    ----------
    connection
        Open for reading.
    digests
        Of a page of samples at most: they are all read. None stands for no image.
    """
    wanted = sorted({digest for digest in digests if digest is not None})
    if not wanted:
        return {}
    return dict(
        connection.execute(
            "SELECT digest, data FROM thumbnails WHERE digest IN (SELECT unnest(?::VARCHAR[]))",
            [wanted],
        ).fetchall()
    )
