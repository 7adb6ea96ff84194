package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what a server tells about itself at /metrics, in the format of
// Prometheus. Nothing in them names an account. One is made by the server that
// is asked for, and by nothing else, because it costs every command otherwise.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	inFlight    prometheus.Gauge
	throttled   prometheus.Counter
	signed      prometheus.Gauge
	signedAt    prometheus.Gauge
	signFailure prometheus.Counter
}

// NewMetrics makes the metrics of a server of that version of the program.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "logiqc_http_requests_total",
			Help: "Requests answered, by route, method and status."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "logiqc_http_request_duration_seconds",
			Help: "How long requests took, by route.", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "logiqc_http_requests_in_flight",
			Help: "Requests being answered now."}),
		throttled: prometheus.NewCounter(prometheus.CounterOpts{Name: "logiqc_http_throttled_total",
			Help: "Requests without a token that were refused because too many came from one source."}),
		signed: prometheus.NewGauge(prometheus.GaugeOpts{Name: "logiqc_checkpoint_size",
			Help: "Events in the log that the last checkpoint this server signed covers."}),
		signedAt: prometheus.NewGauge(prometheus.GaugeOpts{Name: "logiqc_checkpoint_timestamp_seconds",
			Help: "When this server last found the newest event covered by a signed checkpoint."}),
		signFailure: prometheus.NewCounter(prometheus.CounterOpts{Name: "logiqc_checkpoint_failures_total",
			Help: "Checkpoints that could not be signed."}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "logiqc_build_info", Help: "1, labelled with the program's version.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.seconds, m.inFlight, m.throttled, m.signed, m.signedAt, m.signFailure, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Checkpoint notes that a checkpoint of so many events is signed, or err.
func (m *Metrics) Checkpoint(size int64, err error) {
	if err != nil {
		m.signFailure.Inc()
		return
	}
	m.signed.Set(float64(size))
	m.signedAt.SetToCurrentTime()
}

// gauge tells a figure when it is asked for.
func (m *Metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// answered counts a request.
func (m *Metrics) answered(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
