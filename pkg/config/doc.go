// Package config turns flags, environment variables and config files into one
// [Settings] value, and keeps the small private files of the command line:
// profiles, saved sessions, token files.
//
// # Order
//
// A setting is taken from the first place that has it: the flag, the
// environment variable, the chosen profile, the top of the user's config file,
// the machine's config file, the default. An empty variable counts as not set.
// A profile is chosen by the same order and may be in either file; where both
// have it the user's keys win. One that only the machine's file asks for, and
// that only that file holds, ranks with that file: below the user's own keys.
//
// # Config file
//
//	profile: stmary            # the profile in use
//	output: text               # any setting, for every profile
//	profiles:
//	  stmary:
//	    store: https://mfa1:8443
//	    pin: sha256:9b1f…
//
// Unknown keys are refused wherever they stand, with file and line. Paths in a
// config file are whole ones or begin with ~/, because a file is read from any
// working directory.
//
// # Private files
//
// Files are written 0600 through a temporary file, fsync and rename; folders
// are made 0700. A looser file that holds a secret is refused with the chmod
// line that mends it. On Windows modes are not checked: access lists decide.
package config
