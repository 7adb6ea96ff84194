package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics are what a server tells about itself at /metrics, in the format of
// Prometheus. Nothing in them names an account.
type Metrics struct {
	set         *metrics.Set
	inFlight    *metrics.Gauge
	throttled   *metrics.Counter
	signed      *metrics.Gauge
	signedAt    *metrics.Gauge
	signFailure *metrics.Counter
	answers     sync.Map // *metrics.Counter by answer
	seconds     sync.Map // *metrics.PrometheusHistogram by route
}

// answer is what requests are counted by.
type answer struct {
	route, method string
	status        int
}

// buckets are the bounds of how long requests took, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// withTypes makes the metrics say of what type they are; it is one switch for
// the process.
var withTypes = sync.OnceFunc(func() { metrics.ExposeMetadata(true) })

// NewMetrics makes the metrics of a server of that version of the program.
func NewMetrics(version string) *Metrics {
	withTypes()
	s := metrics.NewSet()
	m := &Metrics{
		set:         s,
		inFlight:    s.NewGauge("logiqc_http_requests_in_flight", nil),
		throttled:   s.NewCounter("logiqc_http_throttled_total"),
		signed:      s.NewGauge("logiqc_checkpoint_size", nil),
		signedAt:    s.NewGauge("logiqc_checkpoint_timestamp_seconds", nil),
		signFailure: s.NewCounter("logiqc_checkpoint_failures_total"),
	}
	s.NewGauge(labelled("logiqc_build_info", "version", version), nil).Set(1)
	return m
}

// labelled is the name of a metric with its labels, given in pairs.
func labelled(name string, labels ...string) string {
	var pairs []string
	for pair := range slices.Chunk(labels, 2) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// Checkpoint notes that a checkpoint of so many events is signed, or err.
func (m *Metrics) Checkpoint(size int64, err error) {
	if err != nil {
		m.signFailure.Inc()
		return
	}
	m.signed.Set(float64(size))
	m.signedAt.Set(float64(time.Now().UnixMilli()) / 1000)
}

// gauge tells a figure when it is asked for.
func (m *Metrics) gauge(name string, value func() float64) { m.set.NewGauge(name, value) }

// answered counts a request.
func (m *Metrics) answered(route, method string, status int, took time.Duration) {
	a := answer{route, method, status}
	count, ok := m.answers.Load(a)
	if !ok {
		count, _ = m.answers.LoadOrStore(a, m.set.GetOrCreateCounter(
			labelled("logiqc_http_requests_total", "method", method, "route", route, "status", strconv.Itoa(status))))
	}
	count.(*metrics.Counter).Inc()
	seconds, ok := m.seconds.Load(route)
	if !ok {
		seconds, _ = m.seconds.LoadOrStore(route, m.set.GetOrCreatePrometheusHistogramExt(
			labelled("logiqc_http_request_duration_seconds", "route", route), buckets))
	}
	seconds.(*metrics.PrometheusHistogram).Update(took.Seconds())
}

func (m *Metrics) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
}
