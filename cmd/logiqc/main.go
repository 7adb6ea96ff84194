// Command logiqc is the help desk's MFA tool.
package main

import (
	"os"

	"github.com/logiqc/logiqc/pkg/cmd"
)

func main() { os.Exit(cmd.Main()) }
