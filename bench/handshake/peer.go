//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	coderwebsocket "github.com/coder/websocket"
	gorillawebsocket "github.com/gorilla/websocket"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// peerCommand makes this program a peer. It is followed by the peer's name, the address
// to listen on, and the URL of a backend, "-" for none.
const peerCommand = "peer"

// Names of the peers.
const (
	gorilla = "gorilla/websocket"
	coder   = "coder/websocket"
)

func startPeer(ctx context.Context, l *lab.Lab, name, backend string) (*process.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	if backend == "" {
		backend = "-"
	}
	return l.Start(ctx, process.Spec{Name: "peer", Command: []string{self, peerCommand, name, address, backend}, Address: address})
}

// runPeer accepts WebSocket connections, and reads them until they end. A backend is
// asked before, and accepts by answering 200.
func runPeer(name, address, backend string) error {
	accept := acceptGorilla
	if name == coder {
		accept = acceptCoder
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}, Timeout: time.Minute}
	server := &http.Server{
		Addr: address,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if backend != "-" {
				if err := ask(client, backend); err != nil {
					http.Error(w, err.Error(), http.StatusForbidden)
					return
				}
			}
			accept(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients leave without a goodbye
	}
	return server.ListenAndServe()
}

func ask(client *http.Client, backend string) error {
	answer, err := client.Post(backend, "application/json", http.NoBody)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the backend answers %s", answer.Status)
	}
	return nil
}

func acceptGorilla(w http.ResponseWriter, r *http.Request) {
	upgrader := gorillawebsocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it was answered
	}
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	_ = conn.Close() // the client is gone
}

func acceptCoder(w http.ResponseWriter, r *http.Request) {
	conn, err := coderwebsocket.Accept(w, r, &coderwebsocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // it was answered
	}
	defer conn.CloseNow()
	for err == nil {
		_, _, err = conn.Read(context.Background())
	}
}
