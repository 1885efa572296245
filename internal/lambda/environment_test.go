package lambda

import (
	"testing"
)

// A proxy of the developer's own does not get what is to come to the gateway.
func TestDevelopersProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("NO_PROXY", "intranet.example")
	redirect := endpoint(t)
	python := inlinePython("python", `import os, urllib.request
def handler(event, context):
    assert os.environ['NO_PROXY'].endswith(',intranet.example')
    return urllib.request.urlopen('`+executeAPI+`').read().decode()
`)
	goFunction := provided("go", testdata(t, "go", "fetch"))
	goFunction.Environment = map[string]string{"URL": executeAPI}
	h := newTestHost(t, func(o *Options) { o.Redirect = redirect }, python, goFunction)
	for _, name := range []string{"python", "go"} {
		if got := h.call(name, `{}`); string(got.Payload) != redirected {
			t.Errorf("%s: got %s", name, got.Payload)
		}
	}
}

func TestCredentials(t *testing.T) {
	names := []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"}
	tests := []struct {
		name string
		set  map[string]string
		want map[string]string
	}{
		{"none", nil, map[string]string{"AWS_ACCESS_KEY_ID": "ASIALOCALLOCALLOCAL0", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local"}},
		{"keys", map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}, map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}},
		{"profile", map[string]string{"AWS_PROFILE": "work"}, map[string]string{"AWS_PROFILE": "work"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range append(names, credentialSources...) {
				t.Setenv(name, test.set[name])
			}
			h := newTestHost(t, nil)
			env := h.baseEnvironment(Function{Name: "f", Runtime: "nodejs22.x"}, "/task", "/runtime")
			got := map[string]string{}
			for _, name := range names {
				if env[name] != "" {
					got[name] = env[name]
				}
			}
			if d := diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Functions can't set what Lambda reserves.
func TestReservedVariables(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil)
	env := h.baseEnvironment(Function{
		Name: "f", Runtime: "provided.al2023", Handler: "h",
		Environment: map[string]string{
			"_HANDLER": "x", "AWS_REGION": "x", "AWS_EXECUTION_ENV": "x", "AWS_LAMBDA_RUNTIME_API": "x",
			"AWS_SESSION_TOKEN": "x", "TZ": "Europe/Berlin",
		},
	}, "/task", "/runtime")
	want := map[string]string{
		"_HANDLER": "h", "AWS_REGION": "us-east-1", "AWS_EXECUTION_ENV": "", "AWS_LAMBDA_RUNTIME_API": "",
		"TZ": "Europe/Berlin", "LAMBDA_TASK_ROOT": "/task", "LAMBDA_RUNTIME_DIR": "/runtime",
	}
	for name, value := range want {
		if env[name] != value {
			t.Errorf("%s is %q, want %q", name, env[name], value)
		}
	}
	if env["AWS_SESSION_TOKEN"] == "x" {
		t.Error("the function set AWS_SESSION_TOKEN")
	}
}
