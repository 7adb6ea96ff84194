package cmd

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// certificate is what the server shows, nil for plain HTTP.
func (o serveFlags) certificate(a *App, where config.Store) (*httpapi.Certificate, error) {
	switch {
	case o.certFile != "":
		certFile, err := filepath.Abs(o.certFile)
		if err != nil {
			return nil, err
		}
		keyFile, err := filepath.Abs(o.keyFile)
		if err != nil {
			return nil, err
		}
		return httpapi.CertificateFiles(certFile, keyFile)
	case !o.selfSigned:
		return nil, nil
	}
	file := config.ServerKey(config.DefaultPaths(), where)
	text, ok, err := file.Load()
	if err != nil {
		return nil, err
	}
	if !ok {
		made, err := httpapi.SelfSigned(o.names(), a.Now())
		if err != nil {
			return nil, err
		}
		if text, err = file.Keep(config.Secret(made)); err != nil {
			return nil, err
		}
	}
	cert, err := httpapi.CertificatePEM([]byte(text.Reveal()))
	if err != nil {
		return nil, logiqc.Errorf(logiqc.Unavailable, "the key of the server, %s, is damaged", file.Path).
			WithHint("rm %s, and tell every laptop the new pin", shellWord(file.Path))
	}
	return cert, nil
}

// names are the names of this machine, that of the listener first.
func (o serveFlags) names() []string {
	names := []string{o.hostname(), "localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	slices.Sort(names[1:])
	return slices.Compact(names)
}

// hostname is how clients call this machine: as --listen says, or by its name
// where that is every address.
func (o serveFlags) hostname() string {
	host, _, _ := net.SplitHostPort(o.listen)
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return host
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// servingAnswer is where a server can be reached.
type servingAnswer struct {
	Store     string   `json:"store"`
	Listening []string `json:"listening"` // as --store takes them
	Pin       string   `json:"pin"`       // "" without TLS
	Laptop    string   `json:"laptop"`    // the command line that points one here, "" without TLS
	Warnings  []string `json:"warnings"`
}

func (srv *serving) answer(where config.Store, origin string, o serveFlags) servingAnswer {
	out := servingAnswer{Store: where.Display(), Listening: []string{}}
	for _, l := range srv.listeners {
		at, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			out.Listening = append(out.Listening, "unix:"+l.Addr().String())
			continue
		}
		_, port, _ := net.SplitHostPort(at.String())
		host := o.hostname()
		if srv.cert == nil {
			host = at.IP.String()
		}
		url := "http://" + net.JoinHostPort(host, port)
		if srv.cert != nil {
			url = "https://" + net.JoinHostPort(host, port)
			out.Pin = srv.cert.Pin()
			out.Laptop = "logiqc config add " + profileFor(origin) + " --store " + url
			if o.selfSigned {
				out.Laptop += " --pin " + out.Pin
			}
			out.Laptop += " --use"
		}
		out.Listening = append(out.Listening, url)
	}
	return out
}

// profileFor is a name for the profile of a store: the part of the log's origin
// that is made of the issuer.
func profileFor(origin string) string {
	if parts := strings.Split(origin, "/"); len(parts) == 3 && parts[1] != "" {
		return parts[1]
	}
	return "logiqc"
}

// text tells a person.
func (out servingAnswer) text(io *ui.IO) error {
	io.Answerf("Serving %s at %s", out.Store, strings.Join(out.Listening, " and "))
	if out.Laptop != "" {
		io.Answerf("On each laptop:\n  %s", out.Laptop)
	}
	return nil
}
