# frozen_string_literal: true

require 'hybridserve'
require 'json'
require 'minitest/autorun'
require 'open3'

# Tests against live servers, which tests/clients starts and names in the
# environment.
class LiveTest < Minitest::Test
  PROMPT = 'In the beginning'
  # Nothing that works takes so long; tests end before they hang.
  PATIENCE = 300
  # A request that is not through before its test is.
  ENDLESS = { prompt: PROMPT, max_tokens: 400, ignore_eos: true,
              timeout: PATIENCE }.freeze
  ONCE = Hybridserve::RetryPolicy.new(max_attempts: 1)
  FOR_EVER = Hybridserve::RetryPolicy.new(max_attempts: nil)

  # What tests/clients says, or skips the test.
  def environment(name)
    ENV.fetch("HYBRIDSERVE_TEST_#{name}") do |variable|
      skip "no #{variable}: see tests/clients"
    end
  end

  def client(server, insecure: true, **options)
    Hybridserve::Client.new(environment(server), insecure: insecure, **options)
  end

  def assert_fails(code, &block)
    error = assert_raises(Hybridserve::Error, &block)
    assert_equal code, error.code, error.message
    error
  end

  # Waits until the block is true of the server's load.
  def wait_for_load(client)
    deadline = Time.now + PATIENCE
    until yield client.load(timeout: PATIENCE)
      flunk 'the load stays as it is' if Time.now > deadline
      sleep 0.02
    end
  end

  def wait_until_idle(client)
    wait_for_load(client) do |load|
      pools = load.workers.flat_map { |worker| worker.pools.to_a }
      load.queue.running.zero? && load.queue.waiting.zero? &&
        pools.all? { |pool| pool.free + pool.cached == pool.half_slots }
    end
  end

  # Reads a stream on a thread of its own; returns when it has been accepted and,
  # if it can, has brought a token.
  def read_aside(client, stream, waits: false)
    outputs = Queue.new
    thread = Thread.new do
      stream.each { |output| outputs << output }
    rescue Hybridserve::Error => e
      e
    end
    if waits
      wait_for_load(client) { |load| load.queue.waiting == 1 }
    else
      outputs.pop
    end
    thread
  end

  def test_generates_what_the_program_does
    printed, status = Open3.capture2(
      environment('CLIENT'), 'generate', "--server=#{environment('SERVER')}",
      "--prompt=#{PROMPT}", '--max_tokens=32', '--output=json'
    )
    assert_predicate status, :success?
    wanted = JSON.parse(printed)
    response = client('SERVER').generate(prompt: PROMPT, max_tokens: 32,
                                         timeout: PATIENCE)
    refute_empty wanted['token_ids']
    assert_equal wanted['token_ids'], response.token_ids.to_a
    assert_equal wanted['text'], response.text
  end

  def test_streams_what_it_generates
    connected = client('SERVER')
    [
      { prompt: PROMPT, max_tokens: 24, log_probs: true },
      { prompt: PROMPT, max_tokens: 24, temperature: 1.0, top_p: 0.9,
        top_k: 50, seed: 7 },
      { prompt: PROMPT, max_tokens: 24, presence_penalty: 1.5,
        frequency_penalty: 0.5, repetition_penalty: 1.2,
        logit_bias: { 5 => -100.0 } },
      { token_ids: [2, 5, 6], max_tokens: 9 },
      { prompt: PROMPT, stop: ['e'] }
    ].each do |request|
      whole = connected.generate(**request, timeout: PATIENCE)
      stream = connected.stream(**request, timeout: PATIENCE)
      outputs = stream.to_a
      assert_equal whole.text, outputs.map(&:text_delta).join
      assert_equal whole.token_ids.to_a,
                   outputs.flat_map { |output| output.token_ids.to_a }
      refute_empty stream.result.request_id
      whole.request_id = stream.result.request_id
      assert_equal whole, stream.result
    end
  end

  def test_scores_what_it_generates
    connected = client('SERVER')
    whole = connected.generate(prompt: PROMPT, max_tokens: 6, log_probs: true)
    ids = connected.tokenize(PROMPT) + whole.token_ids.to_a
    scored = connected.score(token_ids: ids).log_probs.to_a
    assert_equal ids.size - 1, scored.size
    assert_equal whole.log_probs.to_a, scored.last(6)
    assert_equal whole.text, connected.detokenize(whole.token_ids.to_a)
  end

  def test_says_what_the_server_is
    connected = client('SERVER')
    assert_equal ['demo'], connected.models.map(&:name)
    refute_empty connected.server_info.version
    ['', 'demo', 'hybridserve.v1.InferenceService'].each do |name|
      assert connected.healthy?(name), name
    end
    assert_fails(:NOT_FOUND) { connected.healthy?('no-such-model') }
  end

  def test_errors_say_what_is_wrong
    connected = client('SERVER')
    error = assert_fails(:NOT_FOUND) do
      connected.generate(model: 'no-such-model', prompt: PROMPT)
    end
    assert_equal %w[model no-such-model],
                 [error.resource_type, error.resource_name]
    refute_nil error.request_id
    { 'sampling.top_p' => { top_p: 0.0 },
      'sampling.temperature' => { temperature: -1.0 },
      'sampling.presence_penalty' => { presence_penalty: 3.0 },
      'sampling.frequency_penalty' => { frequency_penalty: -3.0 },
      'sampling.repetition_penalty' => { repetition_penalty: 0.0 },
      'sampling.logit_bias' => { logit_bias: { 5 => 200.0 } },
      'stopping.max_tokens' => { max_tokens: 0 },
      'priority' => { priority: 101 } }.each do |field, bad|
      error = assert_fails(:INVALID_ARGUMENT) do
        connected.generate(prompt: PROMPT, **bad)
      end
      assert_equal [field], error.fields.map(&:field)
      refute_empty error.fields.first.description
      error = assert_fails(:INVALID_ARGUMENT) do
        connected.stream(prompt: PROMPT, **bad).first
      end
      assert_equal [field], error.fields.map(&:field)
      refute_nil error.request_id
    end
    assert_fails(:NOT_FOUND) { connected.abort('nobody') }
  end

  def test_leaving_the_loop_frees_the_server
    connected = client('SLOW_SERVER')
    [
      ->(stream) { stream.each { break } },
      ->(stream) { stream.first },
      lambda do |stream|
        stream.each.next
        stream.cancel
      end,
      ->(stream) { stream.lazy.map(&:token_ids).first(1) },
      lambda do |stream|
        stream.each { raise IOError, 'of the caller' }
      rescue IOError
        nil
      end,
      lambda do |stream|
        thread = read_aside(connected, stream)
        stream.cancel
        assert_equal :CANCELLED, thread.value.code
      end
    ].each do |leave|
      before = connected.load.requests.cancelled
      leave.call(connected.stream(**ENDLESS))
      wait_for_load(connected) { |load| load.requests.cancelled == before + 1 }
      wait_until_idle(connected)
    end
  end

  def test_a_timeout_ends_the_call
    connected = client('SLOW_SERVER')
    assert_fails(:DEADLINE_EXCEEDED) do
      connected.generate(**ENDLESS, timeout: 1)
    end
    assert_fails(:DEADLINE_EXCEEDED) do
      connected.stream(**ENDLESS, timeout: 1).to_a
    end
    wait_until_idle(connected)
  end

  # The server runs one request and lets one wait.
  def test_a_full_queue_is_come_back_to
    connected = client('SLOW_SERVER')
    wait_until_idle(connected)
    streams = [connected.stream(**ENDLESS), connected.stream(**ENDLESS)]
    threads = [read_aside(connected, streams[0]),
               read_aside(connected, streams[1], waits: true)]
    small = { prompt: PROMPT, max_tokens: 1, timeout: PATIENCE }
    error = assert_fails(:RESOURCE_EXHAUSTED) do
      client('SLOW_SERVER', retries: ONCE).generate(**small)
    end
    assert_operator error.retry_delay, :>, 0
    refute_empty error.quotas.first.subject

    refused = connected.load.requests.rejected
    patient = Thread.new do
      client('SLOW_SERVER', retries: FOR_EVER).generate(**small)
    end
    wait_for_load(connected) { |load| load.requests.rejected > refused }
    streams.each(&:cancel)
    assert_equal [:CANCELLED] * 2, threads.map { |thread| thread.value.code }
    assert_equal 1, patient.value.token_ids.size
  end

  # tests/clients starts this server when somebody has tried to connect to it.
  def test_a_server_may_start_late
    late = client('LATE_SERVER', retries: FOR_EVER)
    result = late.stream(prompt: PROMPT, max_tokens: 3, timeout: PATIENCE) {}
    assert_equal 3, result.token_ids.size
  end

  def test_gets_in_with_certificate_and_key_only
    files = environment('SECRETS')
    trust = { tls_ca: "#{files}/servers.crt" }
    own = { tls_certificate: "#{files}/client.crt",
            tls_key: "#{files}/client.key" }
    strange = { tls_certificate: "#{files}/stranger.crt",
                tls_key: "#{files}/stranger.key" }
    key = { api_key_file: "#{files}/alice.txt" }
    [
      [{ **trust, **own, **key }, nil],
      [{ **trust, **own, **key, tenant: 'alice' }, nil],
      [{ **trust, **own, **key, tenant: 'bob' }, :PERMISSION_DENIED],
      [{ **trust, **own }, :UNAUTHENTICATED],
      [{ **trust, **own, api_key: 'guessed' }, :UNAUTHENTICATED],
      [{ **trust, **key }, :UNAVAILABLE],
      [{ **trust, **strange, **key }, :UNAVAILABLE],
      [{ **own, **key }, :UNAVAILABLE],
      [{ insecure: true, **key }, :UNAVAILABLE]
    ].each do |options, code|
      connected = client('SECURE_SERVER', insecure: false, retries: ONCE,
                                          **options)
      request = { prompt: PROMPT, max_tokens: 2, timeout: PATIENCE }
      if code
        assert_fails(code) { connected.generate(**request) }
      else
        assert_equal 2, connected.generate(**request).token_ids.size
      end
    end
  end

  def test_tls_is_the_default
    connected = client('SERVER', insecure: false, retries: ONCE)
    assert_fails(:UNAVAILABLE) { connected.models(timeout: PATIENCE) }
  end
end
