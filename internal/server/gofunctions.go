package server

import (
	"context"
	"log/slog"

	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/template"
)

// goFunctions are the functions that are Go code of this process.
type goFunctions struct {
	handlers backends.Handlers
	host     *lambda.Host // nil: there are none
	log      *slog.Logger
}

func newGoFunctions(c *config.Config, handlers backends.Handlers, log *slog.Logger) *goFunctions {
	g := &goFunctions{handlers: handlers, log: log}
	if len(handlers) == 0 {
		return g
	}
	g.host = lambda.NewHost(lambda.Options{Region: c.Region, AccountID: c.Account, CacheDir: c.Data, Log: logLines(log)})
	g.host.Update(handlers.Functions(nil))
	return g
}

// use takes what an application says of these functions. A nil one changes
// nothing.
func (g *goFunctions) use(app *template.Application) {
	if g.host != nil && app != nil {
		g.host.Update(g.handlers.Functions(app.Functions))
	}
}

// invoker returns what calls these functions; nil where there are none.
func (g *goFunctions) invoker() lambda.Invoker {
	if g.host == nil {
		return nil
	}
	return g.host
}

// close ends these functions. Nobody calls them any more.
func (g *goFunctions) close(ctx context.Context) {
	if g.host == nil {
		return
	}
	if err := g.host.Close(ctx); err != nil {
		g.log.Warn("functions were ended while they ran", "error", err)
	}
}
