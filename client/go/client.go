package hybridserve

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	v1 "hybridserve/client/go/v1"
)

const (
	maxMessageBytes = 64 << 20
	// A streamed step can take seconds: notice a dead server in between.
	keepaliveTime    = 30 * time.Second
	keepaliveTimeout = 20 * time.Second
	// How long a server that came back may stay unnoticed.
	longestRedialPause = 10 * time.Second
)

// Client is a connection to a server. Safe for concurrent use.
type Client struct {
	connection *grpc.ClientConn
	inference  v1.InferenceServiceClient
	models     v1.ModelServiceClient
	control    v1.ControlServiceClient
	health     grpc_health_v1.HealthClient
	retries    RetryPolicy
	// Waits, or returns the context's error; tests have their own.
	sleep func(context.Context, time.Duration) error
}

// Dial returns a client of the server at address, HOST:PORT. It connects when
// it is first used. Without WithInsecure the connection is by TLS and the server
// must show a certificate that the system trusts, or one of WithTLS.
func Dial(address string, options ...Option) (*Client, error) {
	settings, err := collect(options)
	if err != nil {
		return nil, err
	}
	dialOptions := []grpc.DialOption{
		settings.transport(),
		grpc.WithPerRPCCredentials(settings.identity()),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxMessageBytes),
			grpc.MaxCallSendMsgSize(maxMessageBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  settings.retries.FirstPause,
				Multiplier: 2,
				Jitter:     jitter,
				MaxDelay:   longestRedialPause},
			MinConnectTimeout: 20 * time.Second}),
	}
	connection, err := grpc.Dial(address,
		append(dialOptions, settings.dialOptions...)...)
	if err != nil {
		return nil, err
	}
	return &Client{
		connection: connection,
		inference:  v1.NewInferenceServiceClient(connection),
		models:     v1.NewModelServiceClient(connection),
		control:    v1.NewControlServiceClient(connection),
		health:     grpc_health_v1.NewHealthClient(connection),
		retries:    settings.retries,
		sleep:      sleep,
	}, nil
}

// Close ends the connection and the calls that are under way.
func (c *Client) Close() error { return c.connection.Close() }

// Connection is for the stubs of package v1 and what the Client does not offer.
// Calls made on it are not tried again.
func (c *Client) Connection() *grpc.ClientConn { return c.connection }

// Generate produces tokens until a stop condition and returns them all.
func (c *Client) Generate(ctx context.Context,
	request *Request) (*v1.GenerateResponse, error) {
	return invoke(ctx, c, c.inference.Generate, request.unary())
}

// Score returns the log-probability of each token of a text given those before
// it.
func (c *Client) Score(ctx context.Context,
	request *ScoreRequest) (*v1.ScoreResponse, error) {
	return invoke(ctx, c, c.inference.Score, request.message())
}

// Tokenize returns a text's token ids, special ones among them. The model's name
// may be empty when the server has exactly one.
func (c *Client) Tokenize(ctx context.Context, model,
	text string) ([]uint32, error) {
	response, err := invoke(ctx, c, c.inference.Tokenize,
		&v1.TokenizeRequest{Model: model, Text: text})
	return response.GetTokenIds(), err
}

// Detokenize returns the text of token ids, without special ones.
func (c *Client) Detokenize(ctx context.Context, model string,
	tokenIDs []uint32) (string, error) {
	response, err := invoke(ctx, c, c.inference.Detokenize,
		&v1.DetokenizeRequest{Model: model, TokenIds: tokenIDs})
	return response.GetText(), err
}

// Models returns what the server serves, by name.
func (c *Client) Models(ctx context.Context) ([]*v1.Model, error) {
	response, err := invoke(ctx, c, c.models.ListModels,
		&v1.ListModelsRequest{})
	return response.GetModels(), err
}

// ServerInfo returns what the server is.
func (c *Client) ServerInfo(
	ctx context.Context) (*v1.GetServerInfoResponse, error) {
	return invoke(ctx, c, c.control.GetServerInfo, &v1.GetServerInfoRequest{})
}

// Load returns how busy the server is.
func (c *Client) Load(ctx context.Context) (*v1.Load, error) {
	response, err := invoke(ctx, c, c.control.GetLoad, &v1.GetLoadRequest{})
	return response.GetLoad(), err
}

// Abort ends a request of any client by its id. Needs the role control where the
// server has API keys.
func (c *Client) Abort(ctx context.Context, requestID string) error {
	_, err := invoke(ctx, c, c.control.Abort,
		&v1.AbortRequest{RequestId: requestID})
	return err
}

// Healthy says whether the server, one of its services or a model, by its name,
// serves now. The name "" is the server's. It asks once; a server that cannot be
// reached or does not know the name is an error.
func (c *Client) Healthy(ctx context.Context, name string) (bool, error) {
	var seen callMetadata
	response, err := c.health.Check(ctx,
		&grpc_health_v1.HealthCheckRequest{Service: name}, seen.options()...)
	if err != nil {
		return false, toError(err, seen.requestID())
	}
	return response.GetStatus() ==
		grpc_health_v1.HealthCheckResponse_SERVING, nil
}

// invoke makes a call until it succeeds or is not to be tried again.
func invoke[Message, Response any](ctx context.Context, client *Client,
	call func(context.Context, Message, ...grpc.CallOption) (Response, error),
	message Message) (Response, error) {
	retrier := newRetrier(client, message)
	for {
		var seen callMetadata
		response, err := call(ctx, message, seen.options()...)
		if err == nil {
			return response, nil
		}
		failure := retrier.pause(ctx, toError(err, seen.requestID()))
		if failure != nil {
			return response, failure
		}
	}
}

// callMetadata is what a server says beside its response.
type callMetadata struct {
	header, trailer metadata.MD
}

func (m *callMetadata) options() []grpc.CallOption {
	return []grpc.CallOption{grpc.Header(&m.header), grpc.Trailer(&m.trailer)}
}

// requestID returns the id that the server gave to a call, also to one that it
// refused; empty if it said none.
func (m *callMetadata) requestID() string {
	for _, values := range []metadata.MD{m.header, m.trailer} {
		if ids := values.Get("x-request-id"); len(ids) > 0 {
			return ids[0]
		}
	}
	return ""
}
