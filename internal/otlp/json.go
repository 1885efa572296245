package otlp

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// jsonClient returns a client for the exporters that speak protobuf alone: what it sends is
// the same in JSON. messages returns an empty request and response.
func (o *Options) jsonClient(signal string, messages func() (request, response proto.Message)) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	var err error
	if transport.TLSClientConfig, err = o.tls(signal); err != nil {
		return nil, err
	}
	timeout := sendTime
	if n, err := strconv.Atoi(o.variable(signal, "TIMEOUT")); err == nil && n > 0 {
		timeout = time.Duration(n) * time.Millisecond
	}
	return &http.Client{Transport: &jsonTransport{transport, messages}, Timeout: timeout}, nil
}

// tls returns the TLS that the environment asks for; nil for the usual.
func (o *Options) tls(signal string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if name := o.variable(signal, "CERTIFICATE"); name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %s has no certificate", name)
		}
	}
	if cert, key := o.variable(signal, "CLIENT_CERTIFICATE"), o.variable(signal, "CLIENT_KEY"); cert != "" && key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// jsonTransport sends requests in protobuf as requests in JSON.
type jsonTransport struct {
	next     *http.Transport
	messages func() (request, response proto.Message)
}

// RoundTrip implements http.RoundTripper.
func (t *jsonTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	request, response := t.messages()
	body, err := translated(r, request)
	if err != nil {
		return nil, err
	}
	sent := r.Clone(r.Context())
	sent.Header.Set("Content-Type", "application/json")
	sent.Header.Del("Content-Encoding")
	sent.Body, sent.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	answer, err := t.next.RoundTrip(sent)
	if err != nil || answer.StatusCode/100 != 2 {
		return answer, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, response) != nil {
		proto.Reset(response) // it was taken, whatever is said beside that
	}
	if body, err = proto.Marshal(response); err != nil {
		return nil, err
	}
	answer.Header.Set("Content-Type", "application/x-protobuf")
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return answer, nil
}

// maxAnswer is how much is read of a collector's answer, in bytes.
const maxAnswer = 1 << 20

// translated reads the body of a request in protobuf, and returns it in JSON.
func translated(r *http.Request, message proto.Message) ([]byte, error) {
	defer r.Body.Close()
	var from io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		from = unzipped
	}
	body, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(body, message); err != nil {
		return nil, err
	}
	return MarshalJSON(message)
}

// MarshalJSON writes a message in OTLP's JSON: that of protobuf, with numbers for the names
// of enumerations, and ids in hexadecimal digits.
func MarshalJSON(message proto.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(message)
	if err != nil || !bytes.Contains(text, []byte(`Id":`)) {
		return text, err
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	hexIDs(tree)
	return json.Marshal(tree)
}

// hexIDs writes the ids of traces and spans in hexadecimal digits. What users name is a
// value in a tree, and never a member.
func hexIDs(tree any) {
	switch node := tree.(type) {
	case []any:
		for _, item := range node {
			hexIDs(item)
		}
	case map[string]any:
		for name, item := range node {
			text, isText := item.(string)
			if isText && (name == "traceId" || name == "spanId" || name == "parentSpanId") {
				if id, err := base64.StdEncoding.DecodeString(text); err == nil {
					node[name] = hex.EncodeToString(id)
				}
				continue
			}
			hexIDs(item)
		}
	}
}
