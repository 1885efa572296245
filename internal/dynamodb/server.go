package dynamodb

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	targetPrefix = "DynamoDB_20120810."
	maxBody      = 16 << 20 // bytes of a request
)

// Server is a DynamoDB in memory. It starts no goroutines and need not be
// closed. It is safe for concurrent use.
type Server struct {
	// Log gets faults of the server itself. nil stands for slog.Default(). It
	// must be set before the first request.
	Log *slog.Logger

	mu     sync.Mutex // guards what follows
	tables map[string]*table
}

// New makes a server without tables.
func New() *Server { return &Server{tables: map[string]*table{}} }

// EnsureTable makes sure that a table exists. definition is CreateTable's input
// in JSON; members that have no effect here are ignored. ttlAttribute is the
// name of the attribute that has an item's expiry in Unix seconds; with ""
// items do not expire.
//
// It may be called again with another definition of the same table: global
// indexes and the expiry attribute are changed in place and the items stay; a
// change of the table's key, or of a local index, replaces the table by an
// empty one, as CloudFormation does.
func (s *Server) EnsureTable(definition []byte, ttlAttribute string) error {
	var input tableInput
	if err := json.Unmarshal(definition, &input); err != nil {
		return fmt.Errorf("definition of a DynamoDB table: %w", err)
	}
	t, err := newTable(input)
	if err != nil {
		return fmt.Errorf("DynamoDB table %s: %w", input.TableName, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.tables[t.name]; old != nil && old.sameKeys(t) {
		t.adopt(old)
	}
	t.setTTL(ttlAttribute)
	s.tables[t.name] = t
	return nil
}

// ServeHTTP answers one request of the DynamoDB JSON 1.0 protocol. Signatures
// are not checked.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, err := s.answer(w, r)
	status := http.StatusOK
	if err != nil {
		status, result = errorBody(err)
	}
	body, err := json.Marshal(result)
	if err != nil {
		s.log().Error("DynamoDB: answer", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"__type":"`+modelSpace+`InternalServerError"}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Amzn-RequestId", rand.Text()+rand.Text())
	header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	w.WriteHeader(status)
	// A failed write means that the client has gone.
	_, _ = w.Write(body)
}

// answer runs the operation that the request names. After a panic, a fault of
// the server, the client gets an error in DynamoDB's form, and the stack is
// logged.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (result any, err error) {
	name, known := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	defer func() {
		if fault := recover(); fault != nil {
			s.log().Error("DynamoDB: fault", "operation", name, "fault", fault, "stack", string(debug.Stack()))
			err = &apiError{status: http.StatusInternalServerError, kind: modelSpace + "InternalServerError", message: "The request processing has failed because of an unknown error, exception or failure."}
		}
	}()
	if r.Method != http.MethodPost || !known {
		return nil, unknownOperation("")
	}
	run, known := operations[name]
	if !known {
		return nil, unknownOperation(fmt.Sprintf("The built-in DynamoDB of stagedoor dev does not have the operation %q. %s", clip(name), realOnes))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, &apiError{status: http.StatusRequestEntityTooLarge, kind: serviceSpace + "RequestEntityTooLargeException", message: "Request is larger than 16 MB"}
		}
		return nil, serialization(err.Error())
	}
	return run(s, body)
}

func (s *Server) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}

func errorBody(err error) (status int, body any) {
	failed, ok := errors.AsType[*apiError](err)
	if !ok {
		failed = serialization(err.Error())
	}
	members := map[string]any{"__type": failed.kind, "message": failed.message}
	if failed.item != nil {
		members["Item"] = failed.item
	}
	if failed.reasons != nil {
		members["Message"] = failed.message
		members["CancellationReasons"] = failed.reasons
		delete(members, "message")
	}
	return failed.status, members
}

// operations are the operations by the names in X-Amz-Target.
var operations = map[string]func(*Server, []byte) (any, error){
	"BatchGetItem":       operation((*Server).batchGetItem),
	"BatchWriteItem":     operation((*Server).batchWriteItem),
	"CreateTable":        operation((*Server).createTable),
	"DeleteItem":         operation((*Server).deleteItem),
	"DeleteTable":        operation((*Server).deleteTable),
	"DescribeTable":      operation((*Server).describeTable),
	"DescribeTimeToLive": operation((*Server).describeTimeToLive),
	"GetItem":            operation((*Server).getItem),
	"ListTables":         operation((*Server).listTables),
	"PutItem":            operation((*Server).putItem),
	"Query":              operation((*Server).query),
	"Scan":               operation((*Server).scan),
	"TransactGetItems":   operation((*Server).transactGetItems),
	"TransactWriteItems": operation((*Server).transactWriteItems),
	"UpdateItem":         operation((*Server).updateItem),
	"UpdateTable":        operation((*Server).updateTable),
	"UpdateTimeToLive":   operation((*Server).updateTimeToLive),
}

// operation returns a function that reads an operation's input and runs it with
// Server.mu held. The result may be used without the lock: it shares values
// with the tables, and these do not change.
func operation[Input any](run func(*Server, *Input) (any, error)) func(*Server, []byte) (any, error) {
	return func(s *Server, body []byte) (any, error) {
		input := new(Input)
		if err := json.Unmarshal(body, input); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return run(s, input)
	}
}

// table returns a table, without the items that have expired. It takes the ARN
// of a table as well as its name.
func (s *Server) table(name string) (*table, error) {
	if name == "" {
		return nil, validation("The parameter 'TableName' is required but was not present in the request")
	}
	if strings.HasPrefix(name, "arn:") {
		_, name, _ = strings.Cut(name, ":table/")
	}
	t := s.tables[name]
	if t == nil {
		return nil, notFound("Requested resource not found: Table: %s not found", name)
	}
	t.expire(time.Now())
	return t, nil
}
