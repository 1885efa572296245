package server

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// priceFunction pushes what it is sent to the connection, signed and at the host
// name of its event as SDKs do it at AWS, and answers.
const priceFunction = `
const { createHash, createHmac } = require("crypto");
const https = require("https");
const sha = (text) => createHash("sha256").update(text).digest("hex");
const mac = (key, text) => createHmac("sha256", key).update(text).digest();
exports.handler = async (event) => {
  const { domainName, stage, connectionId } = event.requestContext;
  const path = "/" + stage + "/%40connections/" + encodeURIComponent(connectionId);
  const body = "pushed " + event.body;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = time.slice(0, 8) + "/" + process.env.AWS_REGION + "/execute-api/aws4_request";
  const canonical = ["POST", path.replace(/%/g, "%25"), "", "host:" + domainName, "x-amz-date:" + time, "", "host;x-amz-date", sha(body)].join("\n");
  const key = scope.split("/").reduce(mac, "AWS4" + process.env.AWS_SECRET_ACCESS_KEY);
  const signature = mac(key, ["AWS4-HMAC-SHA256", time, scope, sha(canonical)].join("\n")).toString("hex");
  const headers = {
    "X-Amz-Date": time,
    Authorization: "AWS4-HMAC-SHA256 Credential=" + process.env.AWS_ACCESS_KEY_ID + "/" + scope + ", SignedHeaders=host;x-amz-date, Signature=" + signature,
  };
  const status = await new Promise((resolve, reject) => {
    https.request({ host: domainName, path, method: "POST", headers }, (answer) => resolve(answer.statusCode)).on("error", reject).end(body);
  });
  return { statusCode: 200, body: "VERSION " + process.env.GREETING + " " + status };
};
`

// A function of the configuration runs as a process of this machine, pushes with
// credentials of its own, follows the file, and ends with the gateway.
func TestServeFileFunctions(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no Node.js")
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_PROFILE"} {
		if os.Getenv(name) != "" {
			t.Skip("the environment has credentials, which functions get")
		}
	}
	for name, inMemory := range map[string]bool{"kept": false, "in memory": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runFileFunctions(t, inMemory)
		})
	}
}

func runFileFunctions(t *testing.T, inMemory bool) {
	s := newSite(t)
	if err := os.Mkdir(filepath.Join(s.dir, "price"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("price/index.js", priceFunction)
	s.configure("apis:\n  chat:\n    routes:\n      price: {function: ./price, runtime: nodejs20.x, timeout: 29s, environment: {GREETING: hello}}\n")
	g := s.start(Config{InMemory: inMemory})
	conn, err := g.dialStage("/dev")
	if err != nil {
		t.Fatal(err)
	}
	const message = `{"action":"price"}`
	say := func(want string) {
		t.Helper()
		// The push and the answer may come in either order.
		got := []string{gatewaytest.Ask(t, conn, message), gatewaytest.Receive(t, conn)}
		if got[0] == want {
			got[0], got[1] = got[1], got[0]
		}
		if got[0] != "pushed "+message || got[1] != want {
			t.Fatalf("got %q; the log:\n%s", got, &g.log)
		}
	}
	say("VERSION hello 200")
	metricsAt(t, g.Admin+"/metrics", `stagedoor_function_cold_starts_total{function="chat-price"} 1`,
		`stagedoor_function_processes{function="chat-price"} 1`, `stagedoor_function_queue_seconds_count{function="chat-price"} 1`)

	s.write("price/index.js", strings.Replace(priceFunction, "VERSION", "SECOND", 1))
	s.configure("apis:\n  chat:\n    routes:\n      price: {function: ./price, runtime: nodejs20.x, timeout: 29s, environment: {GREETING: bye}}\n")
	g.reloads()
	say("SECOND bye 200")

	// One that is in the file no more is called no more.
	s.configure("apis:\n  chat:\n    routes: {$default: " + saying(t, "one") + "}\n")
	g.reloads()
	if got := gatewaytest.Ask(t, conn, message); got != "one message $default "+message {
		t.Errorf("got %q", got)
	}
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if strings.Contains(g.log.String(), "were ended while they ran") {
		t.Errorf("the log:\n%s", &g.log)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "data")); inMemory != errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of the data: %v", err)
	}
}
