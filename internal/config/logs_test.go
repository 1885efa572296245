package config

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/logsink"
)

// Where logs go, with what is not written filled in.
func TestLogs(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
logs:
  access:
    - destination: arn:aws:logs:*:*:log-group:chat*   # the first that fits
      file: chat.log
    - {destination: "*", syslog: {address: tcp://logs.example, facility: user}}
    - {destination: "*", syslog: {}}
    - {destination: "*", stdout: true}
  execution:
    otlp: true
`)
	c, _, err := Load(Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	want := Logs{
		Access: []logsink.Rule{
			{Destination: "arn:aws:logs:*:*:log-group:chat*", Place: logsink.Place{File: filepath.Join(filepath.Dir(file), "chat.log")}},
			{Destination: "*", Place: logsink.Place{Syslog: logsink.Syslog{Daemon: logsink.Daemon{Network: "tcp", Address: "logs.example:514"}, Facility: 1, App: "stagedoor"}}},
			{Destination: "*", Place: logsink.Place{Syslog: logsink.Syslog{Daemon: logsink.Daemon{Network: "unix", Address: "/dev/log"}, Facility: 16, App: "stagedoor"}}},
			{Destination: "*", Place: logsink.Place{Stdout: true}},
		},
		Execution: logsink.Place{OTLP: true},
	}
	if diff := cmp.Diff(want, c.Logs); diff != "" {
		t.Error(diff)
	}

	c, _, err = Load(Options{Environ: []string{"STAGEDOOR_LOGS_EXECUTION_SYSLOG_ADDRESS=udp://[::1]:5140"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Logs.Execution.Syslog; got.Address != "[::1]:5140" || got.Facility != 16 {
		t.Errorf("from the environment: %+v", got)
	}
}
