package listener

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

// guard refuses requests that a proper client does not send, before the next
// handler, and limits the time for a body.
func guard(l Limits, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hasBody := r.ContentLength != 0
		switch err := dualport.CheckHead(r); {
		case err != nil:
			refuse(w, http.StatusBadRequest, err.Error())
		case l.URLBytes > 0 && len(r.RequestURI) > l.URLBytes:
			refuse(w, http.StatusRequestURITooLong, "the request target is too long")
		case l.HeaderLines > 0 && lines(r.Header) > l.HeaderLines:
			refuse(w, http.StatusRequestHeaderFieldsTooLarge, "the request has too many header lines")
		case len(r.Header["Authorization"]) > 1:
			refuse(w, http.StatusBadRequest, "there are several Authorization lines") // section A.2
		case hasBody && upgradesToWebSocket(r.Header):
			// The bytes behind it could be taken for frames or for a body.
			refuse(w, http.StatusBadRequest, "an upgrade has no body")
		case hasBody && l.BodyTime > 0 && !dualport.HasWholeBody(r):
			withBodyTime(w, r, l.BodyTime, next)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func upgradesToWebSocket(header http.Header) bool {
	return slices.ContainsFunc(header["Upgrade"], func(value string) bool {
		return strings.Contains(strings.ToLower(value), "websocket")
	})
}

func lines(header http.Header) (n int) {
	for _, values := range header {
		n += len(values)
	}
	return n
}

// withBodyTime serves a request whose body must come within a time. The limit
// ends with the body.
func withBodyTime(w http.ResponseWriter, r *http.Request, limit time.Duration, next http.Handler) {
	controller := http.NewResponseController(w)
	if controller.SetReadDeadline(time.Now().Add(limit)) == nil {
		r.Body = &timedBody{r.Body, controller}
	}
	next.ServeHTTP(w, r)
}

// timedBody lifts the deadline when the body has ended.
type timedBody struct {
	io.ReadCloser
	controller *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.controller.SetReadDeadline(time.Time{})
	}
	return n, err
}

// refuse answers in API Gateway's form and closes the connection, because it is
// not certain where the next request begins.
func refuse(w http.ResponseWriter, status int, message string) {
	body := `{"message":` + strconv.Quote(message) + `}`
	header := w.Header()
	header.Set("Connection", "close")
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
