package lambda

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// passed are the variables of the gateway's own environment that functions get:
// those that programs need to run at all, and the user's credentials. With the
// rest of a developer's environment, functions could come to depend on
// variables that AWS does not have.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP",
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
}

// credentialSources are variables that name the source of the user's
// credentials when these are not in the environment themselves. Where one is
// set no keys are, because keys would override it.
var credentialSources = []string{
	"AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
}

// environment is a function's environment while it is being put together.
type environment map[string]string

// baseEnvironment returns the variables that a function of any runtime gets:
// those of the user that are passed on, those that Lambda sets, and, overriding
// these, the host's and the function's own.
func (h *Host) baseEnvironment(f Function, taskRoot, runtimeDir string) environment {
	env := environment{}
	for _, name := range passed {
		if value := os.Getenv(name); value != "" { // an empty AWS_PROFILE would be a profile of that name
			env[name] = value
		}
	}
	env["LANG"] = "en_US.UTF-8"
	env["TZ"] = ":UTC"
	env["AWS_XRAY_CONTEXT_MISSING"] = "LOG_ERROR"
	if h.options.Redirect.CABundleFile != "" {
		env["AWS_CA_BUNDLE"] = h.options.Redirect.CABundleFile
		env["SSL_CERT_FILE"] = h.options.Redirect.CABundleFile
	}
	for i := len(f.Layers) - 1; i >= 0; i-- { // a later layer overrides an earlier one
		env.append("PATH", filepath.Join(f.Layers[i], "bin"))
	}
	maps.Copy(env, h.options.Environment)
	maps.Copy(env, f.Environment)
	env.reserve(h.reserved(f, taskRoot, runtimeDir))
	return env
}

// reserved are the variables that Lambda sets and functions can't override.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (h *Host) reserved(f Function, taskRoot, runtimeDir string) map[string]string {
	reserved := map[string]string{
		"_HANDLER":                        f.Handler,
		"AWS_REGION":                      h.options.Region,
		"AWS_DEFAULT_REGION":              h.options.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"LAMBDA_TASK_ROOT":                taskRoot,
		"LAMBDA_RUNTIME_DIR":              runtimeDir,
	}
	if !strings.HasPrefix(f.Runtime, "provided") {
		reserved["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + f.Runtime
	}
	maps.Copy(reserved, h.options.credentials())
	return reserved
}

// newLogStreamName makes the name of a log stream as Lambda makes one for each
// process.
func newLogStreamName() string {
	return time.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + strings.ReplaceAll(apigw.NewUUID(), "-", "")
}

// credentials returns the user's own where the environment has some, else those
// of the options, or else made-up ones, with which an SDK can sign but which
// AWS would refuse.
func (o Options) credentials() map[string]string {
	own := map[string]string{}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if value := os.Getenv(name); value != "" {
			own[name] = value
		}
	}
	hasSource := slices.ContainsFunc(credentialSources, func(name string) bool { return os.Getenv(name) != "" })
	if own["AWS_ACCESS_KEY_ID"] != "" || hasSource {
		return own
	}
	if o.AccessKeyID != "" {
		return map[string]string{"AWS_ACCESS_KEY_ID": o.AccessKeyID, "AWS_SECRET_ACCESS_KEY": o.SecretAccessKey}
	}
	return map[string]string{
		"AWS_ACCESS_KEY_ID":     "ASIALOCALLOCALLOCAL0",
		"AWS_SECRET_ACCESS_KEY": "local",
		"AWS_SESSION_TOKEN":     "local",
	}
}

// reserve removes the variables that only a process or its runtime may set, and
// then sets values, overriding what is there.
func (e environment) reserve(values map[string]string) {
	for _, name := range []string{"_X_AMZN_TRACE_ID", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_EXECUTION_ENV"} {
		delete(e, name)
	}
	maps.Copy(e, values)
}

// append adds a path to the end of a list like PATH.
func (e environment) append(name, path string) {
	if e[name] != "" {
		path = e[name] + string(os.PathListSeparator) + path
	}
	e[name] = path
}

// list returns the environment as "name=value", as exec.Cmd takes it.
func (e environment) list() []string {
	list := make([]string, 0, len(e))
	for _, name := range slices.Sorted(maps.Keys(e)) {
		list = append(list, name+"="+e[name])
	}
	return list
}

// executableName adds .exe on Windows.
func executableName(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
