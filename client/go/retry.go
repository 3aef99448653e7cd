package hybridserve

import (
	"context"
	"math/rand"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// jitter is the share by which pauses are lengthened at most, so that those who
// were refused together do not come back together.
const jitter = 0.2

// RetryPolicy says how a call that the server could not take is tried again:
// one that failed with Unavailable, or with ResourceExhausted where the server
// names a time to come back (RetryInfo). After such a failure AlreadyExists is one
// too, where the caller named the request: the id is the earlier attempt's, which
// the server has yet to let go. A stream is never tried again once it has brought
// a token. A pause is never shorter than the server asks for. One
// that would outlast the context's deadline is not begun: the call returns its
// last error at once.
type RetryPolicy struct {
	// The first one included; 1: never again. 0: until the context ends.
	MaxAttempts int
	// Doubled with each attempt, up to LongestPause.
	FirstPause   time.Duration
	LongestPause time.Duration
}

// DefaultRetryPolicy is that of a Client that is not told another. Its pauses are
// together longer than a scheduler that is updated drains (60 s).
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{
		MaxAttempts:  16,
		FirstPause:   200 * time.Millisecond,
		LongestPause: 10 * time.Second,
	}
}

// retrier counts the attempts of one call.
type retrier struct {
	client *Client
	// The caller chose the request's id.
	named    bool
	failures int
}

// newRetrier is for the attempts to send message.
func newRetrier(client *Client, message any) retrier {
	request, ok := message.(interface{ GetRequestId() string })
	return retrier{client: client, named: ok && request.GetRequestId() != ""}
}

// pause waits until the call may be tried again and returns nil, or returns what
// it has failed with for good.
func (r *retrier) pause(ctx context.Context, failure *Error) error {
	r.failures++
	if !r.mayHelp(failure) || ctx.Err() != nil ||
		r.failures == r.client.retries.MaxAttempts {
		return failure
	}
	pause := r.client.retries.pauseAfter(r.failures, failure.RetryDelay)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
		return failure
	}
	if err := r.client.sleep(ctx, pause); err != nil {
		return toError(status.FromContextError(err).Err(), failure.RequestID)
	}
	return nil
}

func (p RetryPolicy) pauseAfter(failures int,
	asked time.Duration) time.Duration {
	pause := p.FirstPause
	for i := 1; i < failures && pause < p.LongestPause; i++ {
		pause *= 2
	}
	if pause > p.LongestPause {
		pause = p.LongestPause
	}
	if pause < asked {
		pause = asked
	}
	return pause + time.Duration(jitter*rand.Float64()*float64(pause))
}

// mayHelp says whether another attempt may succeed.
func (r *retrier) mayHelp(failure *Error) bool {
	return failure.retryable() ||
		failure.Code == codes.AlreadyExists && r.named && r.failures > 1
}

// retryable says whether the same call may succeed later. ResourceExhausted
// without a time to come back is that of a message that is too large.
func (e *Error) retryable() bool {
	return e.Code == codes.Unavailable ||
		e.Code == codes.ResourceExhausted && e.RetryDelay > 0
}

func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
