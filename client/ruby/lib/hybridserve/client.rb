# frozen_string_literal: true

require 'grpc'
require 'grpc/health/v1/health_services_pb'
require 'hybridserve/connection'
require 'hybridserve/error'
require 'hybridserve/request'
require 'hybridserve/retry_policy'
require 'hybridserve/stream'
require 'hybridserve/v1/control_service_services_pb'
require 'hybridserve/v1/inference_service_services_pb'
require 'hybridserve/v1/model_service_services_pb'

module Hybridserve
  # A connection to a server, for any number of threads. It is made when it is
  # first used.
  #
  # Every call takes `timeout:`, in seconds, for all of its attempts together: when it
  # is over the server stops too. And `metadata:`, a Hash such as
  # {"traceparent" => ...}.
  class Client
    # address is HOST:PORT.
    #
    # The connection is by TLS. `tls_ca` names a file (PEM) of the authorities to
    # trust instead of gRPC's own; `tls_certificate` and `tls_key` are the client's
    # own, for servers that ask for one (mTLS). `insecure: true` connects in the
    # clear: anybody on the way can read prompts, output and API key.
    #
    # `api_key`, or the first line of `api_key_file`, is shown with every call;
    # `tenant` says for whom the call is, where the key lets it.
    def initialize(address, insecure: false, tls_ca: nil, tls_certificate: nil,
                   tls_key: nil, api_key: nil, api_key_file: nil, tenant: nil,
                   retries: RetryPolicy.new)
      @connection = Connection.new(
        address, insecure: insecure, tls_ca: tls_ca,
                 tls_certificate: tls_certificate, tls_key: tls_key,
                 api_key: api_key, api_key_file: api_key_file, tenant: tenant
      )
      @retries = retries
      @inference = @connection.stub(V1::InferenceService::Stub)
      @models = @connection.stub(V1::ModelService::Stub)
      @control = @connection.stub(V1::ControlService::Stub)
      @health = @connection.stub(Grpc::Health::V1::Health::Stub)
    end

    # Produces tokens until a stop condition and returns them all, as a
    # V1::GenerateResponse. Takes prompt or token_ids; model, which may be left out
    # when the server has exactly one; temperature, top_p, top_k, seed,
    # presence_penalty, frequency_penalty, repetition_penalty, logit_bias (a hash
    # by token id), generation_config; max_tokens, min_tokens, stop, stop_token_ids, ignore_eos;
    # log_probs, top_log_probs, priority, request_id.
    def generate(timeout: nil, metadata: {}, **request)
      invoke(@inference, :generate, Request.generate(**request), timeout,
             metadata)
    end

    # Takes what generate takes. Returns a Stream, or with a block yields each
    # V1::TokenOutput and returns what generate would have.
    def stream(timeout: nil, metadata: {}, **request, &block)
      message = Request.stream(**request)
      deadline = timeout && Time.now + timeout
      stream = nil
      retrier = Retrier.new(@retries, deadline,
                            ->(seconds) { pause(seconds, stream) },
                            named: Request.named?(message))
      stream = Stream.new(
        retrier,
        lambda do
          @inference.generate_stream(
            message, deadline: deadline, return_op: true,
                     metadata: @connection.metadata.merge(metadata)
          )
        end
      )
      return stream unless block

      stream.each(&block)
      stream.result
    end

    # Returns the log-probability of each token of a text given those before it, as a
    # V1::ScoreResponse. Takes text or token_ids; model, priority, request_id.
    def score(timeout: nil, metadata: {}, **request)
      invoke(@inference, :score, Request.score(**request), timeout, metadata)
    end

    # Returns a text's token ids, special ones among them.
    def tokenize(text, model: '', timeout: nil, metadata: {})
      invoke(@inference, :tokenize,
             V1::TokenizeRequest.new(model: model, text: text), timeout,
             metadata).token_ids.to_a
    end

    # Returns the text of token ids, without special ones.
    def detokenize(token_ids, model: '', timeout: nil, metadata: {})
      invoke(@inference, :detokenize,
             V1::DetokenizeRequest.new(model: model, token_ids: token_ids),
             timeout, metadata).text
    end

    # Returns what the server serves, by name: V1::Models.
    def models(timeout: nil, metadata: {})
      invoke(@models, :list_models, V1::ListModelsRequest.new, timeout,
             metadata).models.to_a
    end

    # Returns what the server is: a V1::GetServerInfoResponse.
    def server_info(timeout: nil, metadata: {})
      invoke(@control, :get_server_info, V1::GetServerInfoRequest.new, timeout,
             metadata)
    end

    # Returns how busy the server is: a V1::Load.
    def load(timeout: nil, metadata: {})
      invoke(@control, :get_load, V1::GetLoadRequest.new, timeout,
             metadata).load
    end

    # Ends a request of any client by its id. Needs the role control where the server
    # has API keys.
    def abort(request_id, timeout: nil, metadata: {})
      invoke(@control, :abort, V1::AbortRequest.new(request_id: request_id),
             timeout, metadata)
      nil
    end

    # Whether the server, one of its services or a model, by its name, serves now. It
    # asks once; a server that cannot be reached or does not know the name is an
    # Error.
    def healthy?(name = '', timeout: nil, metadata: {})
      request = Grpc::Health::V1::HealthCheckRequest.new(service: name)
      invoke(@health, :check, request, timeout, metadata,
             RetryPolicy.new(max_attempts: 1)).status == :SERVING
    end

    # Ends the connection and the calls that are under way.
    def close
      @connection.channel.close
    end

    private

    # Calls until it succeeds or is not to be tried again.
    def invoke(stub, rpc, request, timeout, metadata, policy = @retries)
      deadline = timeout && Time.now + timeout
      retrier = Retrier.new(policy, deadline, method(:pause),
                            named: Request.named?(request))
      begin
        operation = stub.public_send(
          rpc, request, deadline: deadline, return_op: true,
                        metadata: @connection.metadata.merge(metadata)
        )
        operation.execute
      rescue GRPC::BadStatus => e
        seen = operation&.metadata || {}
        retrier.pause(Error.of(e, request_id: seen['x-request-id']))
        retry
      end
    end

    # Tests have their own.
    def pause(seconds, stream = nil)
      stream ? stream.wait(seconds) : sleep(seconds)
    end
  end
end
