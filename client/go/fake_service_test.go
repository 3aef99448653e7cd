package hybridserve

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	v1 "hybridserve/client/go/v1"
)

// answer is what a fakeService does with one call.
type answer struct {
	events []*v1.GenerateStreamResponse // Of a stream.
	err    error
}

// fakeService gives each call the next of its answers, on a real socket.
type fakeService struct {
	v1.UnimplementedInferenceServiceServer
	mutex    sync.Mutex
	answers  []answer
	calls    int
	metadata metadata.MD // Of the last call.
}

func (f *fakeService) next(ctx context.Context) answer {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.calls++
	f.metadata, _ = metadata.FromIncomingContext(ctx)
	if len(f.answers) == 0 {
		return answer{}
	}
	first := f.answers[0]
	f.answers = f.answers[1:]
	return first
}

func (f *fakeService) Generate(ctx context.Context,
	_ *v1.GenerateRequest) (*v1.GenerateResponse, error) {
	if given := f.next(ctx); given.err != nil {
		return nil, given.err
	}
	return &v1.GenerateResponse{Text: "done"}, nil
}

func (f *fakeService) GenerateStream(_ *v1.GenerateStreamRequest,
	stream v1.InferenceService_GenerateStreamServer) error {
	given := f.next(stream.Context())
	for _, event := range given.events {
		if err := stream.Send(event); err != nil {
			return err
		}
	}
	return given.err
}

// startFake returns a fakeService, a client of it and the pauses that this makes
// without waiting.
func startFake(t *testing.T, answers []answer, options ...Option) (
	*fakeService, *Client, *[]time.Duration) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fake := &fakeService{answers: answers}
	server := grpc.NewServer()
	v1.RegisterInferenceServiceServer(server, fake)
	go server.Serve(listener)
	t.Cleanup(server.Stop)

	client, err := Dial(listener.Addr().String(),
		append(options, WithInsecure())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	pauses := &[]time.Duration{}
	client.sleep = func(ctx context.Context, pause time.Duration) error {
		*pauses = append(*pauses, pause)
		return ctx.Err()
	}
	return fake, client, pauses
}

func fails(code codes.Code) answer {
	return answer{err: status.Error(code, "no")}
}

// asksToWait is a refusal with RetryInfo.
func asksToWait(t *testing.T, code codes.Code, wait time.Duration) answer {
	t.Helper()
	refusal, err := status.New(code, "later").WithDetails(
		&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	if err != nil {
		t.Fatal(err)
	}
	return answer{err: refusal.Err()}
}

func accepted() *v1.GenerateStreamResponse {
	return &v1.GenerateStreamResponse{
		RequestId: "made-up",
		Event: &v1.GenerateStreamResponse_Accepted{
			Accepted: &v1.Accepted{}}}
}

func output(text string, ids ...uint32) *v1.GenerateStreamResponse {
	return &v1.GenerateStreamResponse{
		Event: &v1.GenerateStreamResponse_TokenOutput{
			TokenOutput: &v1.TokenOutput{TokenIds: ids, TextDelta: text}}}
}

func finished() *v1.GenerateStreamResponse {
	return &v1.GenerateStreamResponse{
		Event: &v1.GenerateStreamResponse_Finished{
			Finished: &v1.Finished{
				Reason: v1.FinishReason_FINISH_REASON_LENGTH}},
		Usage: &v1.Usage{PromptTokens: 1, CompletionTokens: 3}}
}
