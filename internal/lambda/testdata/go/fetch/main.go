package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"

	"example.com/functions/runtimeapi"
)

func main() { runtimeapi.Run(fetch) }

func fetch([]byte) string {
	response, err := http.Get(os.Getenv("URL"))
	if err != nil {
		return quote(err.Error())
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return quote(err.Error())
	}
	return quote(string(body))
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
