// The functions in Go, on AWS's library: WORK says which one this is.
package main

import (
	"crypto/sha256"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

var zeros [1 << 20]byte

func main() {
	work := map[string]func(){
		"echo":    func() {},
		"compute": func() { sha256.Sum256(zeros[:]) }, // some milliseconds of a processor
		"wait":    func() { time.Sleep(50 * time.Millisecond) },
	}[os.Getenv("WORK")]
	lambda.Start(func(event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		work()
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: event.Body}, nil
	})
}
