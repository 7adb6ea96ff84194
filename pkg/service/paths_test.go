package service_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// secondFactor is the whole inventory of the paths on which a second factor is
// taken: each function, and what alone may call it (S-14; ASVS 6.3.4;
// CVE-2026-34727, CVE-2026-33315, CVE-2026-32246). servicetest.CVE tries each of
// them without a code. That nobody else computes codes is a wall of the linter.
var secondFactor = map[string][]string{
	"totp.Check":         {"matchCode"},
	"matchCode":          {"verifyPending", "verifySecondFactor"},
	"verifySecondFactor": {"Code", "secondFactor", "verifyCode"}, // a sign-in, whatever it is for; an application; the desk, for a caller
	"verifyPending":      {"ProveEnrolment"},                     // the first code of a new app
	"spendRecoveryCode":  {"RecoveryCode", "secondFactor"},       // a sign-in without the app; an application
	"SpendStep":          {"verifySecondFactor"},                 // what makes a code good once
	"SpendRecoveryCode":  {"spendRecoveryCode"},
	"finish":             {"admit", "afterProof", "passed"}, // what makes a session: no factor asked for, enrolled just now, proved
}

// A new path to a session, or a second way to look at a code, fails here until
// it stands in the inventory.
func TestSecondFactorPaths(t *testing.T) {
	found := map[string][]string{}
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(path, "servicetest") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				ast.Inspect(f, func(n ast.Node) bool {
					if call, ok := n.(*ast.CallExpr); ok {
						name := called(call)
						ours := strings.Contains(filepath.ToSlash(path), "pkg/service/") || strings.HasPrefix(name, "totp.")
						if ours && secondFactor[name] != nil && !slices.Contains(found[name], f.Name.Name) {
							found[name] = append(found[name], f.Name.Name)
						}
					}
					return true
				})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, callers := range secondFactor {
		slices.Sort(found[name])
		if !slices.Equal(found[name], callers) {
			t.Errorf("%s is called by %v, the inventory has %v", name, found[name], callers)
		}
	}
}

// called is the name of what is called; of a function of pkg/totp with its
// package.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "totp" {
			return "totp." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}
