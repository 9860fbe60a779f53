"""Copies the one row of a larder file until the file has the number of entries asked for.

    fill.py FILE ENTRIES

Every copy has keys and a target of its own; everything else is the real row's. Prints the size."""

import os
import sqlite3
import sys

OWN = {
    "primary_key": "randomblob(32)",
    "uri_key": "randomblob(32)",
    "target": "'/row/' || counter.n",
}


def main():
    path, entries = sys.argv[1], int(sys.argv[2])
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA cache_size = -1000000")
    (rows,) = database.execute("SELECT count(*) FROM responses").fetchone()
    if rows != 1:
        sys.exit(f"the file has {rows} rows, not the one to copy")
    table = [row[1] for row in database.execute("PRAGMA table_info(responses)")]
    columns = [name for name in table if name != "id"]
    values = ", ".join(OWN.get(name, f"real.{name}") for name in columns)
    # In portions, so that the log stays small. The real row ends up in the middle of both indexes.
    for first in range(1, entries, 50_000):
        last = min(first + 50_000, entries) - 1
        database.execute(
            "WITH RECURSIVE counter(n) AS"
            f" (SELECT {first} UNION ALL SELECT n + 1 FROM counter WHERE n < {last})"
            f" INSERT INTO responses ({', '.join(columns)}) SELECT {values}"
            " FROM counter, (SELECT * FROM responses WHERE target = '/hit' LIMIT 1) AS real"
        )
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (rows,) = database.execute("SELECT count(*) FROM responses").fetchone()
    database.close()
    print(f"{rows} entries, {os.path.getsize(path) / 2**20:.0f} MiB")


main()
