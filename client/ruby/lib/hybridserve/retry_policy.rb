# frozen_string_literal: true

module Hybridserve
  # How a call that the server could not take is tried again: one that failed with
  # UNAVAILABLE, or with RESOURCE_EXHAUSTED where the server names a time to come
  # back (RetryInfo). After such a failure ALREADY_EXISTS is one too, where the
  # caller gave a request_id: the id is the earlier attempt's, which the server has
  # yet to let go. A stream is never tried again once it has brought a token. A
  # pause is never shorter than the server asks for. One that would outlast the
  # call's timeout is not begun: the call raises its last error at once.
  class RetryPolicy
    # The share by which pauses are lengthened at most, so that those who were
    # refused together do not come back together.
    JITTER = 0.2

    attr_reader :max_attempts, :first_pause, :longest_pause

    # max_attempts counts the first one; 1: never again; nil: until the timeout.
    # Pauses, in seconds, are doubled with each attempt. The defaults are together
    # longer than a scheduler that is updated drains (60 s).
    def initialize(max_attempts: 16, first_pause: 0.2, longest_pause: 10)
      unless max_attempts.nil? || max_attempts.positive?
        raise ArgumentError, 'max_attempts must be positive'
      end
      unless first_pause.positive? && first_pause <= longest_pause
        raise ArgumentError,
              'first_pause must be positive and at most longest_pause'
      end

      @max_attempts = max_attempts
      @first_pause = first_pause
      @longest_pause = longest_pause
    end

    # Seconds to wait after so many failures, the last of them an Error.
    def pause_after(failures, error)
      # The exponent has a bound so that the power stays a number.
      doubled = first_pause * (2**[failures - 1, 64].min)
      pause = [[doubled, longest_pause].min, error.retry_delay || 0].max
      pause * (1 + JITTER * rand)
    end
  end

  # Counts the attempts of one call.
  class Retrier
    # deadline is a Time or nil; wait is called with seconds; named: the caller
    # chose the request's id.
    def initialize(policy, deadline, wait, named: false)
      @policy = policy
      @deadline = deadline
      @wait = wait
      @named = named
      @failures = 0
    end

    # Returns when the call may be tried again, or raises the error.
    def pause(error)
      @failures += 1
      raise error if !may_help?(error) || @failures == @policy.max_attempts

      seconds = @policy.pause_after(@failures, error)
      raise error if @deadline && Time.now + seconds > @deadline

      @wait.call(seconds)
    end

    private

    def may_help?(error)
      error.retryable? ||
        (error.code == :ALREADY_EXISTS && @named && @failures > 1)
    end
  end
  private_constant :Retrier
end
