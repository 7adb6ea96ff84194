// Command typecheck says whether the module, its tests and all it depends on fit
// together for other systems. It compiles nothing: for a system that nobody is
// going to run here that takes a tenth of the time of a build.
//
//	go run ./cmd/typecheck darwin/arm64 windows/amd64
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	status := 0
	for _, target := range os.Args[1:] {
		goos, arch, _ := strings.Cut(target, "/")
		fmt.Fprintln(os.Stderr, target)
		found, err := packages.Load(&packages.Config{
			Mode: packages.LoadAllSyntax, Tests: true,
			Env: append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+arch),
		}, "./...")
		if err != nil {
			fmt.Fprintln(os.Stderr, "typecheck:", err)
			status = 1
		}
		if packages.PrintErrors(found) > 0 {
			status = 1
		}
	}
	os.Exit(status)
}
