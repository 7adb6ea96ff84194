package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Whoever meets a proxy is told that it is the proxy, not the server, and how to
// go round it.
func TestProxy(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refusing.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for at, want := range map[string]string{refusing.URL: "the proxy on the way answered 403 Forbidden", gone.URL: "the proxy on the way cannot be reached: connection refused"} {
		client, base, err := Target{URL: "https://mfa1.example:8443"}.Client()
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		client.Transport.(*carrier).next.(*http.Transport).Proxy = http.ProxyURL(proxy)
		_, err = client.Post(base, "", strings.NewReader("x")) //nolint:bodyclose // there is none
		if e := logiqc.AsError(err); e.Code != logiqc.Unavailable || !strings.Contains(e.Message, want) || !strings.Contains(e.Hint, "NO_PROXY=mfa1.example") {
			t.Errorf("%+v", e)
		}
	}
}

// A server of another version, which lacks a call or does not know what is said
// in one, is no account that is not found, and no mistake of whoever typed.
func TestOtherVersion(t *testing.T) {
	for what, answer := range map[string]*problem{
		"a call": nothingHere(),
		"a name": requestProblem(422, "", []error{&huma.ErrorDetail{Location: "body", Message: strict([]byte(`{"new":1}`), &step{}).Error()}}),
	} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			answer.write(w)
		}))
		_, err := NewClient(other.Client(), other.URL).SignIn().Start(t.Context(), logiqc.SigninRequest{})
		if e := logiqc.AsError(err); e.Code != logiqc.Unavailable || !strings.Contains(e.Message, "another version") || e.Hint == "" {
			t.Errorf("%s: %+v", what, e)
		}
		other.Close()
	}
}
