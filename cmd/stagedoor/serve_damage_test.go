//go:build unix

package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// filledWith makes a data folder with APIs of two stages each, and a backup of
// it.
func filledWith(t *testing.T, ids ...string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	opened, err := store.Open(t.Context(), store.Options{Dir: folder, BackupKeep: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	c := store.NewConfiguration(opened, nil)
	for _, id := range ids {
		api := &apigw.API{
			ApiId: id, Name: id, ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
			Routes:       []*apigw.Route{{RouteId: "r1", RouteKey: "$default", Target: "integrations/i1"}},
			Integrations: []*apigw.Integration{{IntegrationId: "i1", IntegrationType: apigw.IntegrationMock}},
		}
		_, err := c.APIs.Put(t.Context(), api, 0)
		for _, stage := range []string{"dev", "prod"} {
			_, errDeployment := c.Deployments.Put(t.Context(), &apigw.Deployment{DeploymentId: "d" + stage, API: api}, 0)
			_, errStage := c.Stages.Put(t.Context(), &apigw.Stage{ApiId: id, StageName: stage, DeploymentId: "d" + stage}, 0)
			err = errors.Join(err, errDeployment, errStage)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// blockOf is the file in which a data folder keeps its records.
func blockOf(folder string) string {
	return filepath.Join(folder, "nats", "jetstream", "$G", "streams", "KV_stagedoor", "msgs", "1.blk")
}

// damage changes a bit in the value of a record.
func damage(t *testing.T, folder, key string) {
	t.Helper()
	text, err := os.ReadFile(blockOf(folder))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := bytes.Cut(text, []byte("$KV.stagedoor."+key))
	at := len(text) - len(after) + bytes.Index(after, []byte(`"value"`)) + 2
	if !found {
		t.Fatalf("there is no %s", key)
	}
	text[at] ^= 4
	if err := os.WriteFile(blockOf(folder), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// served says which stages of APIs are served.
func (p *program) served(ids ...string) string {
	p.t.Helper()
	var served []string
	for _, id := range ids {
		for _, stage := range []string{"dev", "prod"} {
			if status, _ := request(p.t, "GET", p.Public+"/_aws/execute-api/"+id+"/"+stage, ""); status == http.StatusUpgradeRequired {
				served = append(served, id+"/"+stage)
			}
		}
	}
	return strings.Join(served, " ")
}

func (p *program) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		p.t.Errorf("the program ended with %v; its log:\n%s", err, p.log)
	}
}

// A gateway whose store is damaged says what is, serves what is whole and takes
// changes of it, and nothing of what is not: an API is served whole or not at
// all. --repair brings back what there was, and keeps the damaged files.
func TestServeDamaged(t *testing.T) {
	t.Parallel()
	ids := []string{"apione1111", "apitwo2222", "apithree33", "apifour444"}
	folder := filledWith(t, ids...)
	damage(t, folder, "deployment.apitwo2222.dprod")
	damage(t, folder, "stage.apithree33.dev")
	damage(t, folder, "api.apifour444")
	damaged, err := os.ReadFile(blockOf(folder))
	if err != nil {
		t.Fatal(err)
	}

	for range 2 { // it stays so until somebody decides
		p := start(t, nil, "--data", folder, "--open")
		if got := p.served(ids...); got != "apione1111/dev apione1111/prod" {
			t.Errorf("served are %s", got)
		}
		const keys = `"damaged":["api.apifour444","deployment.apitwo2222.dprod","stage.apithree33.dev"]`
		if status, body := request(t, "GET", p.Admin+"/readyz", ""); status != 200 || !strings.Contains(body, `"status":"ready","store":"damaged",`+keys) {
			t.Errorf("/readyz: %d %s", status, body)
		}
		for _, text := range []string{`"key":"api.apifour444"`, `"key":"deployment.apitwo2222.dprod"`, `"key":"stage.apithree33.dev"`, "serve --repair", ".backup"} {
			p.log.await(t, text)
		}
		change := func(path, body string) (int, string) {
			return request(t, "PATCH", p.Admin+"/v2/apis/"+path, body)
		}
		if status, body := change("apione1111", `{"description":"changed"}`); status != 200 {
			t.Errorf("a change of what is whole: %d %s", status, body)
		}
		for path, key := range map[string]string{"apifour444": "api.apifour444", "apithree33/stages/dev": "stage.apithree33.dev"} {
			status, body := change(path, `{"description":"changed"}`)
			if status != 503 || !strings.Contains(body, key) || !strings.Contains(body, "it is damaged in the store; stagedoor serve --repair") {
				t.Errorf("a change of what is damaged: %d %s", status, body)
			}
			if status, body = request(t, "DELETE", p.Admin+"/v2/apis/"+path, ""); status != 503 {
				t.Errorf("its removal: %d %s", status, body)
			}
		}
		p.stop()
	}
	if now, err := os.ReadFile(blockOf(folder)); err != nil || !bytes.Equal(now, damaged) {
		t.Errorf("the damaged files were changed: %v", err)
	}
	got := tool(t, nil, "", "backup", filepath.Join(t.TempDir(), "backup"), "--data", folder)
	if got.code != exitFailure || !strings.Contains(got.stderr, "is damaged: api.apifour444 (") || !strings.Contains(got.stderr, "stagedoor serve --repair") {
		t.Errorf("a backup of it: %+v", got)
	}

	p := start(t, nil, "--data", folder, "--open", "--repair")
	if got := p.served(ids...); strings.Count(got, "/") != 2*len(ids) {
		t.Errorf("repaired, served are %s; the log:\n%s", got, p.log)
	}
	if status, body := request(t, "GET", p.Admin+"/readyz", ""); status != 200 || !strings.Contains(body, `"store":"available"}`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if _, body := request(t, "GET", p.Admin+"/v2/apis/apione1111", ""); !strings.Contains(body, `"description":"changed"`) {
		t.Errorf("what was written meanwhile is lost: %s", body)
	}
	p.stop()
	aside, _ := filepath.Glob(filepath.Join(folder, "damaged-*"))
	if len(aside) != 1 {
		t.Fatalf("kept aside: %v", aside)
	}
	if kept, err := os.ReadFile(blockOf(aside[0])); err != nil || !bytes.Equal(kept, damaged) {
		t.Errorf("the damaged files are not what they were: %v", err)
	}
	p = start(t, nil, "--data", folder, "--open")
	if got := p.served(ids...); strings.Count(got, "/") != 2*len(ids) {
		t.Errorf("after a restart, served are %s", got)
	}
	p.stop()
}

// A backup of one's own takes the place of a damaged store as well.
func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	folder := filledWith(t, "apione1111", "apitwo2222")
	file := filepath.Join(t.TempDir(), "backup")
	must(t, nil, "", "backup", file, "--data", folder)
	damage(t, folder, "api.apione1111")
	if got := tool(t, nil, "", "restore", file, "--data", folder); got.code != exitFailure || !strings.Contains(got.stderr, "is damaged: api.apione1111") {
		t.Errorf("without --replace: %+v", got)
	}
	must(t, nil, "", "restore", "--replace", file, "--data", folder)
	p := start(t, nil, "--data", folder)
	if got := p.served("apione1111", "apitwo2222"); strings.Count(got, "/") != 4 {
		t.Errorf("served are %s; the log:\n%s", got, p.log)
	}
	if aside, _ := filepath.Glob(filepath.Join(folder, "damaged-*", "nats")); len(aside) != 1 {
		t.Errorf("kept aside: %v", aside)
	}
}

// A store whose files are gone is known by its backups, wherever these are: a
// command makes no empty one in its place.
func TestCommandsOnAStoreThatIsGone(t *testing.T) {
	t.Parallel()
	folder := filledWith(t, "apione1111")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	err := errors.Join(
		os.Rename(filepath.Join(folder, "backups"), elsewhere), os.RemoveAll(filepath.Join(folder, "nats")),
		os.WriteFile(file, []byte("data: "+folder+"\nbackup: {dir: "+elsewhere+"}\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	got := tool(t, nil, "", "credentials", "create", "admin", "--config", file)
	if got.code != exitFailure || !strings.Contains(got.stderr, "is damaged: api.apione1111 (the store has no files, and ") || !strings.Contains(got.stderr, "the newest is "+elsewhere) {
		t.Errorf("%+v", got)
	}
	p := start(t, nil, "--config", file, "--repair")
	if got := p.served("apione1111"); strings.Count(got, "/") != 2 {
		t.Errorf("repaired, served are %s; the log:\n%s", got, p.log)
	}
	p.stop()
}

// Whatever the files of the store are, SIGTERM ends a gateway that is not ready.
func TestServeStoreHangs(t *testing.T) {
	t.Parallel()
	folder := filledWith(t, "apione1111")
	index := filepath.Join(filepath.Dir(blockOf(folder)), "index.db")
	if err := errors.Join(os.Remove(index), syscall.Mkfifo(index, 0o600)); err != nil {
		t.Fatal(err)
	}
	log := &logFile{}
	c := exec.Command(os.Args[0], "serve", "--data", folder)
	c.Env = append(os.Environ(), asProgram+"=1", "STAGEDOOR_LISTEN=127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0", "STAGEDOOR_LOG_LEVEL=debug")
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, command: c, log: log, exited: make(chan error, 1)}
	go func() { p.exited <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		p.wait()
	})
	log.await(t, "Starting restore for stream")
	p.stop()
	if strings.Contains(log.String(), "msg=ready") {
		t.Errorf("it was ready:\n%s", log)
	}
}
