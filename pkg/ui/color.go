package ui

import "github.com/charmbracelet/colorprofile"

// profile decides the colours of one stream. The first that speaks wins:
// the colour option, NO_COLOR (no-color.org), CLICOLOR_FORCE, CLICOLOR=0
// (bixense.com/clicolors), TERM=dumb, and whether the stream is a terminal.
// Only the 16 colours people can re-map are ever used.
func profile(o Options, tty bool) colorprofile.Profile {
	force := o.Getenv("CLICOLOR_FORCE")
	switch {
	case o.Color == "always":
		return colorprofile.ANSI
	case o.Color == "never":
		return colorprofile.NoTTY
	case o.Getenv("NO_COLOR") != "":
		return uncoloured(tty && o.Getenv("TERM") != "dumb")
	case force != "" && force != "0":
		return colorprofile.ANSI
	case o.Getenv("CLICOLOR") == "0":
		return uncoloured(tty && o.Getenv("TERM") != "dumb")
	case o.Getenv("TERM") == "dumb" || !tty:
		return colorprofile.NoTTY
	}
	return colorprofile.ANSI
}

// uncoloured keeps bold on a terminal: NO_COLOR is about colour only.
func uncoloured(tty bool) colorprofile.Profile {
	if tty {
		return colorprofile.ASCII
	}
	return colorprofile.NoTTY
}
