# frozen_string_literal: true

require 'hybridserve'
require 'minitest/autorun'

# Gives each call the next of its answers, on a real socket.
class FakeService < Hybridserve::V1::InferenceService::Service
  # events: of a stream; error: what it ends with, or nil.
  Answer = Struct.new(:events, :error)

  attr_reader :calls, :metadata

  def initialize(answers)
    super()
    @answers = answers
    @calls = 0
  end

  def generate(_request, call)
    error = next_answer(call).error
    raise error if error

    Hybridserve::V1::GenerateResponse.new(text: 'done')
  end

  def generate_stream(_request, call)
    answer = next_answer(call)
    Enumerator.new do |messages|
      answer.events.each { |event| messages << event }
      raise answer.error if answer.error
    end
  end

  private

  def next_answer(call)
    @calls += 1
    @metadata = call.metadata
    @answers.shift || Answer.new([], nil)
  end
end

# For tests with a FakeService.
module FakeServiceTest
  V1 = Hybridserve::V1

  # Returns a FakeService, a client of it and the pauses that this makes without
  # waiting.
  def start_fake(answers, **options)
    fake = FakeService.new(answers)
    @server = GRPC::RpcServer.new
    port = @server.add_http2_port('127.0.0.1:0', :this_port_is_insecure)
    @server.handle(fake)
    @thread = Thread.new { @server.run }
    @server.wait_till_running
    client = Hybridserve::Client.new("127.0.0.1:#{port}", insecure: true,
                                                          **options)
    pauses = []
    client.define_singleton_method(:pause) do |seconds, _stream = nil|
      pauses << seconds
    end
    [fake, client, pauses]
  end

  def stop_fake
    @server&.stop
    @thread&.join
  end

  def teardown
    stop_fake
  end

  def fails(type)
    FakeService::Answer.new([], type.new('no'))
  end

  # A refusal with RetryInfo.
  def asks_to_wait(type, seconds)
    info = Google::Rpc::RetryInfo.new(
      retry_delay: Google::Protobuf::Duration.new(
        seconds: seconds.to_i, nanos: ((seconds % 1) * 1e9).to_i
      )
    )
    details = Google::Rpc::Status.new(
      message: 'later', details: [Google::Protobuf::Any.pack(info)]
    )
    FakeService::Answer.new([], type.new(
                                  'later', 'grpc-status-details-bin' =>
                                      Google::Rpc::Status.encode(details)
                                ))
  end

  def streams(*events, error: nil)
    FakeService::Answer.new(events, error)
  end

  def accepted
    V1::GenerateStreamResponse.new(request_id: 'made-up',
                                   accepted: V1::Accepted.new)
  end

  def output(text, *ids)
    V1::GenerateStreamResponse.new(
      request_id: 'made-up',
      token_output: V1::TokenOutput.new(text_delta: text, token_ids: ids)
    )
  end

  def finished
    V1::GenerateStreamResponse.new(
      request_id: 'made-up',
      finished: V1::Finished.new(reason: :FINISH_REASON_LENGTH),
      usage: V1::Usage.new(prompt_tokens: 1, completion_tokens: 3)
    )
  end

  # Each pause is at least as long as given and not much longer.
  def assert_pauses(expected, pauses)
    assert_equal expected.size, pauses.size, pauses.inspect
    longest = 1 + Hybridserve::RetryPolicy::JITTER
    expected.zip(pauses).each do |wanted, pause|
      assert_includes wanted..(wanted * longest), pause
    end
  end
end
