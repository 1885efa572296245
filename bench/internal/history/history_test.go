package history

import (
	"fmt"
	"strings"
	"testing"
)

// Every kind of history that must not be is found, and one that is well is not.
func TestViolations(t *testing.T) {
	t.Parallel()
	answer := func(name string) string { return fmt.Sprintf(`{"id":%q}`, name) }
	failure := func(id string) string {
		return fmt.Sprintf(`{"message": "Internal server error", "connectionId":%q, "requestId":"r"}`, id)
	}
	push := func(name string) string { return fmt.Sprintf(`{"push":%q}`, name) }
	for name, test := range map[string]struct {
		happens func(l *Log, c *Connection)
		want    string
	}{
		"all is well": {func(l *Log, c *Connection) {
			a, b := c.Send(), c.Send()
			c.Received(answer(b))
			c.Received(answer(a))
			c.Send()
			c.Received(failure("id"))
			l.Push("p")
			c.Received(push("p"))
			l.Disconnected("id")
		}, ""},
		"two answers": {func(_ *Log, c *Connection) {
			a := c.Send()
			c.Send()
			c.Received(answer(a))
			c.Received(answer(a))
		}, "a second answer to c#0"},
		"too many answers": {func(_ *Log, c *Connection) {
			c.Received(answer(c.Send()))
			c.Received(failure("id"))
		}, "2 answers to 1 messages"},
		"somebody else's answer": {func(_ *Log, c *Connection) {
			c.Send()
			c.Received(answer("d#0"))
		}, "got the answer to d#0"},
		"an answer to nothing":    {func(_ *Log, c *Connection) { c.Received(answer("c#0")) }, "which was not sent"},
		"somebody else's error":   {func(_ *Log, c *Connection) { c.Send(); c.Received(failure("other")) }, "an answer or error of other"},
		"something else":          {func(_ *Log, c *Connection) { c.Received("hello") }, `got "hello"`},
		"a push that nobody made": {func(_ *Log, c *Connection) { c.Received(push("p")) }, "which was not made"},
		"a doubled push": {func(l *Log, c *Connection) {
			l.Push("p")
			c.Received(push("p"))
			c.Received(push("p"))
		}, "the push p came again"},
		"somebody else's push": {func(l *Log, c *Connection) {
			l.Disconnected("id")
			l.Connected("d", "other")
			l.Push("p")
			c.Received(push("p"))
		}, "which was for other"},
		"two $disconnect":       {func(l *Log, _ *Connection) { l.Disconnected("id"); l.Disconnected("id") }, "2 $disconnect"},
		"a foreign $disconnect": {func(l *Log, _ *Connection) { l.Disconnected("other") }, "which had no $connect"},
		"an id again":           {func(l *Log, _ *Connection) { l.Connected("d", "id") }, "the id id is that of c"},
		"two $connect":          {func(l *Log, _ *Connection) { l.Connected("c", "other") }, "a second $connect"},
		"no $connect":           {func(l *Log, _ *Connection) { l.Open("d", false) }, "open without a $connect"},
	} {
		l := &Log{}
		l.Connected("c", "id")
		test.happens(l, l.Open("c", false))
		got := strings.Join(l.Violations(), "\n")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for ordered, want := range map[bool]int{true: 1, false: 0} {
		l := &Log{}
		l.Connected("c", "id")
		c := l.Open("c", ordered)
		a, b := c.Send(), c.Send()
		c.Received(`{"id":"` + b + `"}`)
		c.Received(`{"id":"` + a + `"}`)
		if got := l.Violations(); len(got) != want {
			t.Errorf("ordered %t: %q", ordered, got)
		}
	}
}

// Every connection owes a $disconnect, unless the gateway was killed.
func TestOwed(t *testing.T) {
	t.Parallel()
	l := &Log{}
	l.Connected("before", "1")
	l.Killed()
	l.Connected("in its shadow", "2")
	l.killed = l.killed.Add(-killShadow)
	l.Connected("after", "3")
	l.Connected("gone", "4")
	l.Disconnected("4")
	if owed := l.Owed(); len(owed) != 1 || owed[0] != "after (3)" {
		t.Errorf("owed: %q", owed)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	r := &Register{Name: "x"}
	r.Answered(r.Attempt())
	r.Attempt()
	for number, ok := range map[int]bool{0: false, 1: true, 2: true, 3: false} {
		if err := r.Read(number); (err == nil) != ok {
			t.Errorf("%d: %v", number, err)
		}
	}
}
