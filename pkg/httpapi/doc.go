// Package httpapi is [logiqc.Service] and [logiqc.SignIn] over HTTP: a handler
// that serves them and a client that is them. What passes between the two is
// JSON; a failure is a problem (RFC 9457) with the code, the sentence and the
// hint of its [logiqc.Error].
//
// No rule lives here. The handler finds out who asks, and calls the Service of
// that actor; the Service decides. The client passes on what it is given.
//
// Each method of the Service is an [endpoint], which server and client share:
// its path is written once. The JSON is that of the structs of package logiqc,
// but for what they keep to themselves: secrets, which never marshal by
// accident, have a struct of their own here that holds them as text.
package httpapi
