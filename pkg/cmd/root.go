package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// Documented returns the tree of commands for writing documents: its help is 80
// columns wide, wherever it runs.
func Documented() *cobra.Command { return newTree(NewApp(), maxHelpWidth) }

// newRoot builds the whole tree of commands.
func newRoot(a *App) *cobra.Command { return newTree(a, a.helpWidth()) }

func newTree(a *App, helpWidth int) *cobra.Command {
	root := &cobra.Command{
		Use:   "logiqc",
		Short: "Find a user, open the account, reset the MFA",
		Long: "logiqc is the help desk's MFA tool. It finds a user, opens the account and resets\n" +
			"the MFA, so that the user sets up an authenticator app again at the next\n" +
			"sign-in; and it keeps a record that nobody can quietly change.",
		Example: "  logiqc demo                        a throwaway store to try it all on\n" +
			"  logiqc init                        a store of your own\n" +
			"  logiqc users find lee              who is it?\n" +
			"  logiqc users show jlee             the account\n" +
			"  logiqc mfa reset jlee              Confirm / Cancel",
		SilenceUsage: true, SilenceErrors: true, SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.takeFlags(c) },
	}
	addGlobalFlags(root)
	root.AddCommand(commands(a)...)
	root.AddCommand(topics()...)
	root.SetHelpCommand(newHelp())
	root.CompletionOptions.DisableDefaultCmd = true
	cobra.EnableCommandSorting = false // help has them in the order of a day's work
	setHelp(a, root, helpWidth)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return logiqc.Errorf(logiqc.Usage, "%s", flagMistake(err)).WithHint("%s --help", c.CommandPath())
	})
	finishGroups(root)
	addVersionFlag(a, root)
	completeNames(a, root)
	return root
}

// flagMistake says what is wrong with a flag, without the words of Go.
func flagMistake(err error) string {
	var bad *pflag.InvalidValueError
	var number *strconv.NumError
	if errors.As(err, &bad) && errors.As(err, &number) {
		kind := "a whole number"
		if bad.GetFlag().Value.Type() == "bool" {
			kind = "true or false"
		}
		return fmt.Sprintf("--%s takes %s, not %q", bad.GetFlag().Name, kind, bad.GetValue())
	}
	return err.Error()
}

// text is the value of a flag that help calls kind.
type text struct{ value, kind string }

func (t *text) Set(s string) error { t.value = s; return nil }
func (t *text) String() string     { return t.value }
func (t *text) Type() string       { return t.kind }

// addGlobalFlags gives the root a flag for each global setting.
func addGlobalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	for _, k := range config.Keys() {
		switch {
		case k.EnvOnly:
		case k.Switch():
			flags.BoolP(k.Name, k.Short, false, k.Help)
		default:
			flags.VarP(&text{kind: k.Value}, k.Name, k.Short, k.Help)
			flags.Lookup(k.Name).DefValue = k.Default
			if words := strings.Split(k.Value, "|"); len(words) > 1 {
				_ = root.RegisterFlagCompletionFunc(k.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "colour" {
			name = "color"
		}
		return pflag.NormalizedName(name)
	})
}

// anySettings marks a command that also runs when the settings are bad.
const anySettings = "any settings"

// takeFlags keeps the global flags that were typed and checks the settings.
func (a *App) takeFlags(c *cobra.Command) error {
	a.flags, a.settings, a.io = config.Flags{}, nil, nil
	c.Flags().Visit(func(f *pflag.Flag) {
		if c.Root().PersistentFlags().Lookup(f.Name) == f {
			a.flags[f.Name] = f.Value.String()
		}
	})
	s, err := a.Settings()
	if _, marked := c.Annotations[noList]; err == nil && marked && ui.Format(s.Output) == ui.FormatCSV {
		return noCSV()
	}
	if c.Annotations[anySettings] != "" || c.Name() == cobra.ShellCompRequestCmd || c.Name() == cobra.ShellCompNoDescRequestCmd {
		return nil
	}
	return err
}

// finishGroups makes every group of commands answer an unknown one with a
// usage error and the nearest names, unless it does something by itself without
// one, and every error about arguments or flags a
// usage error.
func finishGroups(c *cobra.Command) {
	if c.HasSubCommands() {
		c.Args = cobra.ArbitraryArgs
		alone := c.RunE
		c.RunE = func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 0:
				return unknownCommand(c, args[0])
			case alone != nil:
				return alone(c, args)
			}
			return c.Help()
		}
	} else {
		check := c.Args
		if check == nil {
			check = cobra.NoArgs
		}
		c.Args = func(c *cobra.Command, args []string) error {
			for _, err := range []error{nothingEmpty(c, args), check(c, args), c.ValidateRequiredFlags(), c.ValidateFlagGroups()} {
				if err != nil {
					return usageError(c, err)
				}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		finishGroups(sub)
	}
}

// mayBeEmpty are the flags whose empty value says something: that there is no
// such text, or that a list begins at its beginning.
var mayBeEmpty = []string{"name", "phone", "email", "reason", "ticket", "verified-by", "cursor"}

// nothingEmpty refuses an empty argument, and an empty value of a flag. It is what
// becomes of a variable that a script forgot to set, and taken for "not given" it
// would silently drop what the command was to keep to: whose sessions are listed,
// since which checkpoint the log is verified, that a retry does nothing twice.
func nothingEmpty(c *cobra.Command, args []string) (err error) {
	if slices.Contains(args, "") && c.Name() != "find" {
		return errors.New("an argument is empty")
	}
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if v := f.Value.String(); f.Changed && (v == "" || v == "[]") && !slices.Contains(mayBeEmpty, f.Name) {
			err = logiqc.Errorf(logiqc.Usage, "the value of --%s is empty", f.Name).WithHint("give it one, or leave the flag out")
		}
	})
	return err
}

// usageError gives an error about arguments its code and a hint.
func usageError(c *cobra.Command, err error) error {
	var e *logiqc.Error
	if errors.As(err, &e) {
		return e
	}
	return logiqc.Errorf(logiqc.Usage, "%s", err.Error()).WithHint("usage: %s", c.UseLine())
}

func unknownCommand(c *cobra.Command, name string) error {
	e := logiqc.Errorf(logiqc.Usage, "%q is no command of %s", name, c.CommandPath())
	if near := c.SuggestionsFor(name); len(near) > 0 {
		return e.WithHint("did you mean %s %s?", c.CommandPath(), strings.Join(near, ", or "))
	}
	var elsewhere []string // whoever thinks of the verb first leaves the noun out, or takes another
	for _, g := range c.Root().Commands() {
		for _, sub := range g.Commands() {
			if sub.IsAvailableCommand() && (sub.Name() == name || sub.HasAlias(name)) {
				elsewhere = append(elsewhere, sub.CommandPath())
			}
		}
	}
	if n := len(elsewhere); n > 0 && n < 4 {
		return e.WithHint("did you mean %s?", strings.Join(elsewhere, ", or "))
	}
	return e.WithHint("%s --help", c.CommandPath())
}

// group makes a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, SuggestionsMinimumDistance: 2}
	c.AddCommand(subs...)
	return c
}

// exactly takes n arguments, which the message calls what.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s takes %s", c.CommandPath(), what)
		}
		return nil
	}
}

// atMostOne takes one argument, or none where it can be asked for.
func atMostOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("%s takes %s, not %d", c.CommandPath(), what, len(args))
		}
		return nil
	}
}
