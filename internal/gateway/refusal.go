package gateway

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// refusal returns the status and the body of the answer to a handshake that $connect
// did not accept: the backend's own, or the gateway's for a failure.
func (p *pipeline) refusal() (status int, body []byte) {
	if p.event.Failed != nil {
		return p.event.Failed.Status(), errorFrame(p.event.Failed.Message(), p.connection.facts.ID, p.event.RequestID)
	}
	if p.response.Status < 200 { // an informational status would leave the client waiting
		return http.StatusInternalServerError, p.response.Body
	}
	return p.response.Status, p.response.Body
}

// refuse answers a handshake with a refusal.
func (p *pipeline) refuse(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header.Set("x-amz-apigw-id", p.event.RequestID)
	header.Set("Connection", "keep-alive") // the server knows better where it closes
	if p.event.Failed != nil {
		header.Set("Content-Type", "application/json; charset=UTF-8")
		header.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	for name, values := range p.response.Header {
		if name := refusalHeader(name); name != "" {
			header[name] = values
		}
	}
	header.Set("Content-Type", contentType(p.response.Header.Get("Content-Type")))
	if status != http.StatusNoContent && status != http.StatusNotModified {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refusalHeader is what a header of the backend's is called in the answer to the
// client: headers that the server writes itself go by another name, those of
// the hop to the backend stay behind.
func refusalHeader(name string) string {
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Connection", "Content-Length", "Date", "Server":
		return "X-Amzn-Remapped-" + name
	case "Transfer-Encoding", "Trailer", "Upgrade", "Keep-Alive", "Te", "X-Amz-Apigw-Id":
		return ""
	}
	return name
}

// contentType adds the charset that API Gateway adds.
func contentType(value string) string {
	if value == "" {
		return "application/json; charset=UTF-8"
	}
	if _, parameters, err := mime.ParseMediaType(value); err != nil || parameters["charset"] != "" {
		return value
	}
	return strings.TrimRight(value, "; ") + "; charset=UTF-8"
}
