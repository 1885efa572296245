//go:build linux

// Command neighbour measures what the clients of one API do to those of another
// on the same gateway: with pings without end, with what they don't read, with
// messages to a function that never answers.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("gateway", "", "the gateway's `program`")
	what := flag.String("attacks", "pings,readers,hang", "which attacks, separated by commas")
	hanging := flag.Int("hanging", 4200, "clients of the function that never answers")
	flag.Parse()
	if *binary == "" {
		fmt.Fprintln(os.Stderr, "neighbour: -gateway says which program is measured, such as ../dist/stagedoor-linux-amd64")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	attacks := map[string]func(*gateway) error{
		"pings": pings, "readers": readers,
		"hang": func(g *gateway) error { return hang(g, *hanging) },
	}
	for name := range strings.SplitSeq(*what, ",") {
		attack := attacks[name]
		if attack == nil {
			fmt.Fprintf(os.Stderr, "neighbour: there is no attack %q\n", name)
			os.Exit(2)
		}
		if err := run(ctx, *binary, attack); err != nil {
			fmt.Fprintln(os.Stderr, "neighbour:", err)
			os.Exit(1)
		}
	}
}

// run starts a gateway for one attack.
func run(ctx context.Context, binary string, attack func(*gateway) error) error {
	folder, err := os.MkdirTemp("", "neighbour-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	g, err := start(ctx, binary, folder)
	if err != nil {
		return err
	}
	defer g.stop()
	return attack(g)
}

// template has two APIs that are alike: a function that never answers, an answer
// of 19 KB, and a small one.
const template = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Hang:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: hang.handler, CodeUri: hang, Timeout: 900}
%s`

const api = `
  %[1]s:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: %[1]s, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  %[1]sStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref %[1]s, StageName: %[1]s, AutoDeploy: true}
  %[1]sHang:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref %[1]s, IntegrationType: AWS_PROXY, IntegrationUri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Hang.Arn}/invocations"}
  %[1]sHangRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref %[1]s, RouteKey: hang, Target: !Sub "integrations/${%[1]sHang}"}
  %[1]sMock:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref %[1]s, IntegrationType: MOCK, TemplateSelectionExpression: "200", RequestTemplates: {"200": '{"statusCode": 200}'}}
  %[1]sSmallAnswer:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref %[1]s, IntegrationId: !Ref %[1]sMock, IntegrationResponseKey: $default, TemplateSelectionExpression: "200", ResponseTemplates: {"200": '{"here":true}'}}
  %[1]sLarge:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref %[1]s, IntegrationType: MOCK, TemplateSelectionExpression: "200", RequestTemplates: {"200": '{"statusCode": 200}'}}
  %[1]sLargeAnswer:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref %[1]s, IntegrationId: !Ref %[1]sLarge, IntegrationResponseKey: $default, TemplateSelectionExpression: "200", ResponseTemplates: {"200": '#foreach($i in [1..1000])0123456789012345678#end'}}
  %[1]sSmallRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref %[1]s, RouteKey: small, Target: !Sub "integrations/${%[1]sMock}"}
  %[1]sSmallReply:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref %[1]s, RouteId: !Ref %[1]sSmallRoute, RouteResponseKey: $default}
  %[1]sLargeRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref %[1]s, RouteKey: large, Target: !Sub "integrations/${%[1]sLarge}"}
  %[1]sLargeReply:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref %[1]s, RouteId: !Ref %[1]sLargeRoute, RouteResponseKey: $default}
