package stagedoor

import (
	"io"
	"log/slog"

	"github.com/stagedoor/stagedoor/internal/config"
)

// newLogger makes the log of a gateway. Its level may change while it runs.
func newLogger(out io.Writer, format string, level *slog.LevelVar) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
