package cmd

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

// App is what every command gets: functions that open things, each at its
// first use and once.
type App struct {
	Stdin, Stdout, Stderr *os.File
	Now                   func() time.Time
	group                 bool // a server: its transactions share commits
	helpLost              error

	args     []string
	flags    config.Flags // global flags as typed; set before a command runs
	settings *config.Settings
	io       *ui.IO
	store    *store.Store
	desk     *service.Desk
	client   *httpapi.Client
}

// NewApp returns the App of this process.
func NewApp() *App {
	return &App{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}
}

func (a *App) getenv(key string) string { return os.Getenv(key) }

// Close closes what was opened.
func (a *App) Close() {
	if a.store != nil {
		_ = a.store.Close()
	}
}

// Settings returns the global settings.
func (a *App) Settings() (*config.Settings, error) {
	if a.settings != nil {
		return a.settings, nil
	}
	s, err := config.Load(a.flags, config.DefaultPaths())
	if err != nil {
		return nil, err
	}
	a.settings = s
	return s, nil
}

// IO returns the streams, as the settings want them. A command may rely on the
// settings being good: the root checks them before it runs.
func (a *App) IO() *ui.IO {
	if a.io != nil {
		return a.io
	}
	s, err := a.Settings()
	if err != nil {
		return a.errorIO()
	}
	a.io = ui.New(ui.Options{
		Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr, Getenv: a.getenv, Color: s.Color, NoInput: s.NoInput,
		Accessible: s.Accessible, NoAltScreen: s.NoAltScreen, Format: ui.Format(s.Output),
	})
	return a.io
}

// Desk opens the store directly, for commands that need no sign-in there.
func (a *App) Desk() (*service.Desk, error) {
	if a.desk != nil {
		return a.desk, nil
	}
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	where, options, err := a.place(s)
	if err != nil {
		return nil, err
	}
	a.store, err = store.Open(where, options)
	if err != nil {
		return nil, err
	}
	a.desk = service.New(a.store, a.openKeys)
	return a.desk, nil
}

// place is where the store in use is; see placeOf.
func (a *App) place(s *config.Settings) (where string, o store.Options, err error) {
	where, o, err = a.placeOf(s.Store)
	o.Group = a.group
	return where, o, err
}

// openKeys finds the keys of the store with that id.
func (a *App) openKeys(storeID string) (service.Keys, error) {
	dir, err := a.keysDir(storeID)
	return service.KeysIn(dir), err
}

// keysDir is the folder with the keys of a store: the folder in --keys that is
// named by the store's id, or --keys itself when that holds keys.
func (a *App) keysDir(storeID string) (string, error) {
	s, err := a.Settings()
	if err != nil {
		return "", err
	}
	if s.Keys == "" {
		return "", noKeysFolder()
	}
	dir := filepath.Join(s.Keys, storeID)
	if _, err := os.Lstat(dir); err == nil {
		return dir, nil
	}
	if _, err := os.Lstat(filepath.Join(s.Keys, seal.File)); err == nil {
		return s.Keys, nil
	}
	return dir, nil
}

func noKeysFolder() error {
	return logiqc.Errorf(logiqc.Usage, "no home folder is known, so there is no default folder for keys").WithHint("give --keys DIR")
}

// SignIn returns the way in.
func (a *App) SignIn() (logiqc.SignIn, error) {
	remote, err := a.server()
	if err != nil {
		return nil, err
	}
	if remote != nil {
		return remote.SignIn(), nil
	}
	d, err := a.Desk()
	if err != nil {
		return nil, err
	}
	return d.SignIn(), nil
}

// Service returns what the caller may do: the holder of a token, or else of the
// saved session. Unauthenticated when there is neither.
func (a *App) Service(ctx context.Context) (logiqc.Service, error) {
	bearer, noBearer := a.bearer()
	if noBearer != nil && !errors.Is(noBearer, logiqc.Unauthenticated) {
		return nil, noBearer
	}
	remote, err := a.server()
	if remote != nil && noBearer == nil {
		return remote.Service(ctx, bearer, a.Source())
	}
	if remote != nil || err != nil {
		return nil, cmp.Or(err, noBearer)
	}
	d, err := a.Desk() // first: where there is no store, signing in is no help
	if err = cmp.Or(err, noBearer); err != nil {
		return nil, err
	}
	actor, err := d.Authenticate(ctx, bearer, a.Source())
	if err != nil {
		return nil, err
	}
	return d.As(actor), nil
}

