package servicetest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Shop is an application that has a server check its customers' codes, on as
// many connections as it has clients.
type Shop struct {
	Apps  *Apps
	Token logiqc.Secret
	Addr  string // host:port of the server
	conns []*talk
}

// talk is a connection on which one request follows the other: little more than
// what goes over it, as the server may share the processor with its clients.
type talk struct {
	*tls.Conn
	in *bufio.Reader
}

// Check has clients check n codes in all.
func (s *Shop) Check(b *testing.B, clients, n int) Pace {
	b.Helper()
	s.connect(b, clients)
	return Together(b, clients, n, func(client int) error {
		user, code := s.Apps.Next()
		body := fmt.Sprintf(`{"user":%q,"code":%q}`, user, code)
		return s.conns[client].ask("POST /v1/second-factor HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.Token.Reveal() +
			fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(body)) + body)
	})
}

// connect opens the connections: not before they are used, as a server does not
// wait for long.
func (s *Shop) connect(b *testing.B, clients int) {
	b.Helper()
	for len(s.conns) < clients {
		conn, err := tls.Dial("tcp", s.Addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		s.conns = append(s.conns, &talk{conn, bufio.NewReader(conn)})
	}
}

// ask fails unless the answer is 200.
func (t *talk) ask(request string) error {
	if _, err := io.WriteString(t, request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(t.in, nil)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d: %s", resp.StatusCode, answer)
	}
	return err
}
