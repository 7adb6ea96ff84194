package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// newHelp shows the help of a command or a topic. Unlike cobra's own it does
// not answer an unknown one with success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | TOPIC]", Short: "Help about a command or a topic",
		Long:    "Show the help of a command, or one of the topics that `logiqc --help` lists.",
		Example: "  logiqc help mfa reset\n  logiqc help exit-status",
		Args:    cobra.ArbitraryArgs, Annotations: map[string]string{anySettings: "it opens nothing"},
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				name := strings.Join(args, " ")
				if len(rest) > 0 && about != nil {
					return unknownCommand(about, rest[0])
				}
				return unknownCommand(c.Root(), name)
			}
			return about.Help()
		},
	}
}

// topics are the help topics, as cobra lists them: commands that cannot be run.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-status", Short: "What exit statuses and error codes mean", Long: exitStatusTopic()},
		{Use: "json", Short: "How answers look to programs", Long: jsonTopic},
		{Use: "environment", Short: "Settings, their variables and files", Long: environmentTopic()},
		{Use: "stores", Short: "Where accounts and keys are kept", Long: storesTopic},
		{Use: "lost-phone", Short: "What to do when a phone is lost", Long: lostPhoneTopic},
	}
}

// exitMeanings say what each exit status means, in order from 0.
var exitMeanings = []string{
	"done, or nothing needed doing",
	"unexpected failure",
	"wrong usage, flag, config or input file",
	"no such account, event, token …",
	"not signed in, or not permitted; sign-in denied",
	"refused by a rule, or one more step is needed",
	"several accounts match",
	"cancelled, or a confirmation is needed",
	"a run over several, of which some were refused or failed",
	"an integrity check failed",
	"changed since it was shown",
	"store cannot be opened, reached or written; nothing was changed",
	"outcome unknown: the connection was lost after the change was sent",
}

func exitStatusTopic() string {
	var b strings.Builder
	b.WriteString("Every command ends with one of these. In JSON, error.code says more precisely why.\n")
	codes := logiqc.Codes()
	slices.Sort(codes)
	for status, meaning := range exitMeanings {
		fmt.Fprintf(&b, "\n%4d  %s\n", status, meaning)
		line := "       "
		for _, code := range codes {
			if code.ExitStatus() != status {
				continue
			}
			if len(line)+len(code) > 78 {
				b.WriteString(line + "\n")
				line = "       "
			}
			line += " " + string(code)
		}
		if strings.TrimSpace(line) != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func environmentTopic() string {
	var b strings.Builder
	b.WriteString("A setting is taken from the first place that has it: the flag, the variable, the\n" +
		"profile in use, your config file, the machine's config file, the default.\n" +
		"`logiqc config view` shows each value and where it came from.\n")
	for _, k := range config.Keys() {
		names := k.Env()
		if flag := k.Flag(); flag != "" {
			names += "  " + flag
		}
		fmt.Fprintf(&b, "\n  %s\n      %s\n", names, k.Help)
	}
	b.WriteString("\n" +
		"  NO_COLOR  CLICOLOR  CLICOLOR_FORCE\n      whether text is coloured, as everywhere\n\n" +
		"  HTTPS_PROXY  NO_PROXY\n      a proxy on the way to a server, as everywhere; never for this machine\n\n" +
		"  ACCESSIBLE\n      as LOGIQC_ACCESSIBLE\n\n" +
		"  XDG_CONFIG_HOME  XDG_DATA_HOME  XDG_STATE_HOME\n      where config and keys, the default store, and saved sessions are\n\n" +
		"Files: $XDG_CONFIG_HOME/logiqc/config.yaml, and /etc/logiqc/config.yaml.\n\n" +
		"What belongs to one command alone, such as --yes, can only be typed.")
	return b.String()
}
