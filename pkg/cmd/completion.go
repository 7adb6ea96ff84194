package cmd

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// How long a shell waits for names when somebody presses Tab: for a file, and for a
// server, which takes half a dozen round trips, perhaps through a VPN, to answer.
const (
	completeWithin = 300 * time.Millisecond
	completeFarOff = 2 * time.Second
)

// shells writes the completion script of each shell.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
}

func newCompletion(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Write the completion script for a shell",
		Long: "Write a script that completes commands, flags and the names of users. Users are\n" +
			"looked up with your session, or not at all.",
		Example: "  logiqc completion bash > /etc/bash_completion.d/logiqc\n" +
			"  logiqc completion zsh > \"${fpath[1]}/_logiqc\"\n" +
			"  logiqc completion fish > ~/.config/fish/completions/logiqc.fish",
		Annotations: map[string]string{anySettings: "it opens nothing"},
		ValidArgs:   []string{"bash", "zsh", "fish", "powershell"},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || shells[args[0]] == nil {
				return logiqc.Errorf(logiqc.Usage, "%s takes one of bash, zsh, fish, powershell", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return shells[args[0]](c.Root(), a.Stdout) },
	}
}

// completeNames gives every command that takes users, and every flag that takes
// one, the names of users to complete.
func completeNames(a *App, c *cobra.Command) {
	if strings.Contains(c.Use, "<user>") && c.ValidArgsFunction == nil {
		c.ValidArgsFunction = a.completeUser
	}
	for _, name := range []string{"user", "target", "actor"} {
		if f := c.Flags().Lookup(name); f != nil && f.Value.Type() == "string" {
			_ = c.RegisterFlagCompletionFunc(name, a.completeUser)
		}
	}
	for _, sub := range c.Commands() {
		completeNames(a, sub)
	}
}

// completeUser lists usernames that begin with what was typed. Whatever goes
// wrong, it lists none and says nothing.
func (a *App) completeUser(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if err := a.takeFlags(c); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	within := completeWithin
	if s, err := a.Settings(); err == nil && s.Store.Kind != config.SQLite {
		within = completeFarOff
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), within)
	defer cancel()
	found := make(chan []string, 1)
	go func() { found <- a.usernames(ctx, typed) }()
	select {
	case names := <-found:
		return names, cobra.ShellCompDirectiveNoFileComp
	case <-ctx.Done():
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// usernames looks for accounts as somebody who may; a refusal would be an event
// in the audit log.
func (a *App) usernames(ctx context.Context, typed string) (names []string) {
	svc, err := a.Service(ctx)
	if err != nil || !svc.Actor().May(logiqc.UsersRead) {
		return nil
	}
	page, err := svc.FindUsers(ctx, logiqc.UserQuery{Text: typed, Limit: pickMost})
	if err != nil {
		return nil
	}
	for _, account := range page.Accounts {
		if strings.HasPrefix(account.Username, logiqc.Key(typed)) {
			names = append(names, cobra.CompletionWithDesc(account.Username, account.Name))
		}
	}
	return names
}
