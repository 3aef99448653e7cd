package hybridserve

import v1 "hybridserve/client/go/v1"

// Request is what Generate and Stream ask for. Pointers are optional: one that
// is nil leaves the choice to the server, or to the model's own configuration,
// which is another thing than 0. proto.Float64(0.7) and its like, of
// google.golang.org/protobuf/proto, make them.
type Request struct {
	// Names the request in logs and for Abort; the server makes one if empty.
	ID string
	// May be empty when the server has exactly one model.
	Model string
	// Gets the tokenizer's special tokens. Not used if TokenIDs is set.
	Prompt string
	// Taken as they are.
	TokenIDs []uint32

	// 0, which is the default, takes the most likely token each time.
	Temperature *float64
	TopP        *float64
	TopK        *int32
	// What tokens lose that are in the output, and for each time that they are.
	PresencePenalty  *float64
	FrequencyPenalty *float64
	// Above 1 makes tokens of the prompt and the output less likely.
	RepetitionPenalty *float64
	// What logits gain, by token.
	LogitBias map[uint32]float64
	// Equal requests of one seed give equal tokens.
	Seed *uint64
	// Where the fields above come from if they are nil.
	GenerationConfig v1.GenerationConfig

	MaxTokens *uint32
	MinTokens *uint32
	// Texts that end the output where they begin in it.
	Stop []string
	// Tokens that end the output.
	StopTokenIDs []uint32
	// Goes on after the model's own end tokens.
	IgnoreEOS bool

	// Asks for the log-probability of each produced token.
	LogProbs bool
	// Asks for so many of the likeliest tokens in each place: at most 20.
	TopLogProbs uint32
	// Larger goes first among the waiting requests of a tenant: -100 to 100.
	Priority int32
}

func (r *Request) sampling() *v1.SamplingParams {
	return &v1.SamplingParams{
		Temperature:       r.Temperature,
		TopP:              r.TopP,
		TopK:              r.TopK,
		PresencePenalty:   r.PresencePenalty,
		FrequencyPenalty:  r.FrequencyPenalty,
		RepetitionPenalty: r.RepetitionPenalty,
		LogitBias:         r.LogitBias,
		Seed:              r.Seed,
	}
}

func (r *Request) stopping() *v1.StoppingOptions {
	options := &v1.StoppingOptions{
		MaxTokens: r.MaxTokens,
		MinTokens: r.MinTokens,
	}
	if r.IgnoreEOS {
		options.IgnoreEos = &r.IgnoreEOS
	}
	for _, text := range r.Stop {
		options.Conditions = append(options.Conditions, &v1.StopCondition{
			Condition: &v1.StopCondition_Text{Text: text}})
	}
	for _, id := range r.StopTokenIDs {
		options.Conditions = append(options.Conditions, &v1.StopCondition{
			Condition: &v1.StopCondition_TokenId{TokenId: id}})
	}
	return options
}

func (r *Request) response() *v1.ResponseOptions {
	options := &v1.ResponseOptions{}
	if r.LogProbs {
		options.LogProbs = &r.LogProbs
	}
	if r.TopLogProbs > 0 {
		options.TopLogProbs = &r.TopLogProbs
	}
	return options
}

func (r *Request) unary() *v1.GenerateRequest {
	message := &v1.GenerateRequest{
		RequestId:        r.ID,
		Model:            r.Model,
		Sampling:         r.sampling(),
		Stopping:         r.stopping(),
		Response:         r.response(),
		Priority:         r.Priority,
		GenerationConfig: r.GenerationConfig,
		Input:            &v1.GenerateRequest_Prompt{Prompt: r.Prompt},
	}
	if r.TokenIDs != nil {
		message.Input = &v1.GenerateRequest_TokenIds{
			TokenIds: &v1.TokenIds{Ids: r.TokenIDs}}
	}
	return message
}

func (r *Request) stream() *v1.GenerateStreamRequest {
	message := &v1.GenerateStreamRequest{
		RequestId:        r.ID,
		Model:            r.Model,
		Sampling:         r.sampling(),
		Stopping:         r.stopping(),
		Response:         r.response(),
		Priority:         r.Priority,
		GenerationConfig: r.GenerationConfig,
		Input:            &v1.GenerateStreamRequest_Prompt{Prompt: r.Prompt},
	}
	if r.TokenIDs != nil {
		message.Input = &v1.GenerateStreamRequest_TokenIds{
			TokenIds: &v1.TokenIds{Ids: r.TokenIDs}}
	}
	return message
}

// ScoreRequest is what Score asks for: as in Request.
type ScoreRequest struct {
	ID    string
	Model string
	// Gets the tokenizer's special tokens. Not used if TokenIDs is set.
	Text string
	// Taken as they are.
	TokenIDs []uint32
	Priority int32
}

func (r *ScoreRequest) message() *v1.ScoreRequest {
	message := &v1.ScoreRequest{
		RequestId: r.ID,
		Model:     r.Model,
		Priority:  r.Priority,
		Input:     &v1.ScoreRequest_Text{Text: r.Text},
	}
	if r.TokenIDs != nil {
		message.Input = &v1.ScoreRequest_TokenIds{
			TokenIds: &v1.TokenIds{Ids: r.TokenIDs}}
	}
	return message
}
