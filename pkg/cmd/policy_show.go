package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newPolicyShow makes `policy show`.
func newPolicyShow(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the organisation's settings",
		Annotations: oneAnswer,
		Long: "Shows every key of the policy with its value, as policy set takes it. An empty value\n" +
			"asks for nothing.",
		Example: "  logiqc policy show\n  logiqc policy show -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			svc, err := a.Service(c.Context())
			if err != nil {
				return err
			}
			p, err := svc.Policy(c.Context())
			if err != nil {
				return err
			}
			values := p.Values()
			return a.answer(values, func(io *ui.IO) error {
				var pairs []string
				for _, key := range logiqc.PolicyKeys {
					pairs = append(pairs, key, values[key])
				}
				return facts(io, pairs...)
			})
		},
	}
}
