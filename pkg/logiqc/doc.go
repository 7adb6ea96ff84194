// Package logiqc is the domain of the help desk's MFA tool: accounts, their
// enrolment in an authenticator app, the policy, roles, the rules of a reset,
// the events of the audit log, the error codes, and the [Service] interface
// through which everything is done.
//
// # Rules
//
// A rule is a pure function of values that answers with nil or with an
// [*Error] that says why. The command line uses it to refuse before it asks,
// the service uses the same one inside the transaction.
//
// # The seam
//
// A command talks to a [Service] and a [SignIn] and cannot tell a local file
// from a database server or from an HTTPS server. Nobody acts without an
// [Actor].
//
// The package imports no other package of this module and does no I/O.
package logiqc
