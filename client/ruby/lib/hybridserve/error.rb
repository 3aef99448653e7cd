# frozen_string_literal: true

require 'google/protobuf/well_known_types'
require 'google/rpc/error_details_pb'
require 'google/rpc/status_pb'
require 'grpc'

module Hybridserve
  # A field of a request that is bad: its path, such as "sampling.top_p", and what
  # is wrong with it.
  FieldViolation = Struct.new(:field, :description)

  # A limit that was reached, such as "queue_requests", and how.
  QuotaViolation = Struct.new(:subject, :description)

  # What every failed call raises.
  class Error < StandardError
    CODES = GRPC::Core::StatusCodes.constants.to_h do |name|
      [GRPC::Core::StatusCodes.const_get(name), name]
    end.freeze
    private_constant :CODES

    # The gRPC status code as a symbol, such as :NOT_FOUND.
    attr_reader :code
    # The request's id, if the server gave it one: to find it in the log.
    attr_reader :request_id
    # With :INVALID_ARGUMENT: FieldViolations.
    attr_reader :fields
    # With :RESOURCE_EXHAUSTED and :UNAVAILABLE: seconds after which to come back;
    # nil: not said.
    attr_reader :retry_delay
    # With :RESOURCE_EXHAUSTED: QuotaViolations.
    attr_reader :quotas
    # With :NOT_FOUND and :ALREADY_EXISTS: "model" or "request", and its name.
    attr_reader :resource_type, :resource_name
    # In a form that programs can compare, such as "WORKER_LOST"; may be nil.
    attr_reader :reason

    def initialize(code, message, request_id: nil)
      super("#{code}: #{message}")
      @code = code
      @request_id = request_id
      @fields = []
      @quotas = []
    end

    # The Error for what gRPC raised.
    def self.of(status, request_id: nil)
      error = new(CODES.fetch(status.code, :UNKNOWN), status.details,
                  request_id: request_id || status.metadata['x-request-id'])
      status.to_rpc_status&.details&.each { |detail| error.send(:take, detail) }
      error
    end

    # Whether the same call may succeed later. :RESOURCE_EXHAUSTED without a time to
    # come back is that of a message that is too large.
    def retryable?
      code == :UNAVAILABLE || (code == :RESOURCE_EXHAUSTED && !retry_delay.nil?)
    end

    private

    def take(packed)
      [Google::Rpc::BadRequest, Google::Rpc::RetryInfo, Google::Rpc::QuotaFailure,
       Google::Rpc::ResourceInfo, Google::Rpc::ErrorInfo].each do |type|
        take_detail(packed.unpack(type)) if packed.is(type)
      end
    end

    def take_detail(detail)
      case detail
      when Google::Rpc::BadRequest
        @fields = detail.field_violations.map do |violation|
          FieldViolation.new(violation.field, violation.description)
        end
      when Google::Rpc::RetryInfo
        delay = detail.retry_delay
        @retry_delay = delay.seconds + delay.nanos * 1e-9 if delay
      when Google::Rpc::QuotaFailure
        @quotas = detail.violations.map do |violation|
          QuotaViolation.new(violation.subject, violation.description)
        end
      when Google::Rpc::ResourceInfo
        @resource_type = detail.resource_type
        @resource_name = detail.resource_name
      when Google::Rpc::ErrorInfo
        @reason = detail.reason
      end
    end
  end
end
