package dev

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watch puts the template into effect again whenever it, or what its path and
// those of the code lead to, changes, until ctx ends.
func (s *Server) watch(ctx context.Context) {
	if s.template == nil {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-s.template.changes.Events:
			if event.Op == fsnotify.Chmod {
				continue
			}
			if event.Has(fsnotify.Rename) || event.Has(fsnotify.Remove) {
				s.template.watch(s.template.seen.Load().folders) // one that was moved is watched no more, nor what took its place
			}
			if s.template.has(filepath.Clean(event.Name)) || !s.snapshot().same(s.template.seen.Load()) {
				timer.Reset(settle)
			}
		case err := <-s.template.changes.Errors:
			s.config.Reporter.Rejected(err)
		case <-timer.C:
			seen := s.snapshot()
			s.reload()
			s.template.watchFor(s.snapshot()) // the template may name other folders now
			if !s.snapshot().same(seen) {     // also while it was not watched yet
				timer.Reset(settle)
			}
		}
	}
}

// reload reads the template and puts it into effect. With a mistake in it, what ran
// before goes on.
func (s *Server) reload() {
	loaded, err := s.load()
	if err != nil {
		s.config.Reporter.Rejected(err)
		return
	}
	described, err := s.apply(loaded)
	if err != nil {
		s.config.Reporter.Rejected(err)
		return
	}
	s.functions.Prepare()
	s.config.Reporter.Reloaded(described)
	s.noticeRestart()
}

// noticeRestart says so when something beside the APIs has changed that is taken
// at the start alone.
func (s *Server) noticeRestart() {
	next, err := s.source.Config(os.Environ())
	if next == nil || err != nil {
		return // a mistake was told
	}
	if !reflect.DeepEqual(Config{}.with(s.file), Config{}.with(next)) {
		s.config.Reporter.Output(LogLine{Notice: true, Text: "what has changed beside the apis takes effect with the next start"})
	}
	s.file = next
}
