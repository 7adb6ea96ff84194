//go:build !unix

package pgtest

// startCluster starts none here.
func startCluster() (string, error) { return "", errNone }
