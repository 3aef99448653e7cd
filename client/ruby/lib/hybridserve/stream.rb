# frozen_string_literal: true

require 'hybridserve/error'

module Hybridserve
  # The output of a request as it is produced: TokenOutputs, by `each` and all of
  # Enumerable. The request is made when the first is asked for, and can be read
  # once. Whoever leaves the loop, or calls cancel, makes the server stop.
  class Stream
    include Enumerable

    # All that has come so far; after a complete loop what generate would have
    # returned.
    attr_reader :result

    # start makes the call and returns its operation.
    def initialize(retrier, start)
      @retrier = retrier
      @start = start
      @result = V1::GenerateResponse.new
      @begun = false
      @cancelled = false
      @finished = false
      @mutex = Mutex.new
      @was_cancelled = ConditionVariable.new
    end

    # Yields each TokenOutput: never what came before, also when the request went on
    # with another worker.
    def each
      return enum_for(:each) unless block_given?
      raise 'a stream can be read once' if @begun

      @begun = true
      begin
        read { |output| yield output }
      ensure
        cancel
      end
      self
    end

    # Makes the server stop, unless the output is complete. May be called by another
    # thread.
    def cancel
      @mutex.synchronize do
        @cancelled = true
        @was_cancelled.broadcast
        @operation&.cancel
      end
    end

    # Sleeps, unless it is cancelled. For Client.
    def wait(seconds)
      deadline = now + seconds
      @mutex.synchronize do
        until @cancelled || (left = deadline - now) <= 0
          @was_cancelled.wait(@mutex, left)
        end
      end
    end

    private

    def read(&block)
      attempt(&block)
    rescue GRPC::BadStatus => e
      raise if e.equal?(@of_the_block)

      error = failure(e)
      raise error unless @result.token_ids.empty? && @result.text.empty?

      @retrier.pause(error)
      retry
    end

    def attempt
      open.each do |message|
        take(message)
        next unless message.event == :token_output

        begin
          yield message.token_output
        rescue GRPC::BadStatus => e
          @of_the_block = e
          raise
        end
      end
      return if @finished

      raise Error.new(:INTERNAL,
                      'the server ended the stream without saying why',
                      request_id: @result.request_id)
    end

    def open
      @mutex.synchronize do
        raise Error.new(:CANCELLED, 'the stream was cancelled') if @cancelled

        @operation = @start.call
      end
      @operation.execute
    end

    # Keeps what a message brings. Events that it does not know are left out.
    def take(message)
      @result.request_id = message.request_id unless message.request_id.empty?
      @result.usage = message.usage if message.usage
      case message.event
      when :token_output
        @result.text += message.token_output.text_delta
        @result.token_ids.concat(message.token_output.token_ids.to_a)
        @result.log_probs.concat(message.token_output.log_probs.to_a)
        @result.top_log_probs.concat(message.token_output.top_log_probs.to_a)
      when :finished
        @result.finish_reason = message.finished.reason
        @result.stop_match = message.finished.stop_match
        @finished = true
      end
    end

    def failure(status)
      seen = @operation&.metadata || {}
      told = @result.request_id
      Error.of(status, request_id: seen['x-request-id'] ||
                                   (told.empty? ? nil : told))
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
