# frozen_string_literal: true

require_relative 'fake_service'

class RetryTest < Minitest::Test
  include FakeServiceTest

  def test_what_the_server_could_not_take_is_tried_again
    fake, client, pauses = start_fake(
      [fails(GRPC::Unavailable), asks_to_wait(GRPC::ResourceExhausted, 3.5),
       asks_to_wait(GRPC::Unavailable, 0.001)]
    )
    assert_equal 'done', client.generate(prompt: '').text
    assert_equal 4, fake.calls
    assert_pauses [0.2, 3.5, 0.8], pauses
  end

  def test_what_would_fail_again_is_not_tried_again
    [GRPC::InvalidArgument, GRPC::NotFound, GRPC::Aborted, GRPC::Internal,
     GRPC::AlreadyExists, GRPC::Unauthenticated, GRPC::PermissionDenied, GRPC::DeadlineExceeded,
     GRPC::Cancelled,
     GRPC::ResourceExhausted # Without RetryInfo: a large message.
    ].each do |type|
      fake, client, pauses = start_fake([fails(type)])
      error = assert_raises(Hybridserve::Error) { client.generate(prompt: '') }
      assert_equal GRPC::Core::StatusCodes.const_get(error.code),
                   type.new.code
      assert_kind_of type, error.cause
      assert_equal 1, fake.calls
      assert_empty pauses
      stop_fake
    end
  end

  def test_a_taken_id_after_a_lost_attempt_is_ones_own
    steps = [GRPC::Unavailable, GRPC::AlreadyExists]
    calls = [->(client, **id) { client.generate(prompt: '', **id) },
             ->(client, **id) { client.stream(prompt: '', **id).to_a }]
    calls.each do |call|
      fake, client, pauses = start_fake(
        [*steps.map { |type| fails(type) }, streams(accepted, finished)]
      )
      call.call(client, request_id: 'mine')
      assert_equal 3, fake.calls
      assert_equal 2, pauses.size
      stop_fake
      # The first attempt finds another's; one without an id, none.
      [[steps.last(1), { request_id: 'mine' }], [steps, {}]].each do |failed, id|
        fake, client, = start_fake(failed.map { |type| fails(type) })
        error = assert_raises(Hybridserve::Error) { call.call(client, **id) }
        assert_equal :ALREADY_EXISTS, error.code
        assert_equal failed.size, fake.calls
        stop_fake
      end
    end
  end

  def test_attempts_are_counted
    policy = Hybridserve::RetryPolicy.new(max_attempts: 4, first_pause: 1,
                                          longest_pause: 2)
    fake, client, pauses = start_fake(
      Array.new(20) { fails(GRPC::Unavailable) }, retries: policy
    )
    error = assert_raises(Hybridserve::Error) { client.generate(prompt: '') }
    assert_equal :UNAVAILABLE, error.code
    assert_equal 4, fake.calls
    assert_pauses [1, 2, 2], pauses
  end

  def test_attempts_may_have_no_bound
    policy = Hybridserve::RetryPolicy.new(max_attempts: nil)
    fake, client, pauses = start_fake(
      Array.new(20) { fails(GRPC::Unavailable) }, retries: policy
    )
    assert_equal 'done', client.generate(prompt: '').text
    assert_equal 21, fake.calls
    assert_equal 20, pauses.size
    assert_operator pauses.max, :<=, 12
  end

  def test_a_pause_that_outlasts_the_timeout_is_not_begun
    fake, client, pauses = start_fake(
      [asks_to_wait(GRPC::ResourceExhausted, 3600)]
    )
    error = assert_raises(Hybridserve::Error) do
      client.generate(prompt: '', timeout: 60)
    end
    assert_equal :RESOURCE_EXHAUSTED, error.code
    assert_equal 3600, error.retry_delay
    assert_equal 1, fake.calls
    assert_empty pauses
  end
end
