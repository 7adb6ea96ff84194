package store

import sqlite3 "modernc.org/sqlite/lib"

// What `logiqc version` tells of this package.
const (
	SchemaVersion = schemaVersion // of the stores this program reads and writes
	SQLiteVersion = sqlite3.SQLITE_VERSION
)
