package hybridserve

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is what every failed call returns, for errors.As. errors.Is takes it for
// context.DeadlineExceeded and context.Canceled where its code says so.
type Error struct {
	Code    codes.Code
	Message string
	// Of the request, if the server gave it one: to find it in the log.
	RequestID string
	// With InvalidArgument: which fields are bad.
	Fields []FieldViolation
	// With ResourceExhausted and Unavailable: when to come back; 0: not said.
	RetryDelay time.Duration
	// With ResourceExhausted: which limits were reached.
	Quotas []QuotaViolation
	// With NotFound and AlreadyExists: "model" or "request", and its name.
	ResourceType, ResourceName string
	// In a form that programs can compare, such as "WORKER_LOST"; may be empty.
	Reason string

	status *status.Status
}

// FieldViolation is a field of the request that is bad.
type FieldViolation struct {
	// Its path, such as "sampling.top_p".
	Field       string
	Description string
}

// QuotaViolation is a limit that was reached.
type QuotaViolation struct {
	// Such as "queue_requests".
	Subject     string
	Description string
}

func (e *Error) Error() string {
	return fmt.Sprintf("hybridserve: %v: %s", e.Code, e.Message)
}

// GRPCStatus is for the functions of package status.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Is makes errors.Is work with the errors of contexts.
func (e *Error) Is(target error) bool {
	switch target {
	case context.DeadlineExceeded:
		return e.Code == codes.DeadlineExceeded
	case context.Canceled:
		return e.Code == codes.Canceled
	}
	return false
}

func toError(err error, requestID string) *Error {
	from := status.Convert(err)
	result := &Error{
		Code:      from.Code(),
		Message:   from.Message(),
		RequestID: requestID,
		status:    from,
	}
	for _, detail := range from.Details() {
		switch detail := detail.(type) {
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				result.Fields = append(result.Fields, FieldViolation{
					violation.GetField(), violation.GetDescription()})
			}
		case *errdetails.RetryInfo:
			result.RetryDelay = detail.GetRetryDelay().AsDuration()
		case *errdetails.QuotaFailure:
			for _, violation := range detail.GetViolations() {
				result.Quotas = append(result.Quotas, QuotaViolation{
					violation.GetSubject(), violation.GetDescription()})
			}
		case *errdetails.ResourceInfo:
			result.ResourceType = detail.GetResourceType()
			result.ResourceName = detail.GetResourceName()
		case *errdetails.ErrorInfo:
			result.Reason = detail.GetReason()
		}
	}
	return result
}
