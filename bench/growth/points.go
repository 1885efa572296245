//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/bench/internal/load"
)

// point is a gateway with some work. All but one of its numbers are the usual ones.
type point struct {
	grows       dimension
	connections int
	size        int // of messages, in bytes
	routes      int // of each API
	stages      int // of all APIs; connections are spread over them
}

// dimension is what of a point's numbers grows.
type dimension struct {
	name  string
	usual int
	of    func(*point) *int
	grown []int
}

var dimensions = []dimension{
	{"connections", 100, func(p *point) *int { return &p.connections }, []int{10, 30, 100, 300, 1000}},
	{"bytes", 128, func(p *point) *int { return &p.size }, []int{64, 512, 4 << 10, 32 << 10, 128 << 10}},
	{"routes", 1, func(p *point) *int { return &p.routes }, []int{1, 10, 100, 300}},
	{"stages", 1, func(p *point) *int { return &p.stages }, []int{1, 10, 30, 100}},
}

// points are all that are measured.
func points() []*point {
	var list []*point
	for _, grows := range dimensions {
		for _, value := range grows.grown {
			p := &point{grows: grows}
			for _, d := range dimensions {
				*d.of(p) = d.usual
			}
			*grows.of(p) = value
			list = append(list, p)
		}
	}
	return list
}

// value is the number that grows.
func (p *point) value() int { return *p.grows.of(p) }

func (p *point) String() string { return fmt.Sprint(p.value(), " ", p.grows.name) }

// stagesOfAPI is how many stages an API has at most.
const stagesOfAPI = 10

// template has APIs, as many as the stages take, whose routes all call the backend.
// Messages are for the last route, the only one with a route response: a template has
// 500 resources at most.
func (p *point) template(backend string) string {
	var b strings.Builder
	b.WriteString("Resources:")
	for first := 0; first < p.stages; first += stagesOfAPI {
		fmt.Fprintf(&b, api, first, backend, p.routes-1)
		for i := range p.routes {
			fmt.Fprintf(&b, route, first, i)
		}
		for i := first; i < min(first+stagesOfAPI, p.stages); i++ {
			fmt.Fprintf(&b, stage, first, i)
		}
	}
	return b.String()
}

const api = `
  Api%[1]d:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: growth%[1]d
      ProtocolType: WEBSOCKET
      RouteSelectionExpression: $request.body.action
      Tags: {"stagedoor:max-frame": none}
  Integration%[1]d:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api%[1]d, IntegrationType: HTTP_PROXY, IntegrationMethod: POST, IntegrationUri: %[2]q}
  Response%[1]d:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api%[1]d, RouteId: !Ref Route%[1]dOf%[3]d, RouteResponseKey: $default}
`

const route = `
  Route%[1]dOf%[2]d:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api%[1]d
      RouteKey: call%[2]d
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${Integration%[1]d}
`

const stage = `
  Stage%[2]d:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api%[1]d, StageName: stage%[2]d, AutoDeploy: true}
`

// message is what is sent.
func (p *point) message() []byte { return load.Message(fmt.Sprint("call", p.routes-1), "", p.size) }

// spread is a protocol whose connections go to several stages in turn.
type spread struct {
	*load.WebSocket
	stages []*load.WebSocket
	next   atomic.Int64
}

// Handshake implements load.Protocol.
func (s *spread) Handshake() (request, answer string) {
	return s.stages[int(s.next.Add(1))%len(s.stages)].Handshake()
}

// protocol is that of the point's gateway at an address.
func (p *point) protocol(address string) load.Protocol {
	s := &spread{}
	for i := range p.stages {
		s.stages = append(s.stages, load.NewWebSocket(address, fmt.Sprint("/stage", i), p.message()))
	}
	s.WebSocket = s.stages[0]
	return s
}

// in are the points that grow in a dimension, in their order.
func (d *dimension) in(list []*measured) []*measured {
	return slices.DeleteFunc(slices.Clone(list), func(m *measured) bool { return m.grows.name != d.name })
}
