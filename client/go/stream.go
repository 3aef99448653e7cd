package hybridserve

import (
	"context"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v1 "hybridserve/client/go/v1"
)

// Stream brings the output of a request as it is produced:
//
//	stream, err := client.Stream(ctx, request)
//	if err != nil {
//		return err
//	}
//	defer stream.Close()
//	for stream.Next() {
//		fmt.Print(stream.Output().GetTextDelta())
//	}
//	return stream.Err()
//
// Not safe for concurrent use, but for Close.
type Stream struct {
	context context.Context
	cancel  context.CancelFunc
	client  *Client
	request *v1.GenerateStreamRequest
	retrier retrier
	call    v1.InferenceService_GenerateStreamClient
	// Read and not taken yet.
	next   *v1.GenerateStreamResponse
	output *v1.TokenOutput
	result *v1.GenerateResponse
	// The output is complete, as the server says.
	finished bool
	ended    bool
	err      error
}

// Stream produces tokens until a stop condition and brings each as it is
// produced. It returns when the server has accepted the request, which may be
// long before its turn comes. When ctx ends or the Stream is closed the server
// stops.
func (c *Client) Stream(ctx context.Context,
	request *Request) (*Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	message := request.stream()
	s := &Stream{
		context: ctx,
		cancel:  cancel,
		client:  c,
		request: message,
		retrier: newRetrier(c, message),
		result:  &v1.GenerateResponse{},
	}
	s.open()
	if s.err != nil {
		cancel()
		return nil, s.err
	}
	return s, nil
}

// Next waits for more output and returns true, or false when there will be none:
// Err says why.
func (s *Stream) Next() bool {
	s.output = nil
	for s.err == nil && !s.ended {
		message := s.receive()
		if message == nil {
			continue
		}
		s.take(message)
		if s.output != nil {
			return true
		}
	}
	s.cancel()
	return false
}

// Output is what the last call of Next brought. Never repeats what came before,
// also when the request went on with another worker.
func (s *Stream) Output() *v1.TokenOutput { return s.output }

// Err is nil when the output is complete, and otherwise an *Error.
func (s *Stream) Err() error { return s.err }

// Result is all that has come so far: when Next has returned false and Err is
// nil, what Generate would have returned.
func (s *Stream) Result() *v1.GenerateResponse { return s.result }

// Close makes the server stop, unless the output is complete. Always call it.
func (s *Stream) Close() { s.cancel() }

// open makes the call, again where that may help, and reads its first message.
func (s *Stream) open() {
	for {
		call, err := s.client.inference.GenerateStream(s.context, s.request)
		s.call = call
		if err == nil {
			s.next, err = call.Recv()
		}
		if err == nil {
			return
		}
		s.err = s.retrier.pause(s.context, s.failure(err))
		if s.err != nil {
			return
		}
	}
}

// receive returns the next message. Nil if there is none: then the stream has
// ended, failed or begun anew.
func (s *Stream) receive() *v1.GenerateStreamResponse {
	if message := s.next; message != nil {
		s.next = nil
		return message
	}
	message, err := s.call.Recv()
	if err == nil {
		return message
	}
	if err == io.EOF && s.finished {
		s.ended = true
		return nil
	}
	failure := s.failure(err)
	if len(s.result.TokenIds) > 0 || s.result.Text != "" {
		s.err = failure
	} else if s.err = s.retrier.pause(s.context, failure); s.err == nil {
		s.open()
	}
	return nil
}

// take keeps what a message brings. Events that it does not know are left out.
func (s *Stream) take(message *v1.GenerateStreamResponse) {
	if id := message.GetRequestId(); id != "" {
		s.result.RequestId = id
	}
	if output := message.GetTokenOutput(); output != nil {
		s.output = output
		s.result.Text += output.GetTextDelta()
		s.result.TokenIds = append(s.result.TokenIds, output.GetTokenIds()...)
		s.result.LogProbs = append(s.result.LogProbs, output.GetLogProbs()...)
		s.result.TopLogProbs = append(s.result.TopLogProbs,
			output.GetTopLogProbs()...)
	}
	if usage := message.GetUsage(); usage != nil {
		s.result.Usage = usage
	}
	if finished := message.GetFinished(); finished != nil {
		s.result.FinishReason = finished.GetReason()
		s.result.StopMatch = finished.GetStopMatch()
		s.finished = true
	}
}

func (s *Stream) failure(err error) *Error {
	if err == io.EOF {
		err = status.Error(codes.Internal,
			"the server ended the stream without saying why")
	}
	var seen callMetadata
	if s.call != nil {
		seen.trailer = s.call.Trailer()
		seen.header, _ = s.call.Header()
	}
	id := seen.requestID()
	if id == "" {
		id = s.result.RequestId
	}
	return toError(err, id)
}
