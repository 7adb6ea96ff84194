//go:build unix

package store

import "testing"

// TestOnPostgres runs the tests that ask nothing of a file on PostgreSQL:
// newTestStore looks at the name it runs under.
func TestOnPostgres(t *testing.T) {
	for name, test := range portable {
		t.Run(name, test)
	}
	t.Run("UpdateKilled", TestUpdateKilled)
	t.Run("ManyProcesses", TestManyProcesses)
}
