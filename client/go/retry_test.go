package hybridserve

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	v1 "hybridserve/client/go/v1"
)

// checkPauses expects each pause to be at least as long as given and not much
// longer.
func checkPauses(t *testing.T, pauses, want []time.Duration) {
	t.Helper()
	if len(pauses) != len(want) {
		t.Fatalf("pauses are %v, want about %v", pauses, want)
	}
	for i := range want {
		longest := want[i] + time.Duration(jitter*float64(want[i]))
		if pauses[i] < want[i] || pauses[i] > longest {
			t.Errorf("pause %d is %v, want %v to %v", i, pauses[i], want[i],
				longest)
		}
	}
}

func TestWhatTheServerCouldNotTakeIsTriedAgain(t *testing.T) {
	fake, client, pauses := startFake(t, []answer{
		fails(codes.Unavailable),
		asksToWait(t, codes.ResourceExhausted, 3*time.Second),
		asksToWait(t, codes.Unavailable, time.Millisecond),
	})
	response, err := client.Generate(context.Background(), &Request{})
	if err != nil || response.GetText() != "done" {
		t.Errorf("Generate gives %v, %v", response, err)
	}
	if fake.calls != 4 {
		t.Errorf("the server saw %d calls, want 4", fake.calls)
	}
	checkPauses(t, *pauses, []time.Duration{200 * time.Millisecond,
		3 * time.Second, 800 * time.Millisecond})
}

func TestWhatWouldFailAgainIsNotTriedAgain(t *testing.T) {
	for _, code := range []codes.Code{codes.InvalidArgument, codes.NotFound,
		codes.Aborted, codes.AlreadyExists, codes.Internal, codes.Unauthenticated,
		codes.PermissionDenied, codes.DeadlineExceeded, codes.Canceled,
		codes.ResourceExhausted /* Without RetryInfo: a large message. */} {
		t.Run(code.String(), func(t *testing.T) {
			fake, client, pauses := startFake(t, []answer{fails(code)})
			_, err := client.Generate(context.Background(), &Request{})
			var failure *Error
			if !errors.As(err, &failure) || failure.Code != code {
				t.Errorf("Generate fails with %v, want %v", err, code)
			}
			if fake.calls != 1 || len(*pauses) != 0 {
				t.Errorf("%d calls, pauses %v", fake.calls, *pauses)
			}
		})
	}
}

func TestATakenIDAfterALostAttemptIsOnesOwn(t *testing.T) {
	generate := func(client *Client, request *Request) error {
		_, err := client.Generate(context.Background(), request)
		return err
	}
	open := func(client *Client, request *Request) error {
		stream, err := client.Stream(context.Background(), request)
		if err == nil {
			stream.Close()
		}
		return err
	}
	for name, call := range map[string]func(*Client, *Request) error{
		"Generate": generate, "Stream": open} {
		t.Run(name, func(t *testing.T) {
			answers := []answer{fails(codes.Unavailable),
				fails(codes.AlreadyExists),
				{events: []*v1.GenerateStreamResponse{accepted()}}}
			fake, client, pauses := startFake(t, answers)
			if err := call(client, &Request{ID: "mine"}); err != nil {
				t.Errorf("fails with %v", err)
			}
			if fake.calls != 3 || len(*pauses) != 2 {
				t.Errorf("%d calls, pauses %v", fake.calls, *pauses)
			}

			// The first attempt finds another's; one without an id, none.
			for want, request := range map[int]*Request{
				1: {ID: "mine"}, 2: {}} {
				fake, client, _ := startFake(t, answers[2-want:])
				err := call(client, request)
				var failure *Error
				if !errors.As(err, &failure) ||
					failure.Code != codes.AlreadyExists {
					t.Errorf("fails with %v", err)
				}
				if fake.calls != want {
					t.Errorf("%d calls, want %d", fake.calls, want)
				}
			}
		})
	}
}

func TestAttemptsAreCounted(t *testing.T) {
	answers := make([]answer, 20)
	for i := range answers {
		answers[i] = fails(codes.Unavailable)
	}
	policy := RetryPolicy{MaxAttempts: 4, FirstPause: time.Second,
		LongestPause: 2 * time.Second}
	fake, client, pauses := startFake(t, answers, WithRetry(policy))
	_, err := client.Generate(context.Background(), &Request{})
	var failure *Error
	if !errors.As(err, &failure) || failure.Code != codes.Unavailable {
		t.Errorf("Generate fails with %v", err)
	}
	if fake.calls != 4 {
		t.Errorf("the server saw %d calls, want 4", fake.calls)
	}
	checkPauses(t, *pauses, []time.Duration{time.Second, 2 * time.Second,
		2 * time.Second})

	policy.MaxAttempts = 0 // Until it works.
	fake, client, pauses = startFake(t, answers, WithRetry(policy))
	if _, err := client.Generate(context.Background(), &Request{}); err != nil {
		t.Errorf("Generate fails with %v", err)
	}
	if fake.calls != 21 || len(*pauses) != 20 {
		t.Errorf("%d calls, pauses %v", fake.calls, *pauses)
	}
}

func TestAPauseThatOutlastsTheDeadlineIsNotBegun(t *testing.T) {
	fake, client, pauses := startFake(t, []answer{
		asksToWait(t, codes.ResourceExhausted, time.Hour)})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := client.Generate(ctx, &Request{})
	var failure *Error
	if !errors.As(err, &failure) || failure.RetryDelay != time.Hour {
		t.Errorf("Generate fails with %v", err)
	}
	if fake.calls != 1 || len(*pauses) != 0 {
		t.Errorf("%d calls, pauses %v", fake.calls, *pauses)
	}
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	_, client, _ := startFake(t, []answer{
		asksToWait(t, codes.Unavailable, time.Hour)})
	ctx, cancel := context.WithCancel(context.Background())
	client.sleep = func(ctx context.Context, pause time.Duration) error {
		cancel()
		return sleep(ctx, pause)
	}
	_, err := client.Generate(ctx, &Request{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Generate fails with %v", err)
	}
}
