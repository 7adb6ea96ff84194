package service_test

import (
	"testing"

	"github.com/logiqc/logiqc/pkg/servicetest"
)

// TestCVE: what was found in programs like this one (S-93).
func TestCVE(t *testing.T) {
	servicetest.CVE(t, func(t *testing.T) servicetest.Desk { return openDesk(t) })
}
