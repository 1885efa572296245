package lambda

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// misbehavingNode does what its event says.
const misbehavingNode = `
const { spawn } = require("node:child_process");
exports.handler = async (event) => {
	switch (event.do) {
	case "exit": process.exit(3);
	case "kill": process.kill(process.pid, "SIGKILL"); return new Promise(() => setTimeout(() => {}, 1e6));
	case "hang": for (;;) {}
	case "wait forever": return new Promise(() => setTimeout(() => {}, 1e6));
	case "answer, then exit": setTimeout(() => process.exit(3), 1); return "first";
	case "answer, then exit later": setImmediate(() => process.exit(3)); return "first";
	case "answer, then throw": setImmediate(() => { throw new Error("too late") }); return "first";
	case "answer, then hang": setImmediate(() => { for (;;) {} }); return "first";
	case "close": require("node:fs").closeSync(3); return "closed";
	case "garbage": require("node:fs").writeSync(3, "GET / HTTP/1.1\r\n\r\n" + "x".repeat(1000)); return "garbage";
	case "half a frame": require("node:fs").writeSync(3, Buffer.from([0, 0, 0, 20, 0, 0])); process.exit(3);
	case "too much": return "x".repeat(7 << 20);
	case "the most": return "x".repeat((6 << 20) - 2);
	case "print": process.stdout.write("half of a line"); console.error("more"); return "printed";
	case "child": spawn("sleep", ["600"], { stdio: "inherit" }); return "child";
	}
	return process.pid;
};`

const misbehavingPython = `
import os, signal, subprocess, sys, threading, time
def handler(event, context):
    do = event.get("do")
    if do == "exit": os._exit(3)
    if do == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if do == "hang" or do == "wait forever":
        while True: time.sleep(1000)
    if do == "answer, then exit": threading.Timer(0.05, lambda: os._exit(3)).start(); return "first"
    if do == "close": os.close(3); return "closed"
    if do == "close all": os.closerange(3, 100); return "closed"
    if do == "garbage": os.write(3, b"GET / HTTP/1.1\r\n\r\n" + b"x" * 1000); return "garbage"
    if do == "half a frame": os.write(3, bytes([0, 0, 0, 20, 0, 0])); os._exit(3)
    if do == "too much": return "x" * (7 << 20)
    if do == "the most": return "x" * ((6 << 20) - 2)
    if do == "print": sys.stdout.write("half of a line"); print("more", file=sys.stderr); return "printed"
    if do == "child": subprocess.Popen(["sleep", "600"]); return "child"
    if do == "fork":
        if os.fork() == 0:
            while True: time.sleep(1000)
        return "child"
    return os.getpid()
`

// Whatever a function does, its caller has a result, the next call works, and
// the function beside it does not notice.
func TestChannelFailures(t *testing.T) {
	t.Parallel()
	const exit, killed = "Runtime exited with error: exit status 3", "Runtime exited with error: signal: killed"
	const tooMuch = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
	type failing struct{ do, want string }
	both := []failing{
		{"exit", exit}, {"kill", killed}, {"hang", "Task timed out after 3.00 seconds"}, {"wait forever", "Task timed out after 3.00 seconds"},
		{"answer, then exit", `"first"`}, {"close", "Runtime exited with error: "}, {"garbage", killed}, {"half a frame", exit},
		{"too much", tooMuch}, {"the most", `"` + strings.Repeat("x", 6<<20-2) + `"`}, {"print", `"printed"`}, {"child", `"child"`},
	}
	for _, language := range []struct {
		name  string
		make  func(name, source string) Function
		code  string
		tests []failing
	}{
		{"node", inlineNode, misbehavingNode, append(both[:len(both):len(both)],
			failing{"answer, then exit later", `"first"`}, failing{"answer, then throw", `"first"`}, failing{"answer, then hang", `"first"`})},
		{"python", inlinePython, misbehavingPython, append(both[:len(both):len(both)], failing{"close all", "Runtime exited with error: "}, failing{"fork", `"child"`})},
	} {
		t.Run(language.name, func(t *testing.T) {
			t.Parallel()
			patient, hasty, healthy := language.make("patient", language.code), language.make("hasty", language.code), language.make("healthy", language.code)
			hasty.Timeout = 3 * time.Second
			h := newTestHost(t, nil, patient, hasty, healthy)
			pid := string(h.call("healthy", `{}`).Payload)
			for _, test := range language.tests {
				name := "patient"
				if strings.Contains(test.do, "hang") || strings.Contains(test.want, "timed out") {
					name = "hasty"
				}
				got := h.call(name, fmt.Sprintf(`{"do":%q}`, test.do))
				if !strings.Contains(string(got.Payload), test.want) {
					t.Errorf("%s: got %.200s, want %.200s", test.do, got.Payload, test.want)
				}
				if next := h.call(name, `{}`); next.FunctionError != "" && test.do != "answer, then exit" {
					t.Errorf("%s: the next call: %s", test.do, next.Payload)
				}
				if got := h.call("healthy", `{}`); string(got.Payload) != pid {
					t.Errorf("%s: the function beside it: %s, want %s", test.do, got.Payload, pid)
				}
			}
			eventually(t, "what was printed", func() bool { return strings.Contains(h.text(), "half of a line") && strings.Contains(h.text(), "more") })
		})
	}
}

