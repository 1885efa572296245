package server

import (
	"io"
	"log/slog"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

const (
	// maxUnwritten is how many bytes of lines wait for a log that stands still. Nobody
	// waits for it: lines come from event loops, too.
	maxUnwritten = 1 << 20
	// logDelay is how long a line waits for others to be written with it.
	logDelay = 2 * time.Millisecond
)

// newLogger makes the log of a gateway. Its level may change while it runs. What
// clients chose is in it: it drives no terminal.
func newLogger(out io.Writer, format string, level *slog.LevelVar) *slog.Logger {
	out = terminal.EscapeControls(out)
	options := &slog.HandlerOptions{Level: level}
	if format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
