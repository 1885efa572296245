package executionlog

import (
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/mask"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// exchange writes what the backend was sent, and what it answered.
func (w *writer) exchange(t *trace.Trace) {
	for _, s := range t.Steps() {
		switch s := s.(type) {
		case trace.Request:
			w.payload(s.Began, "Endpoint request URI: ", []byte(s.URI))
			w.header(s.Began, "Endpoint request headers: ", s.Header)
			w.payload(s.Began, "Endpoint request body after transformations: ", s.Body.Kept)
			w.payload(s.Began, "Sending request to ", []byte(s.URI))
		case trace.Response:
			if s.Status == 0 {
				continue // what failed is said elsewhere
			}
			at := s.Began.Add(s.Took)
			w.start()
			w.add("Received response. Status: ")
			w.addNumber(s.Status)
			w.add(", Integration latency: ")
			w.addNumber(int(s.Took.Milliseconds()))
			w.add(" ms")
			w.finish(at)
			w.header(at, "Endpoint response headers: ", s.Header)
			w.payload(at, "Endpoint response body before transformations: ", s.Body.Kept)
		}
	}
}

// payload writes a line with a payload at its end.
func (w *writer) payload(at time.Time, before string, payload []byte) {
	w.start()
	w.add(before)
	w.addSecret(payload)
	w.finish(at)
}

// header writes a line with the fields of a header.
func (w *writer) header(at time.Time, before string, fields []trace.Field) {
	w.start()
	w.add(before, "{")
	for i, f := range fields {
		if i > 0 {
			w.add(", ")
		}
		w.addText(f.Name)
		w.add("=")
		w.addText(shown(f))
	}
	w.add("}")
	w.finish(at)
}

// shown is the value of a field as it is shown. Credentials keep their end, as in API
// Gateway: who looks for one that does not work knows it by that.
func shown(f trace.Field) string {
	switch strings.ToLower(f.Name) {
	case "authorization", "proxy-authorization", "x-api-key":
		return stars(f.Value)
	}
	return mask.Value(f.Name, f.Value)
}

const (
	// shownEnd is how much of a credential is shown. A short one is hidden as a whole.
	shownEnd = 6
	// maxStars is how many stars stand for the rest at most: more would push out of the
	// line what else is in it.
	maxStars = 64
)

// stars is a credential with stars in the place of all but its end.
func stars(secret string) string {
	end := ""
	if len(secret) > 2*shownEnd {
		end = secret[len(secret)-shownEnd:]
	}
	return strings.Repeat("*", min(len(secret)-len(end), maxStars)) + end
}
