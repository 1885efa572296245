package server

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/template"
)

// startHandlers makes what calls the functions that are Go code of this process.
func (s *Server) startHandlers() {
	if len(s.options.Handlers) == 0 {
		return
	}
	s.handlers = lambda.NewHost(lambda.Options{
		Region: s.config.Region, AccountID: s.config.Account, CacheDir: s.config.Data, Log: s.functionLine,
	})
	s.handlers.Update(s.options.Handlers.Functions(nil))
	s.backends.functions.here = s.handlers
}

// describeHandlers takes what an application says of these functions.
func (s *Server) describeHandlers(app *template.Application) {
	if s.handlers != nil {
		s.handlers.Update(s.options.Handlers.Functions(app.Functions))
	}
}

// stopHandlers ends these functions. Nobody calls them any more.
func (s *Server) stopHandlers(ctx context.Context) error {
	if s.handlers == nil {
		return nil
	}
	return s.handlers.Close(ctx)
}
