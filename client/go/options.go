package hybridserve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Option is what Dial is told beside an address.
type Option func(*settings) error

// settings is what the options say together.
type settings struct {
	insecure    bool
	tls         *tls.Config // Nil: none of the options for TLS.
	key         func() (string, error)
	tenant      string
	retries     RetryPolicy
	dialOptions []grpc.DialOption
}

// WithInsecure connects in the clear: anybody on the way can read prompts,
// output and API key.
func WithInsecure() Option {
	return func(s *settings) error {
		s.insecure = true
		return nil
	}
}

// WithTLS trusts servers with a certificate from one of the authorities in a
// file (PEM), instead of those that the system trusts.
func WithTLS(caFile string) Option {
	return func(s *settings) error {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return fmt.Errorf("WithTLS: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("WithTLS: %s holds no certificate", caFile)
		}
		s.tlsConfig().RootCAs = pool
		return nil
	}
}

// WithClientCertificate shows a certificate to servers that ask for one (mTLS).
// The files (PEM, leaf first) are read at every connection, so that they may be
// renewed.
func WithClientCertificate(certificateFile, keyFile string) Option {
	return func(s *settings) error {
		read := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
			return &pair, err
		}
		if _, err := read(); err != nil {
			return fmt.Errorf("WithClientCertificate: %w", err)
		}
		s.tlsConfig().GetClientCertificate = func(
			*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return read()
		}
		return nil
	}
}

// WithAPIKey shows a key with every call.
func WithAPIKey(key string) Option {
	return func(s *settings) error {
		if !isKey(key) {
			return errors.New("WithAPIKey: " + keyRule)
		}
		s.key = func() (string, error) { return key, nil }
		return nil
	}
}

// WithAPIKeyFile shows the key in the first line of a file, which is read at
// every call, so that it may be renewed.
func WithAPIKeyFile(file string) Option {
	return func(s *settings) error {
		s.key = func() (string, error) { return readKey(file) }
		if _, err := s.key(); err != nil {
			return fmt.Errorf("WithAPIKeyFile: %w", err)
		}
		return nil
	}
}

// WithTenant says for whom the calls are, to a server that lets the key say so.
func WithTenant(name string) Option {
	return func(s *settings) error {
		s.tenant = name
		return nil
	}
}

// WithRetry has calls tried again by another policy than DefaultRetryPolicy.
func WithRetry(policy RetryPolicy) Option {
	return func(s *settings) error {
		if policy.MaxAttempts < 0 || policy.FirstPause <= 0 ||
			policy.LongestPause < policy.FirstPause {
			return errors.New("WithRetry: MaxAttempts must not be negative " +
				"and FirstPause be positive and at most LongestPause")
		}
		s.retries = policy
		return nil
	}
}

// WithDialOptions hands options to gRPC that the Client does not offer.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) error {
		s.dialOptions = append(s.dialOptions, options...)
		return nil
	}
}

func collect(options []Option) (*settings, error) {
	s := &settings{retries: DefaultRetryPolicy()}
	for _, option := range options {
		if err := option(s); err != nil {
			return nil, fmt.Errorf("hybridserve: %w", err)
		}
	}
	if s.insecure && s.tls != nil {
		return nil, errors.New("hybridserve: WithInsecure: there are " +
			"certificates for a connection in the clear")
	}
	return s, nil
}

func (s *settings) tlsConfig() *tls.Config {
	if s.tls == nil {
		s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return s.tls
}

func (s *settings) transport() grpc.DialOption {
	if s.insecure {
		return grpc.WithInsecure()
	}
	return grpc.WithTransportCredentials(credentials.NewTLS(s.tlsConfig()))
}

func (s *settings) identity() credentials.PerRPCCredentials {
	return identity{key: s.key, tenant: s.tenant, insecure: s.insecure}
}
