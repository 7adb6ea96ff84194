package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The parameters of new hashes: OWASP's first choice for argon2id.
const (
	memoryKiB = 19456
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32
)

// The bounds of foreign hashes; see [CheckHash].
const (
	maxMemoryKiB  = 1 << 20
	maxPasses     = 16
	maxLanes      = 16
	minSalt       = 8
	maxSalt       = 64
	minKey        = 16
	maxKey        = 64
	maxBcryptCost = 16
	maxHashText   = 512
)

// parameters is an argon2id hash: its costs, salt and key.
type parameters struct {
	memory, passes uint32 // memory in KiB
	lanes          uint8
	salt, key      []byte
}

// bcryptHash is a bcrypt hash in its modular crypt form.
type bcryptHash string

var (
	errUnknownHash = errors.New("password hash is neither argon2id (PHC string) nor bcrypt")
	errMalformed   = errors.New("password hash: malformed argon2id string")
	phcEncoding    = base64.RawStdEncoding.Strict()
)

// String returns p as a PHC string.
func (p parameters) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes,
		phcEncoding.EncodeToString(p.salt), phcEncoding.EncodeToString(p.key))
}

// parse reads a stored hash of either kind, within the bounds of [CheckHash].
func parse(phc string) (hashed, error) {
	switch {
	// The base64 decoder skips line breaks: one hash would have many spellings.
	case len(phc) > maxHashText, strings.ContainsAny(phc, "\r\n"):
		return nil, errUnknownHash
	case strings.HasPrefix(phc, "$argon2id$"):
		return parseArgon2id(phc)
	case strings.HasPrefix(phc, "$2a$"), strings.HasPrefix(phc, "$2b$"), strings.HasPrefix(phc, "$2y$"):
		return parseBcrypt(phc)
	}
	return nil, errUnknownHash
}

func parseArgon2id(phc string) (hashed, error) {
	fields := strings.Split(phc, "$")
	if len(fields) != 6 {
		return nil, errMalformed
	}
	// Without a version a PHC string means the older 16, which nobody should
	// read as 19.
	if fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, fmt.Errorf("password hash: argon2id version must be %d", argon2.Version)
	}
	p, err := parseCosts(fields[3])
	if err != nil {
		return nil, err
	}
	var saltErr, keyErr error
	p.salt, saltErr = phcEncoding.DecodeString(fields[4])
	p.key, keyErr = phcEncoding.DecodeString(fields[5])
	switch {
	case saltErr != nil || keyErr != nil:
		return nil, errMalformed
	case len(p.salt) < minSalt || len(p.salt) > maxSalt:
		return nil, fmt.Errorf("password hash: salt must have %d to %d bytes", minSalt, maxSalt)
	case len(p.key) < minKey || len(p.key) > maxKey:
		return nil, fmt.Errorf("password hash: key must have %d to %d bytes", minKey, maxKey)
	}
	return p, nil
}

// parseCosts reads "m=19456,t=2,p=1", in that order and without others, as
// the PHC string format has it.
func parseCosts(text string) (parameters, error) {
	costs := strings.Split(text, ",")
	if len(costs) != 3 {
		return parameters{}, errMalformed
	}
	var values [3]uint32
	for i, bound := range [...]struct {
		name string
		most uint64
	}{{"m", maxMemoryKiB}, {"t", maxPasses}, {"p", maxLanes}} {
		digits, found := strings.CutPrefix(costs[i], bound.name+"=")
		n, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil || strconv.FormatUint(n, 10) != digits {
			return parameters{}, errMalformed
		}
		if n < 1 || n > bound.most {
			return parameters{}, fmt.Errorf("password hash: argon2id %s must be 1 to %d", bound.name, bound.most)
		}
		values[i] = uint32(n)
	}
	if values[0] < 8*values[2] {
		return parameters{}, errors.New("password hash: argon2id m must be at least 8 times p")
	}
	return parameters{memory: values[0], passes: values[1], lanes: uint8(values[2])}, nil
}

func parseBcrypt(text string) (hashed, error) {
	const length = 60 // $2b$10$ and 53 characters
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if len(text) != length || text[6] != '$' || strings.Trim(text[7:], alphabet) != "" {
		return nil, errors.New("password hash: malformed bcrypt string")
	}
	cost, err := strconv.ParseUint(text[4:6], 10, 8)
	if err != nil || cost < uint64(bcrypt.MinCost) || cost > maxBcryptCost {
		return nil, fmt.Errorf("password hash: bcrypt cost must be %d to %d", bcrypt.MinCost, maxBcryptCost)
	}
	return bcryptHash(text), nil
}
