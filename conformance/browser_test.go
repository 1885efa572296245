package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browser is a running browser.
type browser struct {
	context.Context
	t *testing.T
}

// newBrowser starts a headless browser with an empty profile. The test is
// skipped where there is none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("there is no browser: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // it doesn't work for root, in containers
		chromedp.DisableGPU,
		chromedp.Flag("ignore-certificate-errors", true), // the gateway's authority is its own
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel) // waits until the browser has ended
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &browser{ctx, t}
}

// tab is a tab of a browser.
type tab struct {
	context.Context
	t *testing.T
}

// open opens a tab with a page.
func (b *browser) open(url string) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b)
	b.t.Cleanup(cancel)
	page := &tab{ctx, b.t}
	// The first use binds the tab to its context: to one without a deadline.
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("open a tab: %v", err)
	}
	page.do("open "+url, chromedp.Navigate(url))
	return page
}

func (p *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// fill replaces what is in a field.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	empty := chromedp.Evaluate[chromedp.Void]("document.querySelector(" + quote(selector) + ").value = ''")
	p.do("fill in "+selector, empty, chromedp.SendKeys(selector, text))
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.do("click "+selector, chromedp.Click(selector))
}

// await waits until a JavaScript expression is true in the page.
func (p *tab) await(expression string, args ...any) {
	p.t.Helper()
	expression = fmt.Sprintf(expression, args...)
	ctx, cancel := context.WithTimeout(p, patience)
	defer cancel()
	// By an interval, because a page in the background paints nothing.
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression,
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	if err != nil {
		p.t.Fatalf("wait for %s: %v; the page says:\n%s", expression, err, p.text())
	}
}

// loseNetwork tells the page that the machine has no network. Connections to
// the machine itself work on.
func (p *tab) loseNetwork() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true})
	if err != nil {
		p.t.Fatalf("lose the network: %v", err)
	}
}

func (p *tab) text() string {
	ctx, cancel := context.WithTimeout(p, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

func (p *tab) close() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p, patience)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		p.t.Fatalf("close the tab: %v", err)
	}
}

// screenshots is the environment variable that names a folder to save pictures
// of the pages in.
const screenshots = "CONFORMANCE_SCREENSHOTS"

// screenshot saves how the page looks on a phone and on a desk, light and dark.
func (p *tab) screenshot(name string) {
	p.t.Helper()
	folder := os.Getenv(screenshots)
	if folder == "" {
		return
	}
	for size, width := range map[string]int64{"phone": 390, "desk": 1200} {
		for _, scheme := range []string{"light", "dark"} {
			ctx, cancel := context.WithTimeout(p, patience)
			defer cancel()
			p.do("resize", chromedp.EmulateViewport(width, 760, chromedp.EmulateScale(1)))
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			if err != nil {
				p.t.Fatalf("colour scheme: %v", err)
			}
			picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, name+"-"+size+"-"+scheme+".png"), picture, 0o644)
			}
			if err != nil {
				p.t.Fatalf("screenshot: %v", err)
			}
		}
	}
}

// quote is a string as JavaScript has it.
func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
