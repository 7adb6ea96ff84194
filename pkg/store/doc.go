// Package store keeps accounts, enrolments, sessions, tokens, the policy and
// the audit log in an SQL database. It holds no rules: those are applied by
// its caller, inside one transaction of [Store.Update] or [Store.View].
//
// # One store, engine by engine
//
// A [Store] speaks one SQL to every engine: $1 placeholders in the order of
// their first appearance, TEXT ids, BIGINT milliseconds and flags, bytes as
// bytes. What an engine says differently has a name: the exceptions in the
// schema folder, and the text index in search_sqlite.go.
//
// # Writers
//
// Every writing transaction begins by taking its turn at the one row of
// log_head and ends, if it appended, by moving that row on from exactly where
// it found it; so nobody forks the log and nobody starves.
//
// # Errors
//
// Every error is a [*logiqc.Error] or the context's: NotFound, Exists,
// Conflict and Usage as the methods say; Unavailable when the database cannot
// be opened, read or written, with nothing changed; Integrity when its file is
// damaged.
package store
