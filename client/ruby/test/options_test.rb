# frozen_string_literal: true

require 'tempfile'
require_relative 'fake_service'

class OptionsTest < Minitest::Test
  include FakeServiceTest

  def file(content)
    (@files ||= []) << Tempfile.new
    File.write(@files.last.path, content)
    @files.last.path
  end

  def test_options_that_cannot_do_are_named
    garbage = file("garbage\n")
    [
      [{ tls_ca: '/no/such/file' }, 'tls_ca: '],
      [{ tls_ca: garbage }, 'tls_ca: '],
      [{ tls_certificate: garbage, tls_key: garbage }, 'tls_key: '],
      [{ tls_certificate: garbage }, 'tls_key'],
      [{ tls_ca: garbage, insecure: true }, 'insecure: '],
      [{ insecure: true, api_key: '' }, 'api_key: '],
      [{ insecure: true, api_key: 'two words' }, 'api_key: '],
      [{ insecure: true, api_key_file: '/no/such/file' }, 'api_key_file: '],
      [{ insecure: true, api_key_file: file("\nkey\n") }, 'api_key_file: ']
    ].each do |options, named|
      error = assert_raises(ArgumentError, options.inspect) do
        Hybridserve::Client.new('127.0.0.1:1', **options)
      end
      assert_includes error.message, named
      refute_includes error.message, 'two words'
    end
    assert_raises(ArgumentError) { Hybridserve::RetryPolicy.new(max_attempts: 0) }
    assert_raises(ArgumentError) { Hybridserve::RetryPolicy.new(first_pause: 0) }
    assert_raises(ArgumentError) { Hybridserve::RetryPolicy.new(first_pause: 11) }
  end

  def test_requests_that_cannot_be_are_refused_here
    fake, client, = start_fake([])
    assert_raises(ArgumentError) { client.generate }
    assert_raises(ArgumentError) { client.generate(prompt: '', token_ids: [1]) }
    assert_raises(ArgumentError) { client.generate(prompt: '', max_token: 1) }
    assert_raises(ArgumentError) { client.stream }
    assert_raises(ArgumentError) { client.score(model: 'demo') }
    assert_equal 0, fake.calls
  end

  def test_every_call_says_whose_it_is
    key_file = file("first-key\nmore\n")
    fake, client, = start_fake([], api_key_file: key_file, tenant: 'alice')
    %w[first-key renewed-key].each do |key|
      File.write(key_file, "#{key}\n")
      client.generate(prompt: '', metadata: { 'traceparent' => '00-1' })
      assert_equal "Bearer #{key}", fake.metadata['authorization']
      assert_equal 'alice', fake.metadata['x-hybridserve-tenant']
      assert_equal '00-1', fake.metadata['traceparent']
    end
  end
end
