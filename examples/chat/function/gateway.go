package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
)

// Gateway posts to connections through the @connections API.
type Gateway struct {
	Config aws.Config
}

// Post sends data to a connection as one text message. Making a client is
// cheap: all of them share the HTTP connections of the configuration.
func (g *Gateway) Post(ctx context.Context, endpoint, connectionID string, data []byte) error {
	client := apigatewaymanagementapi.NewFromConfig(g.Config, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = &endpoint
	})
	_, err := client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: &connectionID,
		Data:         data,
	})
	var gone *types.GoneException
	if errors.As(err, &gone) {
		return ErrGone
	}
	return err
}
