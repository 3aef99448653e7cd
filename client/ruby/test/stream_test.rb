# frozen_string_literal: true

require_relative 'fake_service'

class StreamTest < Minitest::Test
  include FakeServiceTest

  def test_is_tried_again_before_its_first_token
    unknown = V1::GenerateStreamResponse.new(request_id: 'made-up')
    fake, client, pauses = start_fake(
      [asks_to_wait(GRPC::ResourceExhausted, 2),
       streams(accepted, error: GRPC::Unavailable.new('no')),
       streams(accepted, unknown, output('On', 7), output('', 8),
               output('ce', 9), finished)]
    )
    stream = client.stream(prompt: '')
    assert_equal ['On', '', 'ce'], stream.map(&:text_delta)
    assert_equal 'Once', stream.result.text
    assert_equal [7, 8, 9], stream.result.token_ids.to_a
    assert_equal :FINISH_REASON_LENGTH, stream.result.finish_reason
    assert_equal 3, stream.result.usage.completion_tokens
    assert_equal 3, fake.calls
    assert_pauses [2, 0.4], pauses
  end

  def test_is_not_tried_again_after_a_token
    fake, client, pauses = start_fake(
      [streams(accepted, output('', 7), error: GRPC::Unavailable.new('no'))]
    )
    stream = client.stream(prompt: '')
    seen = []
    error = assert_raises(Hybridserve::Error) do
      stream.each { |output| seen += output.token_ids.to_a }
    end
    assert_equal :UNAVAILABLE, error.code
    assert_equal 'made-up', error.request_id
    assert_equal [7], seen
    assert_equal [7], stream.result.token_ids.to_a
    assert_equal 1, fake.calls
    assert_empty pauses
  end

  def test_a_stream_that_is_cut_short_is_an_error
    [streams, streams(accepted), streams(accepted, output('On', 7))].each do |cut|
      _, client, = start_fake([cut])
      error = assert_raises(Hybridserve::Error) do
        client.stream(prompt: '') {}
      end
      assert_equal :INTERNAL, error.code
      stop_fake
    end
  end

  def test_is_lazy_and_read_once
    fake, client, = start_fake(
      [streams(accepted, output('On', 7), output('ce', 9), finished)]
    )
    stream = client.stream(prompt: '')
    assert_equal 0, fake.calls
    assert_equal ['On'], stream.lazy.map(&:text_delta).first(1)
    assert_equal 1, fake.calls
    assert_equal [7], stream.result.token_ids.to_a
    assert_raises(RuntimeError) { stream.to_a }
  end

  def test_a_block_gets_the_output_and_the_caller_the_result
    _, client, = start_fake(
      [streams(accepted, output('On', 7), output('ce', 9), finished)]
    )
    seen = +''
    result = client.stream(prompt: '') { |output| seen << output.text_delta }
    assert_equal 'Once', seen
    assert_equal 'Once', result.text
  end

  def test_what_the_block_raises_is_its_own_affair
    fake, client, = start_fake(
      [streams(accepted, output('', 7), output('ce', 9), finished)]
    )
    mine = GRPC::Unavailable.new('of another service')
    raised = assert_raises(GRPC::Unavailable) do
      client.stream(prompt: '') { raise mine }
    end
    assert_same mine, raised
    assert_equal 1, fake.calls
  end

  def test_cancelling_ends_a_pause
    fake, client, = start_fake([asks_to_wait(GRPC::Unavailable, 3600)])
    client.define_singleton_method(:pause) do |seconds, stream|
      Thread.new { stream.cancel }
      super(seconds, stream)
    end
    error = assert_raises(Hybridserve::Error) { client.stream(prompt: '').to_a }
    assert_equal :CANCELLED, error.code
    assert_equal 1, fake.calls
  end

  def test_a_cancelled_stream_begins_nothing
    fake, client, = start_fake([])
    stream = client.stream(prompt: '')
    stream.cancel
    error = assert_raises(Hybridserve::Error) { stream.to_a }
    assert_equal :CANCELLED, error.code
    assert_equal 0, fake.calls
  end
end
