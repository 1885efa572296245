// Package chat has a test of the application in this folder: the template, its Go
// function as a process, its table.
package chat

import (
	"net/http"
	"testing"

	"github.com/stagedoor/stagedoor/stagedoortest"
)

func TestChat(t *testing.T) {
	t.Parallel()
	g := stagedoortest.Start(t, ".")
	g.ExpectRefusal("name=%01", http.StatusBadRequest)

	ada := g.Connect("name=Ada")
	ada.Send(`{"action":"join","room":"lobby"}`)
	ada.Expect(`{"type":"joined","room":"lobby","members":["Ada"]}`)

	grace := g.Connect("name=Grace")
	grace.Send(`{"action":"join","room":"lobby"}`)
	grace.Expect(`{"type":"joined","members":["Ada","Grace"]}`)
	ada.Expect(`{"type":"entered","name":"Grace"}`)

	ada.Send(`{"action":"message","text":"hello"}`)
	ada.Expect(`{"type":"message","name":"Ada","text":"hello"}`)
	grace.Expect(`{"type":"message","name":"Ada","text":"hello"}`)

	grace.Send("no JSON")
	grace.Expect(`{"type":"error"}`)
	grace.Close()
	ada.Expect(`{"type":"left","name":"Grace","members":["Ada"]}`)
}
