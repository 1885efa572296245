// A function that does what a function must not do.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"example.com/functions/runtimeapi"
)

type order struct {
	Do  string
	URL string
}

func main() {
	switch os.Getenv("AT_START") {
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	case "report":
		runtimeapi.Post("/init/error", `{"errorType":"Own.InitError","errorMessage":"no table"}`)
		select {} // it should exit, and doesn't
	}
	for {
		id, payload := runtimeapi.Next()
		var o order
		if err := json.Unmarshal(payload, &o); err != nil {
			panic(err)
		}
		carryOut(id, o)
	}
}

func carryOut(id string, o order) {
	respond := func(v any) (int, string) {
		b, _ := json.Marshal(v)
		return runtimeapi.Post("/invocation/"+id+"/response", string(b))
	}
	switch o.Do {
	case "pid":
		respond(os.Getpid())
	case "get": // blocks as long as the server likes
		response, err := http.Get(o.URL)
		if err != nil {
			panic(err)
		}
		response.Body.Close()
		respond(os.Getpid())
	case "exit 0":
		os.Exit(0)
	case "exit 1":
		os.Exit(1)
	case "panic":
		panic("out of order")
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "hang":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		for {
			time.Sleep(time.Hour)
		}
	case "ignore signals":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		respond(os.Getpid())
	case "fork":
		respond(fork())
	case "detach":
		respond(detach())
	case "detach and exit":
		fmt.Println("detached", detach())
		os.Exit(1)
	case "daemon":
		respond(daemon())
	case "fork and exit":
		fmt.Println("forked", fork())
		os.Exit(1)
	case "garbage":
		os.Stdout.Write([]byte{0, 0xff, 0xfe, 'x', '\r', 0x80, '\n', 0x1b, '[', '2', 'J', '\n'})
		respond("printed")
	case "flood":
		line := strings.Repeat("flood ", 1<<10) + "\n"
		for range 100 << 20 / len(line) {
			os.Stdout.WriteString(line)
		}
		respond("printed")
	case "print id":
		fmt.Println(id)
		respond("printed")
	case "long line":
		os.Stdout.WriteString(strings.Repeat("l", 1<<20) + "\n")
		respond("printed")
	case "10 MB":
		status, body := respond(strings.Repeat("x", 10<<20))
		fmt.Println("answered", status, body)
	case "not JSON":
		runtimeapi.Post("/invocation/"+id+"/response", "<html>")
	case "wrong calls":
		respond(wrongCalls(id))
	case "answer twice":
		respond("first")
		fmt.Println(respond("second"))
	case "answer, then hang":
		respond("first")
		select {}
	case "answer, then exit":
		respond("first")
		os.Exit(3)
	case "stream":
		request, _ := http.NewRequest("POST", runtimeapi.Root()+"/invocation/"+id+"/response", strings.NewReader("part"))
		request.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		response.Body.Close()
	case "speak no HTTP":
		conn, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
		if err != nil {
			panic(err)
		}
		io.WriteString(conn, "\x16\x03\x01 this is not HTTP\r\n\r\n")
		io.Copy(io.Discard, conn)
		respond("spoke")
	default:
		respond(o)
	}
}

// wrongCalls returns what the Runtime API answers to calls out of turn.
func wrongCalls(id string) []string {
	var answers []string
	note := func(status int, body string) {
		answers = append(answers, fmt.Sprintf("%d %s", status, body))
	}
	note(runtimeapi.Post("/invocation/0000/response", "{}"))
	note(runtimeapi.Post("/invocation/0000/error", "{}"))
	note(runtimeapi.Post("/init/error", "{}"))
	response, err := http.Get(runtimeapi.Root() + "/invocation/next")
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	note(response.StatusCode, string(body))
	return answers
}

// detach starts a child in a session of its own.
func detach() int {
	child := exec.Command("sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done")
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		panic(err)
	}
	return child.Process.Pid
}

// daemon starts a process whose parent ends at once.
func daemon() int {
	parent := exec.Command("sh", "-c", "(while :; do sleep 1; done) >/dev/null 2>&1 & echo $!")
	parent.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	output, err := parent.Output()
	if err != nil {
		panic(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		panic(err)
	}
	return pid
}

// fork starts a child that outlives this process and keeps its output open.
func fork() int {
	child := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		panic(err)
	}
	return child.Process.Pid
}
