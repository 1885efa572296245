package server

import (
	"io"
	"log/slog"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/terminal"
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
