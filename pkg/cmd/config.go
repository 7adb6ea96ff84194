package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// newConfig groups what is done with settings and profiles.
func newConfig(a *App) *cobra.Command {
	return group("config", "See the settings, and keep them in profiles", newConfigView(a), newConfigAdd(a), newConfigUse(a))
}

func newConfigView(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "view", Short: "Show every setting and where it came from",
		Long:    "Show every global setting, its value, and the place it was taken from: a flag, the\nenvironment, a profile, a config file or the default. Passwords are masked.",
		Example: "  logiqc config view\n  logiqc config view -o json",
		RunE: func(*cobra.Command, []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			record := func(s config.Setting) []string { return []string{s.Key, s.Value, s.Source} }
			out := list(a.IO(), []ui.Column{{Name: "Key", Whole: true}, {Name: "Value"}, {Name: "Source"}},
				func(s config.Setting) []any { return []any{s.Key, s.Value, s.Source} }, []string{"key", "value", "source"}, record)
			return out.all(s.View())
		},
	}
}

// profileSettings are the global flags that `config add` keeps: where a store
// is, and how to get at it.
var profileSettings = []string{"store", "pin", "ca-file", "keys", "token-file"}

// profileAnswer is what became of a profile.
type profileAnswer struct {
	Changed bool   `json:"changed"`
	Profile string `json:"profile"`
	InUse   bool   `json:"in_use"`
	File    string `json:"file"`
}

func newConfigAdd(a *App) *cobra.Command {
	var use bool
	c := &cobra.Command{
		Use: "add NAME [--store U] [--pin P] [--use]", Short: "Keep settings as a profile",
		Annotations: oneAnswer,
		Long: "Keep where a store is and how to get at it as a profile of your config file: --store,\n" +
			"--pin, --ca-file, --keys and --token-file, as given here. Nothing is opened.\n\n" +
			"Exit status: 5 when there is a profile of that name.",
		Example: "  logiqc config add stmary --store ~/stmary/logiqc.db --use",
		Args:    exactly(1, "one NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := configFile()
			if err != nil {
				return err
			}
			p := config.Profile{}
			for _, key := range profileSettings {
				if value, ok := a.flags[key]; ok {
					p[key] = value
				}
			}
			err = config.AddProfile(file, args[0], p, use)
			if errors.Is(err, config.ErrProfileExists) {
				return logiqc.Errorf(logiqc.Exists, "%w", err).WithHint("take another name, or change it in %s", file)
			}
			if err != nil {
				return err
			}
			return a.answer(profileAnswer{true, args[0], use, file}, func(io *ui.IO) error {
				io.Answerf("Profile %s added to %s.", args[0], file)
				if use {
					io.Answerf("It is in use from now on.")
				} else {
					io.Notef("Use it from now on: logiqc config use %s", args[0])
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&use, "use", false, "use it from now on")
	return c
}

func newConfigUse(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Use a profile from now on",
		Long:        "Make a profile of the config files the one in use. --profile and LOGIQC_PROFILE still\nchoose another one for a single command.",
		Example:     "  logiqc config use stmary",
		Args:        exactly(1, "one NAME"),
		Annotations: map[string]string{anySettings: "it mends the profile that is in use", noList: ""},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return config.ProfileNames(config.DefaultPaths()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := configFile()
			if err != nil {
				return err
			}
			if err := config.UseProfile(config.DefaultPaths(), args[0]); err != nil {
				return err
			}
			return a.answer(profileAnswer{true, args[0], true, file}, func(io *ui.IO) error {
				io.Answerf("Profile %s is in use from now on.", args[0])
				return nil
			})
		},
	}
}

// configFile is the user's config file.
func configFile() (string, error) {
	file := config.DefaultPaths().File()
	if file == "" {
		return "", logiqc.Errorf(logiqc.Usage, "no home folder is known, so there is no config file").WithHint("set XDG_CONFIG_HOME")
	}
	return file, nil
}
