package main

import (
	"bufio"
	"context"
	"io"
	"log"
	"regexp"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor"
	"github.com/stagedoor/stagedoor/stagedoortest"
)

// The program serves a client, and ends when it is told to.
func TestEmbed(t *testing.T) {
	output, input := io.Pipe()
	log.SetOutput(input)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, ".", "127.0.0.1:0")
		_ = input.CloseWithError(io.EOF)
		ended <- err
	}()
	lines, printed := bufio.NewScanner(output), ""
	url := ""
	for url == "" && lines.Scan() {
		printed += lines.Text() + "\n"
		url = regexp.MustCompile(`ws://\S+`).FindString(lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, output) }()
	if url == "" {
		t.Fatalf("it tells no URL: %v; it prints:\n%s", <-ended, printed)
	}
	conn, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.Read(t.Context()); err != nil || string(text) != "hello!" {
		t.Errorf("received %q, %v", text, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The template with the program's function, as a test of one's own has it.
func TestTemplate(t *testing.T) {
	c := stagedoortest.Start(t, ".", stagedoortest.Function("Shout", stagedoor.HandlerFor(shout))).Connect("")
	c.Send("hello")
	c.Expect("hello!")
}
