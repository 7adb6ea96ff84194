package logiqc

import (
	"slices"
	"strings"
)

// Check refuses, as Usage, a token that could never be used as it is meant.
func (n NewToken) Check() error {
	if err := CheckText("the name", n.Name, MaxName); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(n.Name) == "":
		return Errorf(Usage, "a token needs a name")
	case (n.Role == "") == (len(n.Allow) == 0):
		return Errorf(Usage, "a token takes either --role or --allow")
	case n.Role != "" && !slices.Contains(TokenRoles, n.Role):
		return Errorf(Usage, "%q is no role of a token: one of %s", n.Role, join(TokenRoles))
	}
	for _, right := range n.Allow {
		if !slices.Contains(TokenRights, right) {
			return Errorf(Usage, "%q is no right of a token: any of %s", right, join(TokenRights))
		}
	}
	return nil
}

// join lists words for a sentence.
func join[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
