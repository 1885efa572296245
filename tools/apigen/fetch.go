package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// botocore is the version of AWS's Python SDK whose models are used. A new version
// changes the checksums of targets.go.
const botocore = "1.43.11"

// published is where AWS publishes the models: the data folder of botocore.
const published = "https://raw.githubusercontent.com/boto/botocore/" + botocore + "/botocore/data"

// maxModel is the size of the largest model that is read, in bytes.
const maxModel = 16 << 20

// source is a model in the data folder of botocore.
type source struct {
	path   string // with slashes
	sha256 string // in hexadecimal, of the version that is pinned
}

// fetch returns the text of a model that is published below a URL. It is an error
// where it has not the pinned checksum.
func (s source) fetch(ctx context.Context, base string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/"+s.path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxModel))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", request.URL, err)
	}
	if sum := checksum(text); sum != s.sha256 {
		return nil, fmt.Errorf("%s has the SHA-256 %s, want %s", request.URL, sum, s.sha256)
	}
	return text, nil
}

// read returns the text of a model in a folder like botocore's data, where it may be
// compressed with gzip, as in the packages of botocore.
func (s source) read(folder string) ([]byte, error) {
	name := filepath.Join(folder, filepath.FromSlash(s.path))
	text, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	packed, err := os.ReadFile(name + ".gz")
	if err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%s.gz: %w", name, err)
	}
	if text, err = io.ReadAll(io.LimitReader(reader, maxModel)); err != nil {
		return nil, fmt.Errorf("%s.gz: %w", name, err)
	}
	return text, nil
}

func checksum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
