package server

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
)

// audit is what the log will say of a request to the admin port. It is filled
// while the request is answered. Nothing in it is a secret.
type audit struct {
	action, resource string             // what IAM was asked for
	signer           *identity.Identity // nil where the signature is not right, or not asked for
	refused          bool
	warnings         []string // of what was accepted and yet cannot be meant
}

// auditKey is the key of a request's audit in its context.
type auditKey struct{}

// auditOf returns the audit of a request that came through audited; for others, one
// that nobody reads.
func auditOf(r *http.Request) *audit {
	if note, ok := r.Context().Value(auditKey{}).(*audit); ok {
		return note
	}
	return &audit{}
}

// warn adds a warning to the audit of the request that ctx belongs to.
func warn(ctx context.Context, warning string) {
	if note, ok := ctx.Value(auditKey{}).(*audit); ok {
		note.warnings = append(note.warnings, warning)
	}
}

// audited logs every request that is refused, and every one that is to change
// something or that reads secrets, a line each: who, from where, what, and the
// result.
func (a *access) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		note := &audit{action: identity.ServiceControl + ":" + r.Method, resource: r.URL.Path}
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		r = r.WithContext(context.WithValue(r.Context(), auditKey{}, note))
		defer func() { // answers that are cut off end in a panic
			if note.refused || changes(r) {
				a.logAudit(r, note, seen, time.Since(began))
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

// changes reports whether a request is to change something, or reads secrets.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead || isOwn(r)
}

// logAudit writes the line. Its texts may be the client's: the log's handler escapes
// them.
func (a *access) logAudit(r *http.Request, note *audit, answer *statusWriter, took time.Duration) {
	level, message := slog.LevelInfo, "control plane"
	if note.refused {
		level, message = slog.LevelWarn, "access refused"
	}
	caller, key := "", identity.ClaimedKey(r)
	switch {
	case note.signer != nil:
		caller, key = note.signer.ARN, note.signer.AccessKeyID
	case key != "":
		caller = "unverified access key " + key
	}
	attributes := []slog.Attr{
		slog.String("caller", caller), slog.String("accessKeyId", key), slog.String("source", forwarded.Of(r).Address),
		slog.String("action", note.action), slog.String("resource", note.resource),
		slog.String("requestId", answer.Header().Get("x-amzn-RequestId")), slog.Int("status", answer.status),
	}
	if kind := answer.Header().Get("x-amzn-ErrorType"); kind != "" {
		attributes = append(attributes, slog.String("result", kind))
	}
	if len(note.warnings) > 0 {
		attributes = append(attributes, slog.String("warning", strings.Join(note.warnings, "; ")))
	}
	attributes = append(attributes, slog.Float64("durationMs", milliseconds(took)))
	a.log.LogAttrs(context.WithoutCancel(r.Context()), level, message, attributes...)
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
