// A function on AWS's own Go library.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type answer struct {
	RequestID, ARN, Function, Version string
	MemoryMB                          int
	InTime                            bool
}

func handle(ctx context.Context, event struct{ Fail string }) (answer, error) {
	switch event.Fail {
	case "error":
		return answer{}, errors.New("as ordered")
	case "panic":
		panic("as ordered")
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, ok := ctx.Deadline()
	return answer{
		RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn,
		Function: lambdacontext.FunctionName, Version: lambdacontext.FunctionVersion, MemoryMB: lambdacontext.MemoryLimitInMB,
		InTime: ok && time.Until(deadline) > 0,
	}, nil
}

func main() { lambda.Start(handle) }
