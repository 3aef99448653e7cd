# frozen_string_literal: true

require 'grpc'

module Hybridserve
  # A channel to a server, and what its calls say of the caller.
  class Connection
    MAX_MESSAGE_BYTES = 64 << 20
    CHANNEL_ARGUMENTS = {
      'grpc.max_receive_message_length' => MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length' => MAX_MESSAGE_BYTES,
      # A streamed step can take seconds: notice a dead server in between.
      'grpc.keepalive_time_ms' => 30_000,
      'grpc.keepalive_timeout_ms' => 20_000,
      # How long a server that came back may stay unnoticed.
      'grpc.initial_reconnect_backoff_ms' => 200,
      'grpc.min_reconnect_backoff_ms' => 200,
      'grpc.max_reconnect_backoff_ms' => 10_000
    }.freeze
    private_constant :MAX_MESSAGE_BYTES, :CHANNEL_ARGUMENTS

    attr_reader :channel

    def initialize(address, insecure:, tls_ca:, tls_certificate:, tls_key:,
                   api_key:, api_key_file:, tenant:)
      @address = address
      @api_key = api_key
      @api_key_file = api_key_file
      @tenant = tenant
      metadata # Raises now rather than at the first call.
      @credentials = credentials(insecure, tls_ca, tls_certificate, tls_key)
      @channel = GRPC::ClientStub.setup_channel(nil, address, @credentials,
                                                CHANNEL_ARGUMENTS.dup)
    end

    # Makes a stub of a generated class on the channel.
    def stub(type)
      type.new(@address, @credentials, channel_override: @channel)
    end

    # With every call: whose it is.
    def metadata
      said = {}
      said['x-hybridserve-tenant'] = @tenant if @tenant
      if @api_key_file
        said['authorization'] = "Bearer #{read_key}"
      elsif @api_key
        check_key('api_key', @api_key)
        said['authorization'] = "Bearer #{@api_key}"
      end
      said
    end

    private

    # At every call, so that the key may be renewed.
    def read_key
      key = read('api_key_file', @api_key_file).lines.first.to_s.strip
      check_key("api_key_file: #{@api_key_file}", key)
      key
    end

    def check_key(what, key)
      return if key.match?(/\A[!-~]+\z/)

      raise ArgumentError, "#{what}: a key is one word of printable ASCII"
    end

    def credentials(insecure, tls_ca, tls_certificate, tls_key)
      if insecure
        if tls_ca || tls_certificate || tls_key
          raise ArgumentError,
                'insecure: there are certificates for a connection in the clear'
        end
        return :this_channel_is_insecure
      end
      if tls_certificate.nil? != tls_key.nil?
        raise ArgumentError, 'tls_certificate and tls_key belong together'
      end

      # A caller without its own certificate must hand over nothing at all.
      files = [['tls_ca', tls_ca], ['tls_key', tls_key],
               ['tls_certificate', tls_certificate]]
      GRPC::Core::ChannelCredentials.new(
        *files.map { |name, path| path && read_pem(name, path) }
      )
    end

    def read_pem(name, path)
      content = read(name, path)
      return content if content.include?('-----BEGIN ')

      raise ArgumentError, "#{name}: #{path} is not PEM"
    end

    def read(name, path)
      File.read(path)
    rescue SystemCallError => e
      raise ArgumentError, "#{name}: #{e.message}"
    end
  end
  private_constant :Connection
end
