package httpapi

import (
	"net/http"
	"sync"
	"time"
)

// A client gives up on a server that shows no sign of life. For a call that may
// take long, a client that says so gets one now and then: an interim answer,
// 102 (RFC 2518), of which others might not know what to make.
const (
	patientHeader = "Logiqc-Patient"
	signEvery     = time.Second
)

// waiting is where to give signs of life to whoever asks for them, or nil.
func waiting(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if r.Header.Get(patientHeader) == "" || !r.ProtoAtLeast(1, 1) {
		return nil
	}
	return w
}

// keepWaiting gives signs of life until the function that it returns is called,
// and makes the time to answer begin only then.
func (c caller) keepWaiting() (stop func()) {
	if c.waits == nil {
		return func() {}
	}
	control := http.NewResponseController(c.waits)
	_ = control.SetWriteDeadline(time.Time{})
	done := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		tick := time.NewTicker(signEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				c.waits.WriteHeader(http.StatusProcessing)
			}
		}
	})
	return func() {
		close(done)
		busy.Wait()
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
}
