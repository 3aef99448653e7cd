# frozen_string_literal: true

module Hybridserve
  VERSION = '0.1.0'
end
