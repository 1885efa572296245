package administration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// Sizes of the largest requests, in bytes.
const (
	maxRequest = 1 << 20
	maxBackup  = 4 << 30
)

// HandlerOptions configure a handler. All must be set.
type HandlerOptions struct {
	Local           *Local
	Region, Account string // for ARNs
	Gateway         Gateway
	// Authorize returns an error for a request that its signer may not make, else
	// nil. body is the signed body; it is empty for a restore, whose backup is
	// signed by its hash in the query.
	Authorize func(r *http.Request, body []byte, action, resource string) *apigw.Error
	// Events answers a request for the events of the APIs that the query parameter api
	// names, or of all, whose sender may see them.
	Events http.Handler
	Log    *slog.Logger
}

// NewHandler makes the handler of requests below Prefix.
func NewHandler(o HandlerOptions) http.Handler {
	h := &handler{o}
	mux := http.NewServeMux()
	for pattern, operation := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + GatewayPath:                         h.gateway,
		"GET " + EventsPath:                          h.events,
		"GET " + backupPath:                          h.backup,
		"POST " + restorePath:                        h.restore,
		"GET " + credentialsPath:                     h.list,
		"POST " + credentialsPath:                    h.create,
		"DELETE " + credentialsPath + "/{accessKey}": h.delete,
		Prefix: h.unknown,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("x-amzn-RequestId", apigw.NewUUID())
			w.Header().Set("Cache-Control", "no-store")
			if err := operation(w, r); err != nil {
				h.answerable(r.Context(), err).WriteTo(w)
			}
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != strings.TrimSuffix(r.URL.Path, "/") {
			// The mux would redirect the client, and so reveal to strangers
			// that the path exists.
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = Prefix, ""
		}
		mux.ServeHTTP(w, r)
	})
}

type handler struct{ HandlerOptions }

// arn returns the ARN of a resource of this gateway.
func (h *handler) arn(thing string) string {
	return "arn:" + apigw.Partition(h.Region) + ":stagedoor:" + h.Region + ":" + h.Account + ":" + thing
}

func (h *handler) unknown(_ http.ResponseWriter, r *http.Request) error {
	if err := h.Authorize(r, nil, "stagedoor:"+r.Method, h.arn("unknown")); err != nil {
		return err
	}
	return apigw.NotFound("Operation", "There is no such operation.")
}

func (h *handler) gateway(w http.ResponseWriter, r *http.Request) error {
	apis := "arn:" + apigw.Partition(h.Region) + ":apigateway:" + h.Region + "::/apis"
	if err := h.Authorize(r, nil, actionGateway, apis); err != nil {
		return err
	}
	return answer(w, http.StatusOK, h.Gateway)
}

// events asks for each API whether its events may be seen: they show what clients send.
func (h *handler) events(w http.ResponseWriter, r *http.Request) error {
	apis := r.URL.Query()["api"]
	if len(apis) == 0 {
		apis = []string{"*"}
	}
	for _, api := range apis {
		if err := h.Authorize(r, nil, actionTail, h.arn("events/"+api)); err != nil {
			return err
		}
	}
	h.Events.ServeHTTP(w, r)
	return nil
}

func (h *handler) backup(w http.ResponseWriter, r *http.Request) error {
	if err := h.Authorize(r, nil, actionBackup, h.arn("store")); err != nil {
		return err
	}
	answer := &lateWriter{ResponseWriter: w}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, err := h.Local.Backup(r.Context(), answer)
	if err != nil && answer.began {
		h.Log.ErrorContext(r.Context(), "a backup was cut off", "error", err)
		panic(http.ErrAbortHandler) // so that the client sees that it is not whole
	}
	return err
}

// lateWriter notes whether an answer has begun.
type lateWriter struct {
	http.ResponseWriter
	began bool
}

func (w *lateWriter) Write(p []byte) (int, error) {
	w.began = true
	return w.ResponseWriter.Write(p)
}

// restore restores the backup that is the request's body. The body's hash is in
// the query, which is signed; so the request is authorized before any of the
// body is kept.
func (h *handler) restore(w http.ResponseWriter, r *http.Request) error {
	if err := h.Authorize(r, nil, actionRestore, h.arn("store")); err != nil {
		return err
	}
	query := r.URL.Query()
	replace, err := strconv.ParseBool(query.Get("replace"))
	if err != nil {
		return apigw.BadRequest("The query parameter replace must be true or false.")
	}
	file, err := spool(http.MaxBytesReader(w, r.Body, maxBackup), query.Get("sha256"))
	if err != nil {
		return err
	}
	defer file.remove()
	// A restore that was begun is finished, also when the client goes away.
	records, err := h.Local.Restore(context.WithoutCancel(r.Context()), file, replace)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, restoreAnswer{records})
}

// spoolFile is a temporary file, removed when the request ends.
type spoolFile struct{ *os.File }

// spool writes a body to a temporary file. It returns an error unless the body
// has the given SHA-256.
func spool(body io.Reader, sum string) (s spoolFile, err error) {
	file, err := os.CreateTemp("", "stagedoor-restore-")
	if err != nil {
		return s, err
	}
	s = spoolFile{file}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, hash), body); err != nil {
		var failed *os.PathError
		if errors.As(err, &failed) {
			return s, err
		}
		return s, apigw.BadRequest("The request's body could not be read.")
	}
	if hex.EncodeToString(hash.Sum(nil)) != sum {
		return s, apigw.BadRequest("The body does not have the SHA-256 that the query parameter sha256 has.")
	}
	_, err = file.Seek(0, io.SeekStart)
	return s, err
}

func (s spoolFile) remove() {
	_ = s.Close()
	_ = os.Remove(s.Name())
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	if err := h.Authorize(r, nil, actionList, h.arn("user/*")); err != nil {
		return err
	}
	keys, err := h.Local.AccessKeys(r.Context())
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, accessKeyList{keys})
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return apigw.BadRequest("The request's body could not be read.")
	}
	var wanted NewAccessKey
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	wrong := decoder.Decode(&wanted)
	if err := h.Authorize(r, body, actionCreate, h.arn("user/"+wanted.UserName)); err != nil {
		return err
	}
	if wrong != nil {
		return apigw.BadRequest("The request's body does not describe an access key: " + wrong.Error())
	}
	made, err := h.Local.CreateAccessKey(r.Context(), wanted)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, made)
}

func (h *handler) delete(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("accessKey")
	if err := h.Authorize(r, nil, actionDelete, h.arn("access-key/"+id)); err != nil {
		return err
	}
	if err := h.Local.DeleteAccessKey(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func answer(w http.ResponseWriter, status int, out any) error {
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a failed write means that the client has gone
	return nil
}

// answerable returns the error that a client gets for an error, and logs those
// that are not the client's mistakes.
func (h *handler) answerable(ctx context.Context, err error) *apigw.Error {
	var known *apigw.Error
	var mistake *store.BackupError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &mistake), errors.Is(err, ErrWrong):
		return apigw.BadRequest(err.Error())
	case errors.Is(err, store.ErrNotEmpty), errors.Is(err, store.ErrConflict):
		return apigw.Conflict(err.Error())
	case errors.Is(err, store.ErrNotFound):
		return apigw.NotFound("AccessKey", err.Error())
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrDamaged):
		return &apigw.Error{Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException", Message: err.Error()}
	}
	h.Log.ErrorContext(ctx, "administration", "error", err)
	return &apigw.Error{Status: http.StatusInternalServerError, Type: "InternalServerErrorException", Message: "The gateway could not do it; its log says why."}
}
