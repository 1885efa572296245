package server

import (
	"context"
	"errors"
	"fmt"
)

// alive asks what the gateway lives by: the event loops, the accept loop of every
// port, and the watches of the store. The error names what did not answer until
// ctx ended. A gateway that stops is alive: that has its own time.
func (s *Server) alive(ctx context.Context) error {
	if s.health.isStopping() {
		return nil
	}
	var hanging []error
	if err := s.engine.Alive(ctx); err != nil {
		hanging = append(hanging, err)
	}
	for _, port := range s.public.servers {
		if err := port.Alive(ctx); err != nil {
			hanging = append(hanging, fmt.Errorf("the public port: %w", err))
		}
	}
	if err := s.admin.Alive(ctx); err != nil {
		hanging = append(hanging, fmt.Errorf("the admin port: %w", err))
	}
	if err := s.store.records.Alive(); err != nil {
		hanging = append(hanging, fmt.Errorf("the store: %w", err))
	}
	if s.health.isStopping() {
		return nil // began meanwhile, and closed the ports
	}
	return errors.Join(hanging...)
}
