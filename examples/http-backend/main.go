// Command http-backend is a backend of WebSocket clients that knows plain HTTP
// alone.
//
//	go run ./examples/http-backend
//	stagedoor dev http://localhost:8000
//	stagedoor connect ws://localhost:8080/ -x hello -x push
package main

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

var gateway = cmp.Or(os.Getenv("GATEWAY"), "http://127.0.0.1:8080")

func main() {
	port := cmp.Or(os.Getenv("PORT"), "8000")
	http.HandleFunc("POST /", handle)
	fmt.Println("waits on port " + port)
	log.Fatal(http.ListenAndServe(net.JoinHostPort("127.0.0.1", port), nil))
}

// handle answers one event.
func handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text, client := string(body), r.Header.Get("X-Connection-Id")
	if r.Header.Get("X-Stagedoor-Event") != "message" { // connect or disconnect
		return // with 200, which lets the client in
	}
	if text == "push" {
		if err := push(client, "pushed to you"); err != nil {
			log.Print(err)
		}
	}
	_, _ = fmt.Fprint(w, "you said "+text)
}

// push sends a text to a client: from anywhere, at any time.
func push(client, text string) error {
	answer, err := http.Post(gateway+"/@connections/"+client, "text/plain", strings.NewReader(text))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", client, answer.Status) // 410: the client has gone
	}
	return nil
}
