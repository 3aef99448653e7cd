# frozen_string_literal: true

require 'hybridserve/v1/inference_service_pb'

module Hybridserve
  # The messages of requests, from keyword arguments.
  module Request
    SAMPLING = %i[temperature top_p top_k presence_penalty frequency_penalty
                  repetition_penalty logit_bias seed].freeze
    private_constant :SAMPLING

    def self.generate(**fields)
      V1::GenerateRequest.new(**generation(**fields))
    end

    def self.stream(**fields)
      V1::GenerateStreamRequest.new(**generation(**fields))
    end

    def self.score(text: nil, token_ids: nil, model: '', request_id: '',
                   priority: 0)
      V1::ScoreRequest.new(
        model: model, request_id: request_id, priority: priority,
        **input(:text, text, token_ids)
      )
    end

    # Whether the caller chose the request's id.
    def self.named?(message)
      message.respond_to?(:request_id) && !message.request_id.empty?
    end

    # One that is nil leaves the choice to the server, which is another thing
    # than 0.
    def self.generation(prompt: nil, token_ids: nil, model: '', request_id: '',
                        priority: 0, log_probs: nil, top_log_probs: nil,
                        generation_config: nil, **options)
      sampling, stopping = options.partition { |key, _| SAMPLING.include?(key) }
      {
        model: model, request_id: request_id, priority: priority,
        generation_config: generation_config,
        sampling: V1::SamplingParams.new(**sampling.to_h.compact),
        stopping: stopping(**stopping.to_h),
        response: V1::ResponseOptions.new(
          **{ log_probs: log_probs, top_log_probs: top_log_probs }.compact
        ),
        **input(:prompt, prompt, token_ids)
      }.compact
    end
    private_class_method :generation

    def self.stopping(max_tokens: nil, min_tokens: nil, stop: [],
                      stop_token_ids: [], ignore_eos: nil)
      conditions = Array(stop).map { |text| V1::StopCondition.new(text: text) }
      conditions += Array(stop_token_ids).map do |id|
        V1::StopCondition.new(token_id: id)
      end
      V1::StoppingOptions.new(**{
        max_tokens: max_tokens, min_tokens: min_tokens, ignore_eos: ignore_eos,
        conditions: conditions
      }.compact)
    end
    private_class_method :stopping

    def self.input(name, text, token_ids)
      if text.nil? == token_ids.nil?
        raise ArgumentError, "give either #{name} or token_ids"
      end

      text ? { name => text } : { token_ids: V1::TokenIds.new(ids: token_ids) }
    end
    private_class_method :input
  end
  private_constant :Request
end
