// Package stagedoor is a gateway for WebSocket APIs, compatible with Amazon API
// Gateway. The programs of it are in internal/server, for APIs that are kept, and
// in internal/dev, for an application from its template.
package stagedoor
