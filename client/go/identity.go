package hybridserve

import (
	"context"
	"fmt"
	"os"
	"strings"
)

const keyRule = "an API key is one word of printable ASCII"

// identity is what a client says of itself with every call.
type identity struct {
	key      func() (string, error) // Nil: none.
	tenant   string                 // Empty: does not say.
	insecure bool
}

// GetRequestMetadata is called by gRPC.
func (i identity) GetRequestMetadata(context.Context,
	...string) (map[string]string, error) {
	said := map[string]string{}
	if i.tenant != "" {
		said["x-hybridserve-tenant"] = i.tenant
	}
	if i.key != nil {
		key, err := i.key()
		if err != nil {
			return nil, err
		}
		said["authorization"] = "Bearer " + key
	}
	return said, nil
}

// RequireTransportSecurity is called by gRPC. WithInsecure knows what it does.
func (i identity) RequireTransportSecurity() bool { return !i.insecure }

func readKey(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	key := strings.TrimSpace(line)
	if !isKey(key) {
		return "", fmt.Errorf("%s: %s", file, keyRule)
	}
	return key, nil
}

func isKey(key string) bool {
	for _, c := range key {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return key != ""
}
