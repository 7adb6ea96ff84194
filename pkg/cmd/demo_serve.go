package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// demoServed is what an application needs to try a demo that is served.
type demoServed struct {
	URL               string `json:"url"`
	AppToken          string `json:"app_token"`           // role app
	SecondFactorToken string `json:"second_factor_token"` // for applications that check passwords themselves
	Caller            string `json:"caller"`              // somebody who is enrolled
	SetupKey          string `json:"setup_key"`           // of the caller's app
	Password          string `json:"password"`            // everybody's
}

// demoServe serves the store on loopback until it is told to stop.
func (a *App) demoServe(ctx context.Context, d *demo) error {
	out := demoServed{Caller: demoCaller, SetupKey: d.app.Base32(), Password: demoPassword}
	sam, err := d.sam(ctx)
	if err != nil {
		return err
	}
	for _, t := range []struct {
		bearer *string
		logiqc.NewToken
	}{
		{&out.AppToken, logiqc.NewToken{Name: "demo-app", Role: logiqc.RoleApp, Lifetime: 24 * time.Hour}},
		{&out.SecondFactorToken, logiqc.NewToken{Name: "demo-check", Allow: []logiqc.Right{logiqc.SignIns, logiqc.SecondFactor}, Lifetime: 24 * time.Hour}},
	} {
		_, bearer, err := sam.CreateToken(ctx, t.NewToken)
		if err != nil {
			return err
		}
		*t.bearer = bearer.Reveal()
	}
	o := serveFlags{listen: "127.0.0.1:0", accessLog: accessOff}
	srv := newServing(d.desk, o.logger(a))
	if err := srv.listen(ctx, o, nil); err != nil {
		return err
	}
	out.URL = "http://" + srv.listeners[0].Addr().String()
	d.demoServed = &out
	if err := a.answer(d.demoAnswer, d.calls); err != nil {
		return err
	}
	return srv.run(ctx)
}

// sam is what the visitor may do, by the session that is saved for them.
func (d *demo) sam(ctx context.Context) (logiqc.Service, error) {
	bearer, _, err := d.session().Load()
	if err != nil {
		return nil, err
	}
	return d.as(ctx, logiqc.Secret(bearer.Reveal()))
}

// calls prints what an application calls, ready to be pasted.
func (d *demo) calls(io *ui.IO) error {
	s := d.demoServed
	io.Answerf("%s", ui.Bold("A store with 1,000 made-up people is served here until you press Ctrl-C."))
	io.Answerf("Everybody's password is %q. In another shell:\n", demoPassword)
	io.Answerf("  S=%s\n  T=%s\n  F=%s\n", s.URL, s.AppToken, s.SecondFactorToken)
	io.Answerf("An application signs %s in; T is a token of role app:\n", s.Caller)
	call := func(path, bearer, body string) {
		io.Answerf("  %s\n    %s\n", ui.Typed(`curl -s $S`+path+` -H "Authorization: Bearer $`+bearer+`" \`), ui.Typed("-d "+body))
	}
	code := `\"code\":\"$(oathtool --totp -b ` + s.SetupKey + `)\"`
	call("/v1/signin", "T", fmt.Sprintf(`'{"user":"%s","password":"%s","client":{"ip":"203.0.113.9"}}'`, s.Caller, demoPassword))
	io.Answerf("The answer has an attempt, which goes on with the code that the app shows:\n")
	call("/v1/signin/ATTEMPT/code", "T", `"{`+code+`}"`)
	io.Answerf("An application that checks passwords itself asks for the factor only (with the next code: each is good once); F may signin,second_factor:\n")
	call("/v1/second-factor", "F", `"{\"user\":\"`+s.Caller+`\",`+code+`}"`)
	io.Answerf("All calls are in $S/openapi.json, and docs/integrate.md walks through them.")
	d.leaveNothing(io)
	return nil
}
