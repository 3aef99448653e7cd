// Package hybridserve calls a HybridServe server.
//
// A Client is made by Dial and used by any number of goroutines. Calls end when
// their context does, on the server too. What a server could not take is tried
// again, as RetryPolicy says; what fails is an *Error. Results are the messages
// of package v1, which protoc makes of the protocol's .proto files and where
// each field is described.
package hybridserve
