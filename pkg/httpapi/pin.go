package httpapi

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
)

// PinOf is the fingerprint of a server's key: the SHA-256 of the certificate's
// SubjectPublicKeyInfo (RFC 7469), as sha256: and hex digits. It stays the same
// when the certificate is renewed with its key.
func PinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// wrongPin is a server whose key is not the one that was pinned.
type wrongPin struct{ want, seen string }

func (e *wrongPin) Error() string {
	return fmt.Sprintf("its key is not the pinned one: expected %s, saw %s", e.want, e.seen)
}

// checkPin makes the check of a connection, resumed ones too.
func checkPin(want string) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if seen := PinOf(s.PeerCertificates[0]); seen != want {
			return &wrongPin{want, seen}
		}
		return nil
	}
}
