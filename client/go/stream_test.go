package hybridserve

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	v1 "hybridserve/client/go/v1"
)

func TestAStreamIsTriedAgainBeforeItsFirstToken(t *testing.T) {
	fake, client, pauses := startFake(t, []answer{
		asksToWait(t, codes.ResourceExhausted, 2*time.Second),
		{[]*v1.GenerateStreamResponse{accepted()},
			fails(codes.Unavailable).err},
		{[]*v1.GenerateStreamResponse{
			accepted(),
			{RequestId: "made-up"}, // An event of a later version.
			output("On", 7), output("", 8), output("ce", 9),
			finished()}, nil},
	})
	stream, err := client.Stream(context.Background(), &Request{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var texts []string
	for stream.Next() {
		texts = append(texts, stream.Output().GetTextDelta())
	}
	if stream.Err() != nil || stream.Output() != nil || stream.Next() {
		t.Errorf("the stream ends with %v", stream.Err())
	}
	if want := []string{"On", "", "ce"}; !reflect.DeepEqual(texts, want) {
		t.Errorf("the stream brings %q, want %q", texts, want)
	}
	result := stream.Result()
	if result.GetText() != "Once" ||
		!reflect.DeepEqual(result.GetTokenIds(), []uint32{7, 8, 9}) ||
		result.GetUsage().GetCompletionTokens() != 3 ||
		result.GetFinishReason() != v1.FinishReason_FINISH_REASON_LENGTH {
		t.Errorf("the result is %v", result)
	}
	if fake.calls != 3 {
		t.Errorf("the server saw %d calls, want 3", fake.calls)
	}
	checkPauses(t, *pauses, []time.Duration{2 * time.Second,
		400 * time.Millisecond})
}

func TestAStreamIsNotTriedAgainAfterAToken(t *testing.T) {
	fake, client, pauses := startFake(t, []answer{
		{[]*v1.GenerateStreamResponse{accepted(), output("", 7)},
			asksToWait(t, codes.Unavailable, time.Second).err}})
	stream, err := client.Stream(context.Background(), &Request{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if !stream.Next() || stream.Next() {
		t.Error("the stream does not bring one output")
	}
	var failure *Error
	if !errors.As(stream.Err(), &failure) ||
		failure.Code != codes.Unavailable {
		t.Errorf("the stream ends with %v", stream.Err())
	}
	if ids := stream.Result().GetTokenIds(); len(ids) != 1 {
		t.Errorf("what came before is %v", ids)
	}
	if fake.calls != 1 || len(*pauses) != 0 {
		t.Errorf("%d calls, pauses %v", fake.calls, *pauses)
	}
}

func TestAStreamThatIsCutShortIsAnError(t *testing.T) {
	for name, events := range map[string][]*v1.GenerateStreamResponse{
		"nothing came":    nil,
		"no Finished":     {accepted(), output("On", 7)},
		"not even output": {accepted()},
	} {
		t.Run(name, func(t *testing.T) {
			_, client, _ := startFake(t, []answer{{events, nil}})
			stream, err := client.Stream(context.Background(), &Request{})
			if err == nil {
				for stream.Next() {
				}
				err = stream.Err()
			}
			var failure *Error
			if !errors.As(err, &failure) || failure.Code != codes.Internal {
				t.Errorf("the stream ends with %v", err)
			}
		})
	}
}
