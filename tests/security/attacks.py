"""What somebody might type, or put into a file, in the hope that it is taken for more than text."""

PATHS = (
    *("..", ".", "", "/", "../../etc/passwd", "/etc/passwd", "..\\..\\windows", "a/../../b"),
    *("a/b", "a\\b", "~root", "~/x", "C:\\x", "\\\\server\\share", "file:///etc/passwd"),
    *("x\x00y", "x\ny", ".hidden", "-rf", "a" * 4096, "samples", "quarantine", "%2e%2e%2fx", "a b"),
)
"""Names that must never become a path."""

SQL = (
    "x'); DROP TABLE predictions; --",
    "' OR 1=1 --",
    '"; DELETE FROM runs; SELECT "',
    "'; ATTACH '/tmp/stolen.duckdb' AS stolen; --",
    "'' UNION SELECT * FROM read_text('/etc/passwd')",
    "$1 ? :name {0} %s",
    "%",
    "_",
)
"""Texts that a query must only ever compare with."""

MODELS = (
    *(name for name in PATHS if name not in (".", "a/b")),
    *("--help", "$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned", "a\u202eb/c"),
    *("http://169.254.169.254/latest/meta-data", "https://evil.example/x/y", "git+ssh://x/y"),
    *("owner/name@../../x", "owner/name@a b", "owner//name", "../owner/name", "owner/..", "a/b/c"),
    *(
        "demo/../../x",
        "adapter:../../x",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "${jndi:ldap://x}",
    ),
)
"""Names that are no model's, whoever wants what with them."""
