package stagedoor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor"
)

// A gateway runs an application whose function is Go code of the program, until
// its context ends.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shout := func(_ context.Context, event struct{ Body string }) (map[string]any, error) {
		return map[string]any{"statusCode": 200, "body": event.Body + "!"}, nil
	}
	gateway, err := stagedoor.New(stagedoor.Config{
		Template:  "examples/embed/template.yaml",
		Functions: map[string]stagedoor.Handler{"Shout": stagedoor.HandlerFor(shout)},
	})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	select {
	case <-gateway.Ready():
	case err := <-ended:
		log.Fatal(err)
	}

	conn, _, err := websocket.Dial(ctx, gateway.StageURLs()[0], nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer))
	cancel()
	fmt.Println(<-ended)
	// Output:
	// hello!
	// <nil>
}

// A gateway without a template is what "stagedoor serve" runs: its APIs come
// through the control plane, at AdminURL. This one keeps them in memory.
func ExampleConfig() {
	gateway, err := stagedoor.New(stagedoor.Config{InMemory: true, Open: true})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx) }()
	<-gateway.Ready()
	fmt.Println(gateway.URL() != "", gateway.AdminURL() != "")
	cancel()
	fmt.Println(<-ended)
	// Output:
	// true true
	// <nil>
}

// A handler that lambda.Start takes becomes one of a gateway.
func ExampleHandlerFor() {
	greet := func(_ context.Context, event struct{ Name string }) (string, error) {
		if event.Name == "" {
			return "", fmt.Errorf("nobody is named")
		}
		return "hello, " + event.Name, nil
	}
	handler := stagedoor.HandlerFor(greet)
	answer, err := handler(context.Background(), json.RawMessage(`{"name": "Ada"}`))
	fmt.Println(string(answer), err)
	_, err = handler(context.Background(), json.RawMessage(`{}`))
	fmt.Println(err)
	// Output:
	// "hello, Ada" <nil>
	// nobody is named
}
