# frozen_string_literal: true

require 'hybridserve/client'
require 'hybridserve/version'

# Calls a HybridServe server.
#
# A Client makes the calls; see there. Results are the messages of Hybridserve::V1,
# which protoc makes of the protocol's .proto files and where each field is
# described. What fails is a Hybridserve::Error.
module Hybridserve
end
