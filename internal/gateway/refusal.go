package gateway

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// refuse answers a handshake that $connect did not accept: with the backend's
// own answer, or with the gateway's for a failure.
func (p *pipeline) refuse(w http.ResponseWriter) {
	header := w.Header()
	header.Set("x-amz-apigw-id", p.event.RequestID)
	header.Set("Connection", "keep-alive") // the server knows better where it closes
	if p.event.Failed != nil {
		header.Set("Content-Type", "application/json; charset=UTF-8")
		body := errorFrame(p.event.Failed.Message(), p.connection.facts.ID, p.event.RequestID)
		header.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(p.event.Failed.Status())
		_, _ = w.Write(body)
		return
	}
	for name, values := range p.response.Header {
		if name := refusalHeader(name); name != "" {
			header[name] = values
		}
	}
	header.Set("Content-Type", contentType(p.response.Header.Get("Content-Type")))
	if p.response.Status != http.StatusNoContent && p.response.Status != http.StatusNotModified {
		header.Set("Content-Length", strconv.Itoa(len(p.response.Body)))
	}
	status := p.response.Status
	if status < 200 { // an informational status would leave the client waiting
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = w.Write(p.response.Body)
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
