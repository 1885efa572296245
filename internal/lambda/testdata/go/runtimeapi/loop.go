// Package runtimeapi is the loop that a custom runtime runs.
package runtimeapi

import (
	"bytes"
	"io"
	"net/http"
	"os"
)

// Root is the address of the Runtime API.
func Root() string { return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime" }

// Run answers invocations with what handle returns.
func Run(handle func(payload []byte) string) {
	for {
		id, payload := Next()
		Post("/invocation/"+id+"/response", handle(payload))
	}
}

// Next waits for an invocation.
func Next() (id string, payload []byte) {
	response, err := http.Get(Root() + "/invocation/next")
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	payload, err = io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	return response.Header.Get("Lambda-Runtime-Aws-Request-Id"), payload
}

// Post sends a body and returns the status and the body of the answer.
func Post(path, body string) (int, string) {
	response, err := http.Post(Root()+path, "application/json", bytes.NewBufferString(body))
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	return response.StatusCode, string(answer)
}
