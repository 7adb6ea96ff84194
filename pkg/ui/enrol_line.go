package ui

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// clearScreen erases screen and history. It is used only after a secret was
// printed in lines, and said so beforehand.
const clearScreen = "\x1b[H\x1b[2J\x1b[3J"

// forget clears what a dialogue in lines has printed; a dumb terminal cannot.
func (u *IO) forget() {
	if u.dumb {
		u.sayf("This terminal cannot be cleared. Close its window to forget what was shown.")
		return
	}
	_ = u.write(u.opt.Stderr, clearScreen)
	u.sayf("The screen and its history were cleared.")
}

// enrolLines is [IO.Enrol] in lines.
func (u *IO) enrolLines(ctx context.Context, s EnrolScreen) (out EnrolOutcome, err error) {
	u.discardInput()
	defer u.forget()
	if s.Notice != "" {
		u.sayf("%s", s.Notice)
	}
	u.sayf("%s. Step 1 of 3.", s.Title)
	n := 0
	for _, g := range s.Groups {
		n += len(g)
	}
	u.sayf("Add an account by setup key. Account name: %s. Issuer: %s.", s.Account, s.Issuer)
	u.sayf("The setup key has %d characters in %d groups:", n, len(s.Groups))
	u.groups(s.Groups, spaced1)
	if err := u.enrolMenu(ctx, s, &out); err != nil {
		return out, err
	}
	u.sayf("Step 2 of 3. Type the six digits the app shows; blanks are fine. Type c to cancel.")
	for s.Tries == 0 || out.WrongCodes < s.Tries {
		code, err := u.line(ctx, "Code:", true)
		code = strings.TrimSpace(code)
		switch {
		case err != nil:
			return out, err
		case strings.EqualFold(code, "c"):
			return out, ErrCancelled
		case code == "":
			continue
		case s.unfit(code) != "":
			u.sayf("%s", s.unfit(code))
			continue
		}
		done, message, err := s.Submit(ctx, code)
		if err != nil {
			return out, err
		}
		if done {
			out.Proved, u.step = true, "Step 3 of 3. "
			return out, nil
		}
		out.WrongCodes++
		u.sayf("%s", triesLeft(message, s.Tries, out.WrongCodes))
	}
	return out, nil
}

// enrolMenu offers other ways to take the key over, until Enter.
func (u *IO) enrolMenu(ctx context.Context, s EnrolScreen, out *EnrolOutcome) error {
	menu := []string{"s to spell it", "q for the QR code"}
	if s.SavePNG != nil {
		menu = append(menu, "p to save it as a picture")
	}
	for {
		u.sayf("Type %s, c to cancel,", strings.Join(menu, ", "))
		got, err := u.line(ctx, "or press Enter to go on.", true)
		if err != nil {
			return err
		}
		switch strings.ToLower(strings.TrimSpace(got)) {
		case "":
			return nil
		case "c":
			return ErrCancelled
		case "s":
			u.groups(s.Groups, spell)
		case "q":
			u.showQR(s)
		case "p":
			if err := u.saveLine(ctx, s, out); err != nil {
				return err
			}
		default:
			u.sayf("%s is not one of these.", quoted(got))
		}
	}
}

// groups prints the setup key, one group to a line.
func (u *IO) groups(groups []string, say func(string) string) {
	for i, g := range groups {
		u.sayf("  Group %d: %s", i+1, say(g))
	}
}

// showQR prints the QR code, where it can be, and always its address.
func (u *IO) showQR(s EnrolScreen) {
	w, h := u.promptSize()
	qr, _ := fitQR(s.QR, w, h)
	switch {
	case qr == "" || u.dumb:
		u.sayf("This terminal cannot show the QR code.")
	default:
		_ = u.write(u.opt.Stderr, qr+"\n")
	}
	u.sayf("The address in the QR code: %s", s.URI)
}

// saveLine asks for a path and saves the picture there.
func (u *IO) saveLine(ctx context.Context, s EnrolScreen, out *EnrolOutcome) error {
	if s.SavePNG == nil {
		u.sayf("There is no picture to save.")
		return nil
	}
	path, err := u.line(ctx, fmt.Sprintf("Save picture as [%s]:", pngName), true)
	if err != nil {
		return err
	}
	if path = strings.TrimSpace(path); path == "" {
		path = pngName
	}
	if err := s.SavePNG(path); err != nil {
		u.sayf("Not saved: %s", err)
		return nil
	}
	out.PNG = path
	u.sayf("Saved as %s. It holds the secret: delete it afterwards.", path)
	return nil
}

// spaced1 sets characters apart, so that they are read one by one.
func spaced1(group string) string { return strings.Join(strings.Split(Clean(group), ""), " ") }

// spelling is the ICAO alphabet and the digits of RFC 4648 base32.
var spelling = map[rune]string{
	'A': "Alfa", 'B': "Bravo", 'C': "Charlie", 'D': "Delta", 'E': "Echo", 'F': "Foxtrot", 'G': "Golf",
	'H': "Hotel", 'I': "India", 'J': "Juliett", 'K': "Kilo", 'L': "Lima", 'M': "Mike", 'N': "November",
	'O': "Oscar", 'P': "Papa", 'Q': "Quebec", 'R': "Romeo", 'S': "Sierra", 'T': "Tango", 'U': "Uniform",
	'V': "Victor", 'W': "Whiskey", 'X': "X-ray", 'Y': "Yankee", 'Z': "Zulu",
	'2': "two", '3': "three", '4': "four", '5': "five", '6': "six", '7': "seven",
}

// spell names the characters of a group.
func spell(group string) string {
	var out []string
	for _, r := range Clean(group) {
		name, ok := spelling[unicode.ToUpper(r)]
		if !ok {
			name = string(r)
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}
