package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// problem is a failure as it goes over the wire: RFC 9457, with the parts of
// [logiqc.Error] as members of their own.
type problem struct {
	Type    string      `json:"type" format:"uri-reference" doc:"about:blank: code says what it is"`
	Title   string      `json:"title"`
	Status  int         `json:"status"`
	Detail  string      `json:"detail" doc:"One plain sentence"`
	Code    logiqc.Code `json:"code" doc:"The stable name of the kind of failure"`
	Hint    string      `json:"hint" doc:"The next step, or empty"`
	Matches []string    `json:"matches,omitempty" doc:"The accounts that an ambiguous name means, or the nearest to one that means none"`
}

const problemType = "application/problem+json"

// Error implements [huma.StatusError].
func (p *problem) Error() string { return p.Detail }

// GetStatus implements [huma.StatusError].
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders implements [huma.HeadersError].
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="logiqc"`)
	}
	if p.Code == logiqc.Throttled && p.Hint == soon {
		h.Set("Retry-After", "1")
	}
	return h
}

// ContentType implements [huma.ContentTypeFilter].
func (p *problem) ContentType(string) string { return problemType }

// problemOf makes a problem of an error.
func problemOf(e *logiqc.Error) *problem {
	p := &problem{Type: "about:blank", Status: e.Code.HTTPStatus(), Detail: e.Message, Code: e.Code, Hint: e.Hint, Matches: e.Matches}
	p.Title = http.StatusText(p.Status)
	return p
}

// domain is the error that the problem was made of.
func (p *problem) domain() *logiqc.Error {
	return &logiqc.Error{Code: p.Code, Message: p.Detail, Hint: p.Hint, Matches: p.Matches}
}

// understood is false where the server knew nothing of the call itself, or of
// what was said in it: no client of its own version asks for that.
func (p *problem) understood() bool {
	return p.Hint != nothingHere().Hint && !strings.HasSuffix(p.Detail, meansNothing) && !strings.HasSuffix(p.Detail, ": unknown query parameter")
}

// write answers with the problem.
func (p *problem) write(w http.ResponseWriter) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // whoever asked may have left
}

// statusCodes are the codes of what fails before a call reaches the Service.
var statusCodes = map[int]logiqc.Code{
	http.StatusBadRequest:            logiqc.Usage,
	http.StatusUnauthorized:          logiqc.Unauthenticated,
	http.StatusNotFound:              logiqc.NotFound,
	http.StatusMethodNotAllowed:      logiqc.Usage,
	http.StatusRequestTimeout:        logiqc.Usage,
	http.StatusRequestEntityTooLarge: logiqc.Invalid,
	http.StatusUnprocessableEntity:   logiqc.Invalid,
}

// init makes problems of huma's own errors too; that is how it takes them.
func init() {
	huma.DefaultArrayNullable = false // an empty list is []
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return requestProblem(status, msg, errs)
	}
}

// requestProblem says what is wrong with a request. What was sent, which may be
// a password, is not repeated.
func requestProblem(status int, msg string, errs []error) *problem {
	code, ok := statusCodes[status]
	if !ok {
		code = logiqc.Internal
	}
	var said []string
	for _, err := range errs {
		if errors.Is(err, errCut) {
			status, code, msg = http.StatusBadRequest, logiqc.Usage, err.Error()
		}
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue // of reading the body: nothing that whoever asked can mend
		}
		detail := d.ErrorDetail()
		said = append(said, strings.TrimPrefix(detail.Location+": "+detail.Message, ": "))
	}
	if len(said) > 0 {
		msg = strings.Join(said, "; ")
	}
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: msg, Code: code}
}
