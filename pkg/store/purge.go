package store

import (
	"sync/atomic"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

const (
	// requestsKept is how long the outcomes of requests are remembered, and
	// requests for approval. What happened is in the log for ever.
	requestsKept = 7 * 24 * time.Hour
	// purgeEvery is how often one program looks for what is to be purged.
	purgeEvery = time.Minute
)

// purges is when this program last looked, in milliseconds.
type purges struct{ at atomic.Int64 }

// due tells whether it is time to look again, and takes it that somebody does.
func (p *purges) due(now logiqc.Time) bool {
	last := p.at.Load()
	return (last == 0 || now.Sub(logiqc.Time(last)) >= purgeEvery) && p.at.CompareAndSwap(last, int64(now))
}

// purge deletes, once in a while, what nothing reads any more: sessions and
// sign-ins that have expired, and outcomes of requests and requests for approval
// that are older than seven days. Whatever adds such rows calls it, so that no
// way of using a store lets them pile up.
func (tx *Tx) purge() error {
	if !tx.purges.due(tx.now) {
		return nil
	}
	old := int64(tx.now.Add(-requestsKept))
	for _, p := range []struct {
		statement string
		until     int64
	}{
		{`DELETE FROM session WHERE expires_at <= $1`, int64(tx.now)},
		{`DELETE FROM request WHERE created_at <= $1`, old},
		{`DELETE FROM approval WHERE requested_at <= $1`, old},
	} {
		if _, err := tx.exec(p.statement, p.until); err != nil {
			return err
		}
	}
	return nil
}
