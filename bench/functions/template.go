//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// works are what functions do: what they answer is the message in all cases.
var works = []string{echo, compute, wait}

const (
	echo    = "echo"    // nothing
	compute = "compute" // a hash of a mebibyte
	wait    = "wait"    // 50 ms
)

// language is one that functions are written in.
type language struct{ name, folder, runtime string }

var languages = []language{
	{"Node.js", "node", "nodejs20.x"},
	{"Python", "python", "python3.13"},
	{"Go", "go", "provided.al2023"},
}

func (l language) route(work string) string { return l.folder + "-" + work }

const api = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: functions, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: bench, AutoDeploy: true }
`

const function = `
  FUNCTION:
    Type: AWS::Serverless::Function
    Properties: { Runtime: RUNTIME, Handler: index.WORK, CodeUri: CODE, Timeout: 30, Environment: { Variables: { WORK: WORK } } }
  FUNCTIONIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${FUNCTION.Arn}/invocations
  FUNCTIONRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: ROUTE, RouteResponseSelectionExpression: $default, Target: !Sub "integrations/${FUNCTIONIntegration}" }
  FUNCTIONRouteResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref FUNCTIONRoute, RouteResponseKey: $default }
`

// writeTemplate writes the template of an API with a function for each language
// and work, and returns its path.
func writeTemplate(folder string) (string, error) {
	code, err := filepath.Abs(filepath.Join("functions", "app"))
	if err != nil {
		return "", err
	}
	text := api
	for _, l := range languages {
		for _, work := range works {
			name := strings.ToUpper(l.folder[:1]) + l.folder[1:] + strings.ToUpper(work[:1]) + work[1:]
			text += strings.NewReplacer(
				"FUNCTION", name, "RUNTIME", l.runtime, "WORK: WORK", "WORK: "+work, "index.WORK", "index."+work,
				"CODE", filepath.Join(code, l.folder), "ROUTE", l.route(work),
			).Replace(function)
		}
	}
	path := filepath.Join(folder, "functions.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("the template: %w", err)
	}
	return path, nil
}
