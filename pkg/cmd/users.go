package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newUsers groups what is done to accounts.
func newUsers(a *App) *cobra.Command {
	return group("users", "Find, open and change accounts",
		newUsersFind(a), newUsersShow(a), newUsersAdd(a), newUsersEdit(a),
		newUsersActivate(a), newUsersDeactivate(a), newUsersUnlock(a),
		newUsersPasswd(a), newUsersImport(a))
}

// answerChanged answers with one account after a change: the object for a
// program, a sentence for a person.
func (a *App) answerChanged(out logiqc.Changed, sentence ui.Text) error {
	return a.answer(out, func(io *ui.IO) error {
		io.Answerf("%s", sentence)
		return nil
	})
}

// enum is a flag whose value is one of a few words.
type enum[T ~string] struct {
	value *T
	words []string
}

// enumFlag gives the command a flag that takes one of words.
func enumFlag[T ~string](c *cobra.Command, value *T, name, usage string, words ...T) {
	e := &enum[T]{value: value}
	for _, w := range words {
		e.words = append(e.words, string(w))
	}
	c.Flags().Var(e, name, usage+": "+strings.Join(e.words, ", "))
	_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(e.words, cobra.ShellCompDirectiveNoFileComp))
}

// Set implements pflag.Value.
func (e *enum[T]) Set(s string) error {
	if !slices.Contains(e.words, s) {
		return fmt.Errorf("it takes one of %s", strings.Join(e.words, ", "))
	}
	*e.value = T(s)
	return nil
}

// String implements pflag.Value.
func (e *enum[T]) String() string {
	if e.value == nil {
		return ""
	}
	return string(*e.value)
}

// Type implements pflag.Value.
func (e *enum[T]) Type() string { return "WORD" }
