package terminal

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// fixedInput is an Input of given lines.
type fixedInput struct{ lines []string }

func (f *fixedInput) ReadLine() (string, error) {
	if len(f.lines) == 0 {
		return "", io.EOF
	}
	line := f.lines[0]
	f.lines = f.lines[1:]
	return line, nil
}

// PipedInput reads lines of any length from r. A last line without a line
// ending counts, empty lines are skipped.
func PipedInput(r io.Reader) Input {
	return &pipedInput{r: bufio.NewReader(r)}
}

type pipedInput struct{ r *bufio.Reader }

func (p *pipedInput) ReadLine() (string, error) {
	for {
		line, err := p.r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line != "" {
			return line, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// prompt is printed before the line that is being typed.
const prompt = "> "

// Screen is an interactive terminal. Lines can be edited, with a history, and
// text that is written appears above the line that is being typed.
type Screen struct {
	in, out *os.File
	editor  *term.Terminal
	cooked  *term.State
}

// NewScreen takes over the terminal that in and out belong to. Close restores
// it.
func NewScreen(in, out *os.File) (*Screen, error) {
	cooked, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("take over the terminal: %w", err)
	}
	editor := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, prompt)
	return &Screen{in: in, out: out, editor: editor, cooked: cooked}, nil
}

// ReadLine lets the user edit a line. Ctrl-C and Ctrl-D end the input. Empty
// lines are skipped.
func (s *Screen) ReadLine() (string, error) {
	for {
		if width, height, err := term.GetSize(int(s.out.Fd())); err == nil && width > 0 {
			if err := s.editor.SetSize(width, height); err != nil {
				return "", err
			}
		}
		line, err := s.editor.ReadLine()
		if err != nil || line != "" {
			return line, err
		}
	}
}

// Write prints text above the line that is being typed.
func (s *Screen) Write(p []byte) (int, error) { return s.editor.Write(p) }

// Close removes the prompt and restores the terminal.
func (s *Screen) Close() error {
	fmt.Fprint(s.out, "\r\x1b[K")
	return term.Restore(int(s.in.Fd()), s.cooked)
}
