// Package conformance runs real clients against the real binary: a browser,
// the AWS SDKs for Go and JavaScript, wscat, and applications written for AWS.
//
// It is a module of its own, so that what the clients need is not a dependency
// of the gateway. The tests treat Stagedoor as a user does: they start
// "stagedoor dev", read what it prints and connect to its ports.
package conformance
