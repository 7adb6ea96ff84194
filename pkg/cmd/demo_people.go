package cmd

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// demoAccounts is how many people the demo imports; with the visitor there are
// 1,000.
const demoAccounts = 999

// demoCast are the people whom the demo and its hints name.
var demoCast = []logiqc.ImportRow{
	{Username: "helen", Name: "Helen Marsh", Role: logiqc.RoleAdmin},
	{Username: "tom", Name: "Tom Baker", Role: logiqc.RoleHelpdesk},
	{Username: "priya", Name: "Priya Nair", Role: logiqc.RoleHelpdesk},
	{Username: "oskar", Name: "Oskar Łukasiewicz", Role: logiqc.RoleHelpdesk},
	{Username: "ines", Name: "Inês Duarte", Role: logiqc.RoleAuditor},
	{Username: demoCaller, Name: "Jordan Lee", Phone: "+61 2 5550 1234"},
	{Username: "leeann", Name: "Leeann Cho", Auth: logiqc.BySSO},
	{Username: "mleeson", Name: "Matt Leeson", Status: logiqc.Inactive},
	{Username: "rpatel", Name: "Rohan Patel", Phone: "+61 2 5550 4471"},
	{Username: "mchen", Name: "Marcus Chen", Phone: "+61 4 5550 7788", Protected: true},
	{Username: "rgold", Name: "Ruth Gold", Phone: "+61 2 5550 9002"},
}

// demoGiven and demoFamily are names as they are written, and in letters a
// username may have.
var (
	demoGiven = strings.Fields(`Aaliyah=aaliyah Adaeze=adaeze Aiko=aiko Alejandro=alejandro Amélie=amelie Anders=anders Anjali=anjali
		Ásta=asta Beatriz=beatriz Björn=bjorn Blessing=blessing Bram=bram Çağla=cagla Caoimhe=caoimhe Chidi=chidi Chloé=chloe Daan=daan
		Dilşad=dilsad Đorđe=djordje Elif=elif Emeka=emeka Émile=emile Eun-ji=eunji Fatima=fatima Freya=freya Giulia=giulia Grace=grace
		Haruto=haruto Ивана=ivana Ιωάννης=ioannis Isla=isla Jamal=jamal Jana=jana João=joao Jürgen=juergen Kavita=kavita Kiri=kiri
		Kwame=kwame Leilani=leilani Lindiwe=lindiwe Łucja=lucja Mài=mai Mateus=mateus Mei=mei Милош=milos Mohammed=mohammed Nadia=nadia
		Niamh=niamh Nguyệt=nguyet Noah=noah Ólafur=olafur Olivia=olivia Pavel=pavel Rangi=rangi Rosa=rosa Ruth=ruth Søren=soren Sofía=sofia
		Tāne=tane Tomáš=tomas Uma=uma Viktor=viktor Wei=wei William=william Xóchitl=xochitl Yusuf=yusuf Zeynep=zeynep Zoë=zoe
		明=akira 秀英=xiuying 지우=jiwoo नेहा=neha ليلى=layla`)
	demoFamily = strings.Fields(`Abara=abara Acheampong=acheampong Ahmed=ahmed Andersson=andersson Bauer=bauer Bianchi=bianchi
		Çelik=celik Chen=chen Costa=costa Dąbrowski=dabrowski Davies=davies Dubois=dubois Eriksen=eriksen Fernández=fernandez
		García=garcia Gonçalves=goncalves Haddad=haddad Håkansson=hakansson Henare=henare Horváth=horvath Ito=ito Ivanović=ivanovic
		Jónsdóttir=jonsdottir Kaplan=kaplan Kaur=kaur Kelly=kelly Kim=kim Kowalczyk=kowalczyk Kruger=kruger Le=le Lindqvist=lindqvist
		Martin=martin Mbeki=mbeki McIntyre=mcintyre Müller=mueller Murphy=murphy Nakamura=nakamura Ndlovu=ndlovu Nguyễn=nguyen
		Novák=novak Ó-Briain=obriain Okafor=okafor Oliveira=oliveira Øvergård=overgard Papadopoulos=papadopoulos Park=park Patel=patel
		Petrović=petrovic Rossi=rossi Sato=sato Schröder=schroeder Silva=silva Singh=singh Smith=smith Suzuki=suzuki Takahashi=takahashi
		Thompson=thompson Tremblay=tremblay Varga=varga Walker=walker Wang=wang Williams=williams Yılmaz=yilmaz Zhang=zhang
		田中=tanaka 李=li 박=bak Шевченко=shevchenko`)
)

// demoRows yields the people, always the same, with one password for all and
// apps for seven in ten of those who could have one.
func demoRows(passwordHash string) func(yield func(logiqc.ImportRow, error) bool) {
	return func(yield func(logiqc.ImportRow, error) bool) {
		r := rand.New(rand.NewPCG(2026, 11)) //nolint:gosec // made-up people, not secrets
		taken := map[string]bool{demoUser: true}
		for i := range demoAccounts {
			var row logiqc.ImportRow
			if i < len(demoCast) {
				row = demoCast[i]
			} else {
				row = demoPerson(r, taken)
			}
			taken[row.Username] = true
			row.Row, row.Email = i+1, row.Username+"@stmary.example"
			if row.Auth != logiqc.BySSO {
				row.PasswordHash = logiqc.Secret(passwordHash)
				named := row.Username == demoCaller || row.Username == "rgold"
				if !named && (i < len(demoCast) || r.IntN(100) < 70) {
					row.TOTP = logiqc.Secret(totp.URI(demoIssuer, row.Username, demoPhone(row.Username)))
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// demoPerson makes up somebody whose username is not taken.
func demoPerson(r *rand.Rand, taken map[string]bool) logiqc.ImportRow {
	given, givenASCII, _ := strings.Cut(demoGiven[r.IntN(len(demoGiven))], "=")
	family, familyASCII, _ := strings.Cut(demoFamily[r.IntN(len(demoFamily))], "=")
	row := logiqc.ImportRow{Username: givenASCII[:1] + familyASCII, Name: given + " " + strings.ReplaceAll(family, "-", " ")}
	for n := 2; taken[row.Username]; n++ {
		row.Username = givenASCII[:1] + familyASCII + strconv.Itoa(n)
	}
	if r.IntN(100) < 60 {
		row.Phone = fmt.Sprintf("+61 2 5550 %04d", r.IntN(10_000))
	}
	switch n := r.IntN(100); {
	case n < 12:
		row.Auth = logiqc.BySSO
	case n < 18:
		row.Status = logiqc.Inactive
	case n < 20:
		row.Protected = true
	}
	return row
}

// demoPhone is the key in a made-up person's app.
func demoPhone(username string) totp.Key {
	sum := sha256.Sum256([]byte("demo phone of " + username))
	key, err := totp.KeyFromBytes(sum[:20])
	if err != nil {
		panic(err) // twenty bytes always are a key
	}
	return key
}
