package mapping

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/stagedoor/stagedoor/internal/failure"
)

// contentHandling is an integration's or an integration response's
// contentHandlingStrategy.
type contentHandling int

const (
	keepContent contentHandling = iota
	// toBinary turns base64 into the bytes that it stands for, behind templates.
	toBinary
	// toText turns bytes that are no text into base64, before templates.
	toText
)

func parseContentHandling(strategy string) (contentHandling, error) {
	switch strategy {
	case "":
		return keepContent, nil
	case "CONVERT_TO_BINARY":
		return toBinary, nil
	case "CONVERT_TO_TEXT":
		return toText, nil
	}
	return 0, fmt.Errorf("contentHandlingStrategy is %q; it must be CONVERT_TO_BINARY or CONVERT_TO_TEXT", strategy)
}

// before converts what comes in, before a template sees it.
func (c contentHandling) before(body []byte, binary bool) []byte {
	if c != toText || !binary || len(body) == 0 {
		return body
	}
	return base64.StdEncoding.AppendEncode(nil, body)
}

// after converts what goes out.
func (c contentHandling) after(body []byte) ([]byte, *failure.Error) {
	if c != toBinary {
		return body, nil
	}
	decoded, err := decodeBase64(body)
	if err != nil {
		return nil, failure.New(failure.Internal, "CONVERT_TO_BINARY: the content is not base64: %w", err)
	}
	return decoded, nil
}

// decodeBase64 takes both alphabets, with and without padding and line breaks.
func decodeBase64(text []byte) ([]byte, error) {
	text = bytes.TrimRight(bytes.TrimSpace(text), "=")
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	return encoding.AppendDecode(nil, text)
}

// isBinary tells by its Content-Type whether a response is no text. One without
// is text.
func isBinary(header http.Header) bool {
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return true
	}
	switch {
	case strings.HasPrefix(kind, "text/"), parameters["charset"] != "":
		return false
	case strings.HasSuffix(kind, "+json"), strings.HasSuffix(kind, "+xml"):
		return false
	}
	switch kind {
	case "application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded",
		"application/x-ndjson", "application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/yaml":
		return false
	}
	return true
}
