package store

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// filled is a store with records of several kinds, some of them damaged.
func filled(t *testing.T) *Memory {
	t.Helper()
	s := NewMemory()
	c := NewConfiguration(s, nil)
	api := &apigw.API{ApiId: "a1", Name: "<chat> & more\u2028", Routes: []*apigw.Route{{RouteId: "r", RouteKey: "$connect"}}}
	_, err := c.APIs.Put(t.Context(), api, 0)
	wantErr(t, err, nil)
	_, err = c.Deployments.Put(t.Context(), &apigw.Deployment{DeploymentId: "d1", API: api}, 0)
	wantErr(t, err, nil)
	_, err = c.Stages.Put(t.Context(), &apigw.Stage{ApiId: "a1", StageName: "prod", DeploymentId: "d1"}, 0)
	wantErr(t, err, nil)
	_, err = c.DomainNames.Put(t.Context(), &apigw.DomainName{DomainName: "*.example.com"}, 0)
	wantErr(t, err, nil)
	for key, value := range map[string]string{
		"api.cut": `{"version":1,"val`, "api.empty": "", "api.null": "null", "api.spaces": "{ }\n", "api.bytes": "\xff\x00",
		"api.later": `{"version":2,"value":{"New":true}}`, "api.twice": `{"a":1,"a":2}`,
	} {
		mustPut(t, s, key, value, 0)
	}
	return s
}

// contents is what a store holds, without revisions.
func contents(t *testing.T, s Store) map[string]string {
	t.Helper()
	records, err := s.List(t.Context(), "")
	wantErr(t, err, nil)
	held := make(map[string]string)
	for _, record := range records {
		held[record.Key] = string(record.Value)
	}
	return held
}

func backup(t *testing.T, s Store) string {
	t.Helper()
	var file bytes.Buffer
	if n, err := Backup(t.Context(), s, &file); err != nil || n != len(contents(t, s)) {
		t.Fatalf("%d records, %v", n, err)
	}
	return file.String()
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	from := filled(t)
	file := backup(t, from)
	if lines := strings.Split(file, "\n"); !strings.Contains(file, "\n"+`{"key":"stage.a1.prod","value":{"version":1,"value":{"ApiId":"a1",`) ||
		!regexp.MustCompile(`^\{"format":"stagedoor backup","version":1,"time":"20[^"]*Z"\}$`).MatchString(lines[0]) {
		t.Errorf("not the form that the documentation says:\n%s", file)
	}
	to := open(t, Options{Dir: t.TempDir()})
	if n, err := Restore(t.Context(), to, strings.NewReader(file), false); err != nil || n != 11 {
		t.Errorf("restored %d, %v", n, err)
	}
	if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
		t.Errorf("(-backed up +restored):\n%s", diff)
	}

	// What is there stays, unless it is to be replaced.
	mustPut(t, to, "stage.a1.other", "{}", 0)
	record, err := to.Get(t.Context(), "api.null")
	wantErr(t, err, nil)
	mustPut(t, to, "api.null", "changed", record.Revision)
	before := contents(t, to)
	_, err = Restore(t.Context(), to, strings.NewReader(file), false)
	wantErr(t, err, ErrNotEmpty)
	if diff := cmp.Diff(before, contents(t, to)); diff != "" {
		t.Errorf("a refused restore wrote (-before +after):\n%s", diff)
	}
	if n, err := Restore(t.Context(), to, strings.NewReader(file), true); err != nil || n != 11 {
		t.Errorf("restored %d, %v", n, err)
	}
	if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
		t.Errorf("replaced (-backed up +restored):\n%s", diff)
	}
}

// A file with a mistake anywhere is reported with the mistake's line, and nothing of
// it is written.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	s := NewMemory()
	mustPut(t, s, "api.a", `{"version":1}`, 0)
	mustPut(t, s, "api.b", `{"version":1}`, 0)
	good := backup(t, s)
	lines := strings.SplitAfter(good, "\n")
	header, a, b, end := lines[0], lines[1], lines[2], lines[3]
	tests := map[string]struct {
		file string
		line int
		want string
	}{
		"nothing":           {"", 1, "is cut off"},
		"another file":      {"Stage door\n", 1, "no backup"},
		"another JSON file": {"{\"format\":\"x\"}\n", 1, "no backup"},
		"a later version":   {strings.Replace(good, `"version":1,"time"`, `"version":2,"time"`, 1), 1, "the backup's version is 2"},
		"no end":            {header + a + b, 4, "is cut off"},
		"cut in a line":     {good[:len(header)+len(a)+9], 3, "is cut off"},
		"cut before the last line's end": {
			strings.TrimSuffix(good, "\n"), 4, "is cut off"},
		"a missing record":  {header + b + end, 3, "2 records should be before the end, there are 1"},
		"a record twice":    {header + a + a + b + end, 3, "api.a comes after api.a"},
		"another order":     {header + b + a + end, 3, "api.a comes after api.b"},
		"a changed value":   {strings.Replace(good, `{"version":1}}`, `{"version":2}}`, 1), 4, "the checksum is wrong"},
		"a changed time":    {strings.Replace(good, `"time":"2`, `"time":"3`, 1), 4, "the checksum is wrong"},
		"no JSON":           {header + a + "{\n" + end, 3, "no record"},
		"an unknown member": {header + a + `{"key":"api.b","vaule":1}` + "\n" + end, 3, "vaule"},
		"an invalid key":    {header + `{"key":"api","value":1}` + "\n" + end, 2, "a key is"},
		"more":              {good + "\n", 5, "more after the end"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := NewMemory()
			mustPut(t, to, "api.kept", "1", 0)
			_, err := Restore(t.Context(), to, strings.NewReader(test.file), true)
			var mistake *BackupError
			if !errors.As(err, &mistake) || mistake.Line != test.line || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want line %d and %q", err, test.line, test.want)
			}
			if diff := cmp.Diff(map[string]string{"api.kept": "1"}, contents(t, to)); diff != "" {
				t.Errorf("it wrote (-before +after):\n%s", diff)
			}
		})
	}
}

func FuzzRestore(f *testing.F) {
	s := NewMemory()
	for _, key := range []string{"api.a", "api.b"} {
		if _, err := s.Put(f.Context(), key, []byte(`{"version":1}`), 0); err != nil {
			f.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := Backup(f.Context(), s, &file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		to := NewMemory()
		n, err := Restore(t.Context(), to, bytes.NewReader(file), false)
		if held := len(contents(t, to)); held != n || err != nil && n != 0 {
			t.Errorf("restored %d records, the store holds %d, %v", n, held, err)
		}
	})
}
