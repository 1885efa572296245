package server

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/shortfile"
)

// reload opens the files of logs anew, reads the configuration again and puts into effect
// what can change while the gateway runs. With a mistake in it, all stays as it is.
func (s *Server) reload(ctx context.Context) {
	s.logs.Reopen()
	next, warnings, err := config.Load(s.options.Source)
	if err != nil {
		s.log.Error("the configuration was not taken; what ran before goes on", "error", err)
		return
	}
	if s.config.APIs != nil && next.APIs == nil {
		next.APIs = &shortfile.File{Name: s.config.APIs.Name} // they were taken out
	}
	loaded, err := loadFile(next, s.options.Handlers)
	if err != nil {
		s.log.Error("the configuration was not taken; what ran before goes on", "error", err)
		return
	}
	for _, warning := range warnings {
		s.log.Warn(warning)
	}
	if err := s.access.use(next.Credentials); err != nil {
		s.log.Error("the credentials were not taken; those from before stay", "error", err)
		next.Credentials = s.config.Credentials
	}
	if err := s.certificates.use(next.TLS.Certificates); err != nil {
		s.log.Error("the certificates were not taken; those from before stay", "error", err)
		next.TLS.Certificates = s.config.TLS.Certificates
	}
	if err := s.metrics.use(next.Metrics.Token); err != nil {
		s.log.Error("the token of metrics was not taken; the one from before stays", "error", err)
	}
	s.level.Set(next.Log.Level)
	s.events.setShown(next.Log.Events)
	s.backends.Functions.SetEndpoints(next.Functions)
	if next.Limits.Each != s.config.Limits.Each {
		s.rollout.setLimits(next.Limits.Each)
	}
	if err := s.useFunctions(loaded); err != nil {
		s.log.Error("functions of the configuration do not run", "error", err)
	}
	s.file.setFrom(next)
	s.file.want(ctx, loaded)
	changes := s.config.Changes(next)
	for _, change := range changes {
		if change.Live {
			s.log.Info("the change is in effect", "key", change.Key)
		} else {
			s.log.Warn("the change takes effect at the next restart", "key", change.Key)
		}
	}
	s.log.Info("the configuration was read again", "changes", len(changes))
	s.config.TakeLive(next)
}