`

// gateway is a running "stagedoor dev".
type gateway struct {
	command *exec.Cmd
	address string
}

func start(ctx context.Context, binary, folder string) (*gateway, error) {
	text := fmt.Sprintf(template, fmt.Sprintf(api, "Attacked")+fmt.Sprintf(api, "Bystander"))
	err := errors.Join(
		os.Mkdir(filepath.Join(folder, "hang"), 0o700),
		os.WriteFile(filepath.Join(folder, "hang", "hang.py"), []byte("import time\ndef handler(event, context):\n    time.sleep(1000)\n"), 0o600),
		os.WriteFile(filepath.Join(folder, "template.yaml"), []byte(text), 0o600),
	)
	if err != nil {
		return nil, err
	}
	g := &gateway{command: exec.CommandContext(ctx, binary, "dev", folder, "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")}
	g.command.Stderr = os.Stderr
	output, err := g.command.StdoutPipe()
	if err == nil {
		err = g.command.Start()
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(output)
	line, err := lines.ReadBytes('\n')
	var ready struct{ Public string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		g.stop()
		return nil, fmt.Errorf("the gateway is not ready: %w: %s", err, line)
	}
	g.address = strings.TrimPrefix(ready.Public, "http://")
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return g, nil
}

func (g *gateway) stop() {
	_ = g.command.Process.Kill()
	_ = g.command.Wait()
}

// resident is the memory of the gateway in MiB.
func (g *gateway) resident() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", g.command.Process.Pid))
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() >> 20
}

// client is a connected client of the level of bytes.
type client struct {
	net.Conn
	reader *bufio.Reader
}

func (g *gateway) dial(stage string, buffer int) (*client, error) {
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		return nil, err
	}
	if buffer > 0 {
		_ = conn.(*net.TCPConn).SetReadBuffer(buffer)
	}
	c := &client{conn, bufio.NewReader(conn)}
	_, err = fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", stage)
	for line := ""; err == nil && line != "\r\n"; {
		line, err = c.reader.ReadString('\n')
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return c, nil
}

// frame is a client's frame with a mask of zero.
func frame(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

func message(action string) []byte { return frame(0x81, `{"action":"`+action+`"}`) }

// answer reads the next text; pings are passed over.
func (c *client) answer() (string, error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(c.reader, head[:]); err != nil {
			return "", err
		}
		payload := make([]byte, head[1]&0x7f)
		if _, err := io.ReadFull(c.reader, payload); err != nil {
			return "", err
		}
		if head[0] == 0x81 {
			return string(payload), nil
		}
	}
}

// bystander measures the answer times of one client of the other API.
func (g *gateway) bystander(name string, duration, patience time.Duration) error {
	c, err := g.dial("Bystander", 0)
	if err != nil {
		return err
	}
	defer c.Close()
	var times []time.Duration
	for end := time.Now().Add(duration); time.Now().Before(end); {
		began := time.Now()
		_ = c.SetDeadline(began.Add(patience))
		if _, err = c.Write(message("small")); err == nil {
			_, err = c.answer()
		}
		if err != nil {
			fmt.Printf("%s: no answer within %s (%v)\n", name, patience, err)
			return nil
		}
		times = append(times, time.Since(began))
		time.Sleep(time.Millisecond)
	}
	slices.Sort(times)
	fmt.Printf("%s: %d answers, p50 %s, p99 %s, slowest %s\n", name, len(times),
		times[len(times)/2].Round(10*time.Microsecond), times[len(times)*99/100].Round(10*time.Microsecond), times[len(times)-1].Round(10*time.Microsecond))
	return nil
}

// pings has four clients send pings as fast as they can, and come again when
// they are closed.
func pings(g *gateway) error {
	if err := g.bystander("no attack", 3*time.Second, time.Minute); err != nil {
		return err
	}
	burst := []byte(strings.Repeat(string(frame(0x89, "")), 10_000))
	var attackers sync.WaitGroup
	end := make(chan struct{})
	for range 4 {
		attackers.Go(func() {
			for {
				c, err := g.dial("Attacked", 0)
				if err == nil {
					go func() { _, _ = io.Copy(io.Discard, c.reader) }()
				}
				for err == nil {
					select {
					case <-end:
						c.Close()
						return
					default:
						_ = c.SetWriteDeadline(time.Now().Add(time.Second))
						_, err = c.Write(burst)
					}
				}
				if c != nil {
					c.Close()
				}
				select {
				case <-end:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	err := g.bystander("ping flood of 4 clients", 5*time.Second, time.Minute)
	close(end)
	attackers.Wait()
	return err
}

// readers has 450 clients ask for answers that they don't read.
func readers(g *gateway) error {
	before := g.resident()
	var clients []*client
	for range 450 {
		c, err := g.dial("Attacked", 4096)
		if err != nil {
			return err
		}
		defer c.Close()
		clients = append(clients, c)
	}
	for _, c := range clients {
		go func() {
			for {
				if _, err := c.Write(message("large")); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
	}
	most := 0
	for range 250 {
		time.Sleep(100 * time.Millisecond)
		most = max(most, g.resident())
	}
	fmt.Printf("450 clients that read nothing: %d MiB before, %d MiB after 25 s, at most %d MiB\n", before, g.resident(), most)
	return nil
}

// hang has clients send 17 messages each to a function that never answers.
func hang(g *gateway, clients int) error {
	for range clients {
		c, err := g.dial("Attacked", 0)
		if err != nil {
			return err
		}
		defer c.Close()
		go func() { _, _ = io.Copy(io.Discard, c.reader) }()
		if _, err := c.Write([]byte(strings.Repeat(string(message("hang")), 17))); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second)
	return g.bystander(fmt.Sprintf("%d clients of a function that never answers", clients), 5*time.Second, 40*time.Second)
}
