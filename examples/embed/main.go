// Command embed is a Go program with a WebSocket API: template.yaml says which
// routes there are, and a function of the program answers.
//
//	go run ./examples/embed
package main

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/stagedoor/stagedoor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, "examples/embed", "127.0.0.1:8080"); err != nil {
		log.Fatal(err)
	}
}

// message is what the program reads of an event, answer what it returns.
type message struct{ Body string }
type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

func shout(_ context.Context, m message) (answer, error) { return answer{200, m.Body + "!"}, nil }

func run(ctx context.Context, template, address string) error {
	gateway, err := stagedoor.New(stagedoor.Config{
		Template: template, Listen: address, Log: log.Writer(),
		Functions: map[string]stagedoor.Handler{"Shout": stagedoor.HandlerFor(shout)},
	})
	if err != nil {
		return err
	}
	go func() {
		<-gateway.Ready()
		log.Print("clients connect to ", gateway.StageURLs()[0])
	}()
	return gateway.Run(ctx)
}
