// Package stagedoor runs a gateway for WebSocket APIs, compatible with Amazon API
// Gateway, in a Go program: an application from its SAM or CloudFormation
// template, or a gateway whose APIs come through the control plane. Functions of
// Lambda may be Go code of the program. Package stagedoortest is for tests.
package stagedoor
