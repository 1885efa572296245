package terminal_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagedoor/stagedoor/internal/terminal"
)

// openPTY returns the two ends of a pseudo-terminal: what a person would hold,
// and what the program sees.
func openPTY(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func TestScreen(t *testing.T) {
	t.Parallel()
	person, program := openPTY(t)
	shown := new(output)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		io.Copy(shown, person) // ends when the program's end closes
	}()

	client, _, _ := newClient(serve(t, echo))
	screen, err := terminal.NewScreen(program, program)
	if err != nil {
		t.Fatal(err)
	}
	client.Input = screen
	client.Wait = 0
	client.Printer = &terminal.Printer{Messages: screen, Status: screen, Terminal: true, Pretty: true}
	ended := make(chan error, 1)
	go func() { ended <- client.Run(t.Context()) }()

	const up, enter, ctrlC = "\x1b[A", "\r", "\x03"
	shown.waitFor(t, "Connected to ws://")
	io.WriteString(person, `{"n":1}`+enter)
	shown.waitFor(t, "< {\r\n  \"n\": 1\r\n}\r\n")
	io.WriteString(person, up+"2"+enter) // the line before, and one more character
	shown.waitFor(t, `< {"n":1}2`+"\r\n")
	io.WriteString(person, ctrlC)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	shown.waitFor(t, "Disconnected (code: 1000)\r\n")
	if err := screen.Close(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	<-watched
}
