# frozen_string_literal: true

require_relative 'lib/hybridserve/version'

Gem::Specification.new do |spec|
  spec.name = 'hybridserve'
  spec.version = Hybridserve::VERSION
  spec.authors = ['The HybridServe authors']
  spec.summary = 'Client of HybridServe, which serves language models over gRPC'
  spec.license = 'Apache-2.0'
  spec.files = Dir.chdir(__dir__) { Dir['lib/**/*.rb'] } + ['README.md']
  spec.required_ruby_version = '>= 3.0'

  # The code in lib/hybridserve/v1 is of protoc 3.21; version 4 wants its own.
  spec.add_dependency 'google-protobuf', '~> 3.21'
  spec.add_dependency 'googleapis-common-protos-types', '~> 1.4'
  spec.add_dependency 'grpc', '~> 1.51'
end
