package cmd

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logiqc/logiqc/pkg/ui"
)

// maxHelpWidth is how wide help is on a terminal that is wide.
const maxHelpWidth = 80

// helpWidth is how wide help may be: as the terminal.
func (a *App) helpWidth() int {
	width, _ := ui.New(ui.Options{Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr, Getenv: a.getenv}).Size()
	return min(width, maxHelpWidth)
}

// setHelp makes help fit into a width, and say where exit statuses are told.
func setHelp(a *App, root *cobra.Command, width int) {
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		text := reflow(cmp.Or(c.Long, c.Short), width)
		if c.Runnable() || c.HasSubCommands() {
			if !strings.Contains(text, "Exit status: ") {
				text += "\n\n" + reflow("Exit status: 0 done, anything else not: logiqc help exit-status", width)
			}
			nameValues(c)
			text += "\n\n" + usageOf(c, width)
		}
		_, a.helpLost = fmt.Fprintln(c.OutOrStdout(), text)
	})
}

// usageOf is cobra's usage with its lists of flags wrapped. A template of our own
// would do that too; but whatever has a text/template in it, and runs it, keeps the
// linker from leaving out what is never called: a tenth of the program.
func usageOf(c *cobra.Command, width int) string {
	text := c.UsageString()
	for _, flags := range []*pflag.FlagSet{c.LocalFlags(), c.InheritedFlags()} {
		if flags.HasAvailableFlags() {
			text = strings.Replace(text, strings.TrimRight(flags.FlagUsages(), " \n"), strings.TrimRight(flags.FlagUsagesWrapped(width), " \n"), 1)
		}
	}
	return strings.TrimSpace(strings.Replace(text, " for more information about a command.", " to know more.", 1))
}

// reflow breaks the lines of a text anew, at a width: those of a paragraph
// together, an indented one under its own beginning, or under its second column
// where it has one, together with what is continued there.
func reflow(text string, width int) string {
	var out []string
	under, paragraph := "", "" // what stands before the paragraph, in its first line
	end := func() {
		if paragraph != "" {
			out = append(out, hang(under, paragraph, width))
		}
		under, paragraph = "", ""
	}
	for line := range strings.Lines(strings.TrimRight(text, " \n")) {
		line = strings.TrimRight(line, " \n")
		words := strings.TrimLeft(line, " ")
		indent := len(line) - len(words)
		switch {
		case line == "":
			end()
			out = append(out, "")
		case paragraph != "" && indent == ansi.StringWidth(under):
			paragraph += " " + words
		default:
			end()
			at := indent
			if column := strings.Index(words, "  "); column > 0 {
				at += column + len(words[column:]) - len(strings.TrimLeft(words[column:], " "))
			}
			if at == indent && indent > 0 {
				out = append(out, hang(line[:at], line[at:], width))
				continue
			}
			under, paragraph = line[:at], line[at:]
		}
	}
	end()
	return strings.Join(out, "\n")
}

// hang wraps words behind what stands before them; too narrow a column is left
// as it is.
func hang(before, words string, width int) string {
	indent := ansi.StringWidth(before)
	if indent > 0 && width-indent < 20 {
		return before + words
	}
	return before + strings.ReplaceAll(ui.Wrap(words, width-indent), "\n", "\n"+strings.Repeat(" ", indent))
}

// nameValues makes the help of a command call what a flag takes by the name of
// the flag, as in "--reason REASON", where its usage has no name for it.
func nameValues(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if kind := f.Value.Type(); kind == "string" || kind == "int" {
			f.Value = named{f.Value, strings.ToUpper(f.Name)}
		}
	})
}

// named is a flag's value under another name in help.
type named struct {
	pflag.Value
	kind string
}

// Type implements pflag.Value.
func (n named) Type() string { return n.kind }
