// Command function is the Lambda function behind all routes of the chat.
//
// It runs in AWS and under "stagedoor dev" alike: it knows the gateway only by
// its events, and reaches it only through the AWS SDK.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	chat := &Chat{
		Members: &Table{
			Client: dynamodb.NewFromConfig(cfg),
			Name:   os.Getenv("CONNECTIONS_TABLE"),
		},
		Gateway: &Gateway{Config: cfg},
	}
	lambda.Start(chat.Handle)
}