// bearer is the token, or else the saved session, to act with.
func (a *App) bearer() (logiqc.Secret, error) {
	s, err := a.Settings()
	if err != nil {
		return "", err
	}
	if token, ok, err := s.Bearer(); ok || err != nil {
		return logiqc.Secret(token.Reveal()), err
	}
	token, ok, err := a.session(s).Load()
	if err == nil && !ok {
		err = logiqc.Errorf(logiqc.Unauthenticated, "you are not signed in to %s", s.Store.Display()).WithHint("logiqc signin")
	}
	return logiqc.Secret(token.Reveal()), err
}

// session is where the session with the store in use is saved.
func (a *App) session(s *config.Settings) config.SessionFile {
	return config.Session(config.DefaultPaths(), s.Store)
}

// Source is where this process runs, for the audit log: facts of the operating
// system, never of the environment, which anyone can set.
func (a *App) Source() logiqc.Source {
	src := logiqc.Source{}
	src.Host, _ = os.Hostname()
	src.Host, src.OSUser = strings.ToValidUTF8(src.Host, "?"), strings.ToValidUTF8(osUser(), "?")
	return src
}

// Audit returns what is needed to check the log. A store that is opened
// directly wants no sign-in for that, see [App.Direct].
func (a *App) Audit(ctx context.Context) (logiqc.Audit, error) {
	remote, err := a.server()
	if err != nil {
		return nil, err
	}
	if remote != nil {
		bearer, err := a.bearer()
		return remote.Audit(bearer, a.Source()), err
	}
	desk, actor, err := a.Direct(ctx)
	if err != nil {
		return nil, err
	}
	return desk.Audit(actor), nil
}

// evidence is [App.Audit] and what was signed of the log until now.
func (a *App) evidence(ctx context.Context) (logiqc.Audit, logiqc.Evidence, error) {
	audit, err := a.Audit(ctx)
	if err != nil {
		return nil, logiqc.Evidence{}, err
	}
	e, err := audit.Evidence(ctx)
	return audit, e, err
}

// calling is what a command begins with that changes something by the Service:
// the request of its flags, and what [App.Service] returns.
func (a *App) calling(ctx context.Context, f *requestFlags, canAsk bool) (svc logiqc.Service, req logiqc.Request, err error) {
	if req, err = f.request(canAsk); err == nil {
		svc, err = a.Service(ctx)
	}
	return svc, req, err
}

// directly is what a command begins with that changes a store which is opened
// directly: the request of its flags, and what [App.Direct] returns.
func (a *App) directly(ctx context.Context, f *requestFlags) (desk *service.Desk, by logiqc.Actor, req logiqc.Request, err error) {
	if req, err = f.request(false); err == nil {
		desk, by, err = a.Direct(ctx)
	}
	return desk, by, req, err
}

// Direct returns a Service for a command that needs no sign-in on a store that
// is opened directly, because whoever holds the store can do it anyway. A
// token or session is used where there is one, so that the log names the
// person.
func (a *App) Direct(ctx context.Context) (*service.Desk, logiqc.Actor, error) {
	d, err := a.Desk()
	if err != nil {
		return nil, logiqc.Actor{}, err
	}
	bearer, err := a.bearer()
	if errors.Is(err, logiqc.Unauthenticated) {
		return d, logiqc.Actor{Kind: logiqc.System, Source: a.Source()}, nil
	}
	if err != nil {
		return nil, logiqc.Actor{}, err
	}
	actor, err := d.Authenticate(ctx, bearer, a.Source())
	if errors.Is(err, logiqc.Unauthenticated) {
		return d, logiqc.Actor{Kind: logiqc.System, Source: a.Source()}, nil
	}
	return d, actor, err
}
