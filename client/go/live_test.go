package hybridserve_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	hybridserve "hybridserve/client/go"
	v1 "hybridserve/client/go/v1"
)

// Tests against live servers, which tests/clients starts and names in the
// environment.

const (
	prompt = "In the beginning"
	// Nothing that works takes so long; tests end before they hang.
	patience = 5 * time.Minute
)

// environment is what tests/clients says, or skips the test.
func environment(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv("HYBRIDSERVE_TEST_" + name)
	if value == "" {
		t.Skipf("no HYBRIDSERVE_TEST_%s: see tests/clients", name)
	}
	return value
}

func dial(t *testing.T, server string,
	options ...hybridserve.Option) *hybridserve.Client {
	t.Helper()
	client, err := hybridserve.Dial(environment(t, server), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// endless is a request that is not through before its test is.
func endless() *hybridserve.Request {
	return &hybridserve.Request{Prompt: prompt, MaxTokens: proto.Uint32(400),
		IgnoreEOS: true}
}

// once is a policy that tries nothing again.
func once() hybridserve.Option {
	policy := hybridserve.DefaultRetryPolicy()
	policy.MaxAttempts = 1
	return hybridserve.WithRetry(policy)
}

func checkCode(t *testing.T, err error, want codes.Code) *hybridserve.Error {
	t.Helper()
	var failure *hybridserve.Error
	if !errors.As(err, &failure) || failure.Code != want {
		t.Fatalf("the call fails with %v, want %v", err, want)
	}
	return failure
}

// waitForLoad waits until the server's load is as the test wants it.
func waitForLoad(t *testing.T, client *hybridserve.Client, what string,
	condition func(*v1.Load) bool) {
	t.Helper()
	ctx := patiently(t)
	for {
		load, err := client.Load(ctx)
		if err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
		if condition(load) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func waitUntilIdle(t *testing.T, client *hybridserve.Client) {
	t.Helper()
	waitForLoad(t, client, "nothing runs", func(load *v1.Load) bool {
		idle := load.GetQueue().GetRunning() == 0 &&
			load.GetQueue().GetWaiting() == 0
		for _, worker := range load.GetWorkers() {
			for _, pool := range worker.GetPools() {
				idle = idle && pool.GetFree()+pool.GetCached() ==
					pool.GetHalfSlots()
			}
		}
		return idle
	})
}

func TestGeneratesWhatTheProgramDoes(t *testing.T) {
	client := dial(t, "SERVER", hybridserve.WithInsecure())
	printed, err := exec.Command(environment(t, "CLIENT"), "generate",
		"--server="+environment(t, "SERVER"), "--prompt="+prompt,
		"--max_tokens=32", "--output=json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Text     string   `json:"text"`
		TokenIDs []uint32 `json:"token_ids"`
	}
	if err := json.Unmarshal(printed, &want); err != nil {
		t.Fatal(err)
	}
	got, err := client.Generate(patiently(t), &hybridserve.Request{
		Prompt: prompt, MaxTokens: proto.Uint32(32)})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetText() != want.Text || len(want.TokenIDs) == 0 ||
		!reflect.DeepEqual(got.GetTokenIds(), want.TokenIDs) {
		t.Errorf("Generate gives %v, the program %v", got, want)
	}
}

func TestStreamsWhatItGenerates(t *testing.T) {
	client := dial(t, "SERVER", hybridserve.WithInsecure())
	for name, request := range map[string]*hybridserve.Request{
		"greedy": {Prompt: prompt, MaxTokens: proto.Uint32(24),
			LogProbs: true},
		"drawn": {Prompt: prompt, MaxTokens: proto.Uint32(24),
			Temperature: proto.Float64(1), TopP: proto.Float64(0.9),
			TopK: proto.Int32(50), Seed: proto.Uint64(7)},
		"token ids": {TokenIDs: []uint32{2, 5, 6},
			MaxTokens: proto.Uint32(9)},
		"stop text": {Prompt: prompt, Stop: []string{"e"}},
	} {
		t.Run(name, func(t *testing.T) {
			whole, err := client.Generate(patiently(t), request)
			if err != nil {
				t.Fatal(err)
			}
			stream, err := client.Stream(patiently(t), request)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			var text strings.Builder
			var ids []uint32
			for stream.Next() {
				text.WriteString(stream.Output().GetTextDelta())
				ids = append(ids, stream.Output().GetTokenIds()...)
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			if text.String() != whole.GetText() ||
				!reflect.DeepEqual(ids, whole.GetTokenIds()) {
				t.Errorf("the stream brings %q %v, Generate %v",
					text.String(), ids, whole)
			}
			result := stream.Result()
			if result.GetRequestId() == "" {
				t.Error("the stream's request has no id")
			}
			result.RequestId = whole.GetRequestId()
			if !proto.Equal(result, whole) {
				t.Errorf("the result is %v, Generate's %v", result, whole)
			}
		})
	}
}

func TestScoresWhatItGenerates(t *testing.T) {
	client := dial(t, "SERVER", hybridserve.WithInsecure())
	ctx := patiently(t)
	whole, err := client.Generate(ctx, &hybridserve.Request{Prompt: prompt,
		MaxTokens: proto.Uint32(6), LogProbs: true})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := client.Tokenize(ctx, "", prompt)
	if err != nil {
		t.Fatal(err)
	}
	score, err := client.Score(ctx, &hybridserve.ScoreRequest{
		TokenIDs: append(ids, whole.GetTokenIds()...)})
	if err != nil {
		t.Fatal(err)
	}
	logProbs := score.GetLogProbs()
	if last := logProbs[len(logProbs)-6:]; !reflect.DeepEqual(last,
		whole.GetLogProbs()) {
		t.Errorf("Score gives %v, Generate %v", last, whole.GetLogProbs())
	}
	text, err := client.Detokenize(ctx, "", whole.GetTokenIds())
	if err != nil || text != whole.GetText() {
		t.Errorf("Detokenize gives %q, %v; Generate %q", text, err,
			whole.GetText())
	}
}

func TestSaysWhatTheServerIs(t *testing.T) {
	client := dial(t, "SERVER", hybridserve.WithInsecure())
	ctx := patiently(t)
	models, err := client.Models(ctx)
	if err != nil || len(models) != 1 || models[0].GetName() != "demo" {
		t.Errorf("Models gives %v, %v", models, err)
	}
	info, err := client.ServerInfo(ctx)
	if err != nil || info.GetVersion() == "" || info.GetDraining() {
		t.Errorf("ServerInfo gives %v, %v", info, err)
	}
	for _, name := range []string{"", "demo",
		"hybridserve.v1.InferenceService"} {
		if healthy, err := client.Healthy(ctx, name); !healthy || err != nil {
			t.Errorf("Healthy(%q) gives %v, %v", name, healthy, err)
		}
	}
	_, err = client.Healthy(ctx, "no-such-model")
	checkCode(t, err, codes.NotFound)
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	client := dial(t, "SERVER", hybridserve.WithInsecure())
	_, err := client.Generate(patiently(t),
		&hybridserve.Request{Model: "no-such-model", Prompt: prompt})
	failure := checkCode(t, err, codes.NotFound)
	if failure.ResourceType != "model" ||
		failure.ResourceName != "no-such-model" || failure.RequestID == "" {
		t.Errorf("the error is %+v", failure)
	}
	for field, request := range map[string]*hybridserve.Request{
		"sampling.top_p":       {TopP: proto.Float64(0)},
		"sampling.temperature": {Temperature: proto.Float64(-1)},
		"sampling.presence_penalty": {
			PresencePenalty: proto.Float64(3)},
		"sampling.frequency_penalty": {
			FrequencyPenalty: proto.Float64(-3)},
		"sampling.repetition_penalty": {
			RepetitionPenalty: proto.Float64(0)},
		"sampling.logit_bias": {
			LogitBias: map[uint32]float64{5: 200}},
		"stopping.max_tokens": {MaxTokens: proto.Uint32(0)},
		"priority":            {Priority: 101},
	} {
		request.Prompt = prompt
		_, err := client.Generate(patiently(t), request)
		failure := checkCode(t, err, codes.InvalidArgument)
		if len(failure.Fields) != 1 || failure.Fields[0].Field != field ||
			failure.Fields[0].Description == "" {
			t.Errorf("the bad fields are %v, want %s", failure.Fields, field)
		}
		_, err = client.Stream(patiently(t), request)
		failure = checkCode(t, err, codes.InvalidArgument)
		if len(failure.Fields) != 1 || failure.RequestID == "" {
			t.Errorf("the stream's error is %+v", failure)
		}
	}
	err = client.Abort(patiently(t), "nobody")
	checkCode(t, err, codes.NotFound)
}

func TestEndingAStreamFreesTheServer(t *testing.T) {
	client := dial(t, "SLOW_SERVER", hybridserve.WithInsecure())
	for name, end := range map[string]func(*hybridserve.Stream,
		context.CancelFunc){
		"closed": func(stream *hybridserve.Stream,
			_ context.CancelFunc) {
			stream.Close()
		},
		"cancelled": func(_ *hybridserve.Stream,
			cancel context.CancelFunc) {
			cancel()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(patiently(t))
			defer cancel()
			stream, err := client.Stream(ctx, endless())
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			if !stream.Next() {
				t.Fatal(stream.Err())
			}
			load, err := client.Load(ctx)
			if err != nil || load.GetQueue().GetRunning() != 1 {
				t.Fatalf("the load is %v, %v", load, err)
			}
			end(stream, cancel)
			for stream.Next() {
			}
			checkCode(t, stream.Err(), codes.Canceled)
			if !errors.Is(stream.Err(), context.Canceled) {
				t.Errorf("the stream ends with %v", stream.Err())
			}
			waitUntilIdle(t, client)
		})
	}
}

func TestADeadlineEndsTheCall(t *testing.T) {
	client := dial(t, "SLOW_SERVER", hybridserve.WithInsecure())
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := client.Generate(ctx, endless())
	checkCode(t, err, codes.DeadlineExceeded)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Generate fails with %v", err)
	}
	waitUntilIdle(t, client)
}

// The server runs one request and lets one wait.
func TestAFullQueueIsComeBackTo(t *testing.T) {
	client := dial(t, "SLOW_SERVER", hybridserve.WithInsecure())
	waitUntilIdle(t, client)
	var streams []*hybridserve.Stream
	for i := 0; i < 2; i++ {
		stream, err := client.Stream(patiently(t), endless())
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		streams = append(streams, stream)
		if i == 0 && !stream.Next() {
			t.Fatal(stream.Err())
		}
	}
	small := &hybridserve.Request{Prompt: prompt, MaxTokens: proto.Uint32(1)}
	_, err := dial(t, "SLOW_SERVER", hybridserve.WithInsecure(),
		once()).Generate(patiently(t), small)
	failure := checkCode(t, err, codes.ResourceExhausted)
	if failure.RetryDelay <= 0 || len(failure.Quotas) == 0 ||
		failure.Quotas[0].Subject == "" {
		t.Errorf("the refusal is %+v", failure)
	}

	load, err := client.Load(patiently(t))
	if err != nil {
		t.Fatal(err)
	}
	refused := load.GetRequests().GetRejected()
	policy := hybridserve.DefaultRetryPolicy()
	policy.MaxAttempts = 0
	patient := dial(t, "SLOW_SERVER", hybridserve.WithInsecure(),
		hybridserve.WithRetry(policy))
	type outcome struct {
		response *v1.GenerateResponse
		err      error
	}
	outcomes := make(chan outcome)
	go func() {
		response, err := patient.Generate(patiently(t), small)
		outcomes <- outcome{response, err}
	}()
	waitForLoad(t, client, "it is refused", func(load *v1.Load) bool {
		return load.GetRequests().GetRejected() > refused
	})
	for _, stream := range streams {
		stream.Close()
	}
	got := <-outcomes
	if got.err != nil || len(got.response.GetTokenIds()) != 1 {
		t.Errorf("Generate gives %v, %v", got.response, got.err)
	}
}

// tests/clients starts this server when somebody has tried to connect to it.
func TestAServerMayStartLate(t *testing.T) {
	policy := hybridserve.DefaultRetryPolicy()
	policy.MaxAttempts = 0
	client := dial(t, "LATE_SERVER", hybridserve.WithInsecure(),
		hybridserve.WithRetry(policy))
	stream, err := client.Stream(patiently(t), &hybridserve.Request{
		Prompt: prompt, MaxTokens: proto.Uint32(3)})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for stream.Next() {
	}
	if stream.Err() != nil || len(stream.Result().GetTokenIds()) != 3 {
		t.Errorf("the stream brings %v, %v", stream.Result(), stream.Err())
	}
}

func TestGetsInWithCertificateAndKeyOnly(t *testing.T) {
	files := environment(t, "SECRETS") + "/"
	trust := hybridserve.WithTLS(files + "servers.crt")
	own := hybridserve.WithClientCertificate(files+"client.crt",
		files+"client.key")
	strange := hybridserve.WithClientCertificate(files+"stranger.crt",
		files+"stranger.key")
	key := hybridserve.WithAPIKeyFile(files + "alice.txt")
	type options = []hybridserve.Option
	for name, entry := range map[string]struct {
		options options
		code    codes.Code
	}{
		"the right ones": {options{trust, own, key}, codes.OK},
		"its own tenant": {options{trust, own, key,
			hybridserve.WithTenant("alice")}, codes.OK},
		"another tenant": {options{trust, own, key,
			hybridserve.WithTenant("bob")}, codes.PermissionDenied},
		"no key": {options{trust, own}, codes.Unauthenticated},
		"a guessed key": {options{trust, own,
			hybridserve.WithAPIKey("guessed")}, codes.Unauthenticated},
		"no certificate": {options{trust, key}, codes.Unavailable},
		"a stranger's certificate": {options{trust, strange, key},
			codes.Unavailable},
		"no trust in the server": {options{own, key}, codes.Unavailable},
		"in the clear": {options{hybridserve.WithInsecure(), key},
			codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			client := dial(t, "SECURE_SERVER", append(entry.options, once())...)
			response, err := client.Generate(patiently(t),
				&hybridserve.Request{Prompt: prompt,
					MaxTokens: proto.Uint32(2)})
			if entry.code == codes.OK {
				if err != nil || len(response.GetTokenIds()) != 2 {
					t.Errorf("Generate gives %v, %v", response, err)
				}
				return
			}
			checkCode(t, err, entry.code)
		})
	}
	_, err := hybridserve.Dial("127.0.0.1:1", hybridserve.WithInsecure(), own)
	if err == nil || !strings.Contains(err.Error(), "WithInsecure") {
		t.Errorf("Dial takes a certificate for a connection in the clear: %v",
			err)
	}
}
