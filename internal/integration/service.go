package integration

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// serviceEndpoint is what AWS integrations call that do not call a function.
type serviceEndpoint struct {
	services *awsservice.Client
	uri      awsservice.URI
	method   string
	role     string
}

// buildService makes the endpoint of an AWS integration that calls a service.
func (b *Builder) buildService(i *apigw.Integration) (*serviceEndpoint, error) {
	uri, err := awsservice.ParseURI(i.IntegrationUri)
	if err != nil {
		return nil, err
	}
	if err := awsservice.CheckCredentials(i.CredentialsArn); err != nil {
		return nil, err
	}
	return &serviceEndpoint{b.Services, uri, method(i), i.CredentialsArn}, nil
}

// call implements endpoint.
func (s *serviceEndpoint) call(ctx context.Context, e *event.Event, request *mapping.Request) (*Response, *failure.Error) {
	if err := checkMapped(request.Header, isReservedForAWS); err != nil {
		return nil, err
	}
	header := http.Header{
		"User-Agent":      {userAgent(e.Connection.APIID)},
		apiIDHeader:       {e.Connection.APIID},
		"X-Amzn-Trace-Id": {e.TraceID},
	}
	mappedHeader := http.Header{}
	for _, p := range request.Header {
		mappedHeader.Add(p.Name, p.Value)
	}
	maps.Copy(header, mappedHeader)
	query := url.Values{}
	for _, p := range request.Query {
		query.Add(p.Name, p.Value)
	}
	path := make(map[string]string, len(request.Path))
	for _, p := range request.Path {
		path[p.Name] = p.Value
	}
	o := awsservice.Request{
		URI: s.uri, Method: s.method, Header: header, Query: query, Path: path, Body: request.Body, Role: s.role,
		Patient: e.Type == event.Disconnect,
	}
	began := time.Now()
	if e.Trace != nil {
		s.trace(ctx, e.Trace, began, &o)
	}
	answer, err := s.services.Do(ctx, &o)
	e.Integration.Latency = time.Since(began)
	if err != nil {
		known := failed(ctx, fmt.Errorf("calling AWS: %w", err))
		if e.Trace != nil {
			traceNoResponse(e, began, known)
		}
		return nil, known
	}
	e.Integration.Status = answer.Status
	e.Integration.RequestID = answer.Header.Get("X-Amzn-RequestId")
	if e.Trace != nil {
		traceResponse(e, began, answer)
	}
	return (*Response)(answer), nil
}
