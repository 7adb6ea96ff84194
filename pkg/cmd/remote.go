package cmd

import (
	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/httpapi"
)

// server is the client of the server that the store in use is behind, nil for
// one that is opened directly. Nothing is connected yet.
func (a *App) server() (*httpapi.Client, error) {
	s, err := a.Settings()
	if err != nil || a.client != nil {
		return a.client, err
	}
	target := httpapi.Target{CAFile: s.CAFile, Pin: s.Pin, Timeout: s.Timeout}
	switch s.Store.Kind {
	case config.HTTPS:
		target.URL = s.Store.URL.Reveal()
	case config.Unix:
		target.Socket = s.Store.Path
	default:
		return nil, nil
	}
	c, base, err := target.Client()
	if err != nil {
		return nil, err
	}
	a.client = httpapi.NewClient(c, base)
	return a.client, nil
}
