"""The protocol itself: what protoc makes of hybridserve/v1."""
