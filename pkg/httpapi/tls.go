package httpapi

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Certificate is what a server shows, and can be changed while it serves.
type Certificate struct {
	current atomic.Pointer[tls.Certificate]
	read    func() (*tls.Certificate, error)
}

// CertificateFiles reads a certificate, with those that lead to its authority,
// and its key from PEM files. A key file that everybody may read is refused.
func CertificateFiles(certFile, keyFile string) (*Certificate, error) {
	return newCertificate(func() (*tls.Certificate, error) {
		info, err := os.Stat(keyFile)
		if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
			return nil, logiqc.Errorf(logiqc.Usage, "the key %s can be used by everybody (mode %04o)", keyFile, info.Mode().Perm()).
				WithHint("chmod o= %s", keyFile)
		}
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			return nil, logiqc.Errorf(logiqc.Usage, "the certificate cannot be used: %w", err).WithHint("--tls-cert and --tls-key take PEM files that belong together")
		}
		return &pair, nil
	})
}

// CertificatePEM is a certificate and its key in one text, as [SelfSigned]
// makes it. It does not change.
func CertificatePEM(text []byte) (*Certificate, error) {
	return newCertificate(func() (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair(text, text)
		return &pair, err
	})
}

func newCertificate(read func() (*tls.Certificate, error)) (*Certificate, error) {
	c := &Certificate{read: read}
	return c, c.Reload()
}

// Reload reads the certificate anew. On an error the one in use stays.
func (c *Certificate) Reload() error {
	pair, err := c.read()
	if err == nil {
		c.current.Store(pair)
	}
	return err
}

// Pin is what clients can pin of the certificate in use.
func (c *Certificate) Pin() string { return PinOf(c.current.Load().Leaf) }

// Expires is when the certificate in use ends.
func (c *Certificate) Expires() time.Time { return c.current.Load().Leaf.NotAfter }

// config is how a server speaks TLS with it.
func (c *Certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}

// selfSignedFor is as good as for ever: clients pin the key and do not ask for
// the date.
const selfSignedFor = 30 * 365 * 24 * time.Hour

// SelfSigned makes a key and a certificate for it, signed by itself, for hosts
// by name or address: one text in PEM, which is a secret.
func SelfSigned(hosts []string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0], OrganizationalUnit: []string{"logiqc serve"}},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(selfSignedFor),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// An authority for itself, so that --ca-file and curl --cacert take it.
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	var text bytes.Buffer
	for _, block := range []*pem.Block{{Type: "PRIVATE KEY", Bytes: private}, {Type: "CERTIFICATE", Bytes: cert}} {
		if err := pem.Encode(&text, block); err != nil {
			return nil, fmt.Errorf("write the key: %w", err)
		}
	}
	return text.Bytes(), nil
}