// Where a process can't inherit a connection, it opens one.
func TestChannelThatIsDialed(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, nil)
	h.channelsDial = true
	h.Update([]Function{
		inlineNode("node", `exports.handler = async (event) => event.a`),
		inlinePython("python", "def handler(event, context):\n    return event['a']\n"),
		inlineNode("failing", `throw new Error("at load")`),
	})
	for _, name := range []string{"node", "python"} {
		for _, want := range []string{`1`, `"` + strings.Repeat("é", 1<<20) + `"`} {
			if got := h.call(name, `{"a":`+want+`}`); string(got.Payload) != want {
				t.Errorf("%s: got %.100s, want %.100s", name, got.Payload, want)
			}
		}
	}
	if got := decodeError(t, h.call("failing", `{}`)); got.ErrorMessage != "at load" {
		t.Errorf("got %+v", got)
	}
}

// frame is a frame from a process.
func frame(head, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(append(b, head...), body...)
}

// silentProcess is a process of a bare pool, of which there is no child.
func silentProcess() *process {
	p := barePool()
	p.launch = func(*process, *program) error { return nil }
	return newProcess(p)
}

// A conversation out of turn does no harm, and what is no frame ends it.
func TestChannelFrames(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	p := silentProcess()
	ended := make(chan error, 1)
	go func() { ended <- newChannel(p, ours, bufio.NewReader(ours)).serve() }()
	_ = theirs.SetDeadline(time.Now().Add(deadline))
	say := func(b []byte) {
		t.Helper()
		if _, err := theirs.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	say(frame("response\nnone", "1")) // there is no invocation
	say(frame("error\nnone\nX", "{}"))
	say(frame("next", ""))
	say(frame("next", "")) // it has asked already
	say(frame("init\n\nX", "{}"))
	say(frame("response\nnone", strings.Repeat("x", maxResponseBytes+1)))
	call := newTask(Invocation{FunctionARN: "arn", TraceID: "a\r\nb", Payload: []byte(`{"a":1}`)}, "the id")
	taken := make(chan bool, 1)
	go func() { taken <- p.pool.submit(call) }()
	got := make([]byte, 8)
	if _, err := theirs.Read(got); err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, binary.BigEndian.Uint32(got)+binary.BigEndian.Uint32(got[4:]))
	for n := 0; n < len(rest); {
		more, err := theirs.Read(rest[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += more
	}
	lines := strings.Split(string(rest), "\n")
	if !<-taken || len(lines) != 5 || lines[0] != "the id" || lines[2] != "arn" || lines[3] != "a  b" || lines[4] != `{"a":1}` {
		t.Errorf("the event is %q", lines)
	}
	say(frame("response\nanother id", "1"))
	say(frame("response\nthe id", "2"))
	say(frame("response\nthe id", "3"))
	if o := <-call.outcome; string(o.result.Payload) != "2" {
		t.Errorf("the answer is %s", o.result.Payload)
	}
	say(frame("dance", ""))
	if err := <-ended; err == nil || !strings.Contains(err.Error(), `"dance"`) {
		t.Errorf("the end: %v", err)
	}
}

// Whatever a process sends, the channel ends in order.
func FuzzChannel(f *testing.F) {
	f.Add(frame("next", ""))
	f.Add(append(frame("response\nid", "{}"), frame("next", "")...))
	f.Add(frame("error\nid\nType", "{}"))
	f.Add(frame("init\n\nType", ""))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 'x'})
	p := silentProcess()
	ours, _ := net.Pipe()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 8 && binary.BigEndian.Uint32(data[4:]) > 1<<16 && binary.BigEndian.Uint32(data[4:]) <= maxResponseBytes {
			t.Skip("it takes long to make room for it")
		}
		if err := newChannel(p, ours, bufio.NewReader(bytes.NewReader(data))).serve(); err == nil {
			t.Error("it did not end")
		}
	})
}
