// Package ui is everything a person reads or types: answers, talk, tables,
// cards, progress, questions, and the screens that show a secret once.
//
// It knows no domain words and imports no package of this module; callers give
// it plain strings.
//
// # Rules
//
//   - Answers go to standard output. Everything else (questions, progress,
//     hints, warnings, errors) goes to standard error.
//   - A string is data and is made visible by [Clean] wherever it is printed.
//     Only a [Text], which is built here out of cleaned parts, carries styling.
//   - With a JSON format, standard error holds at most one error object.
//   - A question is asked only when [IO.CanPrompt] says so; typed-ahead input is
//     thrown away first, and Esc, Ctrl-C and end of input mean no.
//   - No terminal is ever queried by printing; a mute terminal costs nothing.
//   - Colour is decided once per stream and never carries meaning alone.
package ui
