package hybridserve

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func writeFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOptionsThatCannotDoAreNamed(t *testing.T) {
	garbage := writeFile(t, "garbage\n")
	empty := writeFile(t, "\nkey\n")
	for _, bad := range []struct {
		name    string
		options []Option
	}{
		{"WithTLS", []Option{WithTLS("no such file")}},
		{"WithTLS", []Option{WithTLS(garbage)}},
		{"WithClientCertificate",
			[]Option{WithClientCertificate(garbage, garbage)}},
		{"WithAPIKey", []Option{WithAPIKey("")}},
		{"WithAPIKey", []Option{WithAPIKey("two words")}},
		{"WithAPIKeyFile", []Option{WithAPIKeyFile("no such file")}},
		{"WithAPIKeyFile", []Option{WithAPIKeyFile(empty)}},
		{"WithRetry", []Option{WithRetry(RetryPolicy{MaxAttempts: 3})}},
		{"WithRetry", []Option{WithRetry(RetryPolicy{MaxAttempts: -1,
			FirstPause: time.Second, LongestPause: time.Second})}},
	} {
		_, err := Dial("127.0.0.1:1", bad.options...)
		if err == nil || !strings.Contains(err.Error(), bad.name+": ") {
			t.Errorf("Dial says %v, want it to name %s", err, bad.name)
		}
		if err != nil && strings.Contains(err.Error(), "two words") {
			t.Errorf("Dial tells the key: %v", err)
		}
	}
}

func TestEveryCallSaysWhoseItIs(t *testing.T) {
	file := writeFile(t, "first-key\nmore\n")
	fake, client, _ := startFake(t, nil, WithAPIKeyFile(file),
		WithTenant("alice"))
	for _, key := range []string{"first-key", "renewed-key"} {
		if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Generate(context.Background(),
			&Request{}); err != nil {
			t.Fatal(err)
		}
		if got := fake.metadata.Get("authorization"); len(got) != 1 ||
			got[0] != "Bearer "+key {
			t.Errorf("the call shows %q, want %q", got, key)
		}
		if got := fake.metadata.Get("x-hybridserve-tenant"); len(got) != 1 ||
			got[0] != "alice" {
			t.Errorf("the call is for %q", got)
		}
	}
}

func TestTLSIsTheDefault(t *testing.T) {
	fake, client, _ := startFake(t, nil)
	address := client.Connection().Target()
	secure, err := Dial(address, WithRetry(RetryPolicy{MaxAttempts: 1,
		FirstPause: time.Second, LongestPause: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	defer secure.Close()
	if _, err := secure.Generate(context.Background(),
		&Request{}); err == nil || fake.calls != 0 {
		t.Errorf("a server in the clear is trusted: %v", err)
	}
}
