package dynamodb

import (
	"fmt"
	"net/http"
)

// apiError is an error in DynamoDB's form.
type apiError struct {
	status  int
	kind    string // with its name space, as DynamoDB sends it
	message string
	item    item     // of a failed condition, where it was asked for
	reasons []reason // of a cancelled transaction
}

func (e *apiError) Error() string { return e.message }

// reason is the result of one action of a cancelled transaction.
type reason struct {
	Code    string
	Message string `json:",omitempty"`
	Item    item   `json:",omitempty"`
}

const (
	modelSpace   = "com.amazonaws.dynamodb.v20120810#"
	serviceSpace = "com.amazon.coral.service#"

	conditionFailed = modelSpace + "ConditionalCheckFailedException"
	validationKind  = "com.amazon.coral.validate#ValidationException"
)

func validation(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: validationKind, message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError {
	return modelError("ResourceNotFoundException", format, args...)
}

func modelError(name, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: modelSpace + name, message: fmt.Sprintf(format, args...)}
}

func serialization(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: serviceSpace + "SerializationException", message: message}
}

// realOnes says which DynamoDB has what this one lacks, and the setting that has
// functions use it.
const realOnes = "Use DynamoDB local, with stagedoor dev --aws-endpoint dynamodb=http://127.0.0.1:8000, " +
	"or the one on AWS, with --aws-endpoint dynamodb=https://dynamodb.us-east-1.amazonaws.com and your region."

func unknownOperation(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: serviceSpace + "UnknownOperationException", message: message}
}
