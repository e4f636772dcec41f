package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// tlsFiles hold what KEDA takes from a TriggerAuthentication; there TLS is on as soon as one of them is set.
type tlsFiles struct {
	authority, certificate, key string
}

// credentials are KEDA's: TLS 1.2 at least, the caller's authority beside the system's, a client certificate where there is one.
// The server's name is that of the address.
func (f tlsFiles) credentials() (credentials.TransportCredentials, error) {
	if f == (tlsFiles{}) {
		return insecure.NewCredentials(), nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if f.authority != "" {
		text, err := os.ReadFile(f.authority)
		if err != nil {
			return nil, err
		}
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", f.authority)
		}
	}
	if f.certificate != "" {
		pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}
