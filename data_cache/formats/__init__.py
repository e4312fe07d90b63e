"""Files in the formats that people have, read row by row; no format knows a benchmark."""
